"""A part of a night of LED flats: ``python -m benchmarks.ours.led_night bias|flat REPOSITORY OUTPUT``.

Makes the master biases of all detectors, then for ``flat`` one flat of each detector and lamp. Writes to
OUTPUT (JSON) what imports and the work took, in seconds: that of the biases, or that of the flats alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.sizes import CAMERA

_CHAIN = "parameters:chain=['saturation','overscan','gain','assembly','bias','nan']"


def main(kind: str, root: Path, output: Path) -> None:
    """Make the masters in new runs."""
    started = time.perf_counter()
    from fiducial.execution.job import PIPELINES, Job
    from fiducial.execution.run import run_job
    from fiducial.kinds import bias, flat, flat_levels, flat_solve
    from fiducial.repository import Repository, formatters_image, formatters_raw

    loaded = [m.__name__ for m in (bias, flat, flat_levels, flat_solve, formatters_image, formatters_raw)]
    with Repository.open(root, writeable=True) as opened:

        def make(name: str, inputs: tuple[str, ...], settings: tuple[str, ...] = ()) -> tuple[str, float]:
            begun = time.perf_counter()
            where = f"instrument='{CAMERA}' AND exposure.observation_type='{name}'"
            pipeline = PIPELINES / f"cp{name.capitalize()}.yaml"
            outcome = run_job(
                opened, Job(pipeline, inputs, f"{CAMERA}/{name}/{time.time_ns()}", where, settings)
            )
            if not outcome.complete:
                raise RuntimeError(f"{outcome.missing} {outcome.failures}")
            return outcome.run, time.perf_counter() - begun

        inputs = (f"{CAMERA}/raw/all", f"{CAMERA}/calib")
        imported = time.perf_counter()
        run, work = make("bias", inputs)
        if kind == "flat":
            _, work = make("flat", (run, *inputs), (_CHAIN,))
    told = {"imports_s": imported - started, "work_s": work, "loaded": loaded}
    output.write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
