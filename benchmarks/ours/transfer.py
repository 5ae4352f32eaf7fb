"""PTC: photon transfer of a detector of 16 amplifiers in a repository, covariances fitted.

``python -m benchmarks.ours.transfer SIZE REPOSITORY OUTPUT`` writes to OUTPUT (JSON) what imports and work
took, in seconds, and the gains that were found.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.sixteen import CAMERA, SIXTEEN


def main(lag: int, root: Path, output: Path) -> None:
    """Measure it in a new run."""
    started = time.perf_counter()
    from fiducial.execution.job import PIPELINES, Job
    from fiducial.execution.run import run_job
    from fiducial.kinds import ptc
    from fiducial.repository import Repository, formatters_image, formatters_product, formatters_raw

    loaded = [m.__name__ for m in (ptc, formatters_image, formatters_product, formatters_raw)]
    imported = time.perf_counter()
    with Repository.open(root, writeable=True) as opened:
        job = Job(
            PIPELINES / "cpPtc.yaml",
            (f"{CAMERA}/bench/bias", f"{CAMERA}/raw/all", f"{CAMERA}/calib"),
            f"{CAMERA}/bench/{time.time_ns()}",
            f"instrument='{CAMERA}' AND exposure.observation_type='flat'",
            ("ptc:fit=covariance", f"ptc:maxLag={lag}"),
        )
        outcome = run_job(opened, job)
        done = time.perf_counter()
        if not outcome.complete:
            raise RuntimeError(f"{outcome.missing} {outcome.failures}")
        (ref,) = opened.butler.query_datasets("ptc", collections=outcome.run)
        fits = [one.fit for one in opened.butler.get(ref).amplifiers]
    told = {
        "imports_s": imported - started,
        "work_s": done - imported,
        "gains": [fit.gain for fit in fits],
        "errors": [[fit.gain_error, fit.gain_bootstrap] for fit in fits],
        "loaded": loaded,
    }
    output.write_text(json.dumps(told))


if __name__ == "__main__":
    main(SIXTEEN[sys.argv[1]].lag, Path(sys.argv[2]), Path(sys.argv[3]))
