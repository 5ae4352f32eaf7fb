"""E2E: a master bias of frames ingested before: selected, detrended, combined, written, registered.

``python -m benchmarks.ours.make_bias REPOSITORY DETECTORS OUTPUT`` makes those of the first DETECTORS
detectors, and writes to OUTPUT (JSON) what imports and work took, in seconds, and where the product is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.sizes import CAMERA

ROUNDS = 20


def main(root: Path, detectors: int, output: Path) -> None:
    """Make the masters in a new run."""
    started = time.perf_counter()
    from fiducial.execution.job import PIPELINES, Job
    from fiducial.execution.run import run_job
    from fiducial.kinds import bias
    from fiducial.products import images
    from fiducial.repository import Repository, formatters_image, formatters_raw
    from fiducial.selection import data_query

    imported = time.perf_counter()
    with Repository.open(root, writeable=True) as opened:
        exposures = sorted({record.exposure for record in opened.records(frame_type="bias")})
        job = Job(
            PIPELINES / "cpBias.yaml",
            (f"{CAMERA}/raw/all", f"{CAMERA}/calib"),
            f"{CAMERA}/bench/{time.time_ns()}",
            data_query(CAMERA, exposures, list(range(detectors))),
            (f"bias:iterations={ROUNDS}",),
        )
        outcome = run_job(opened, job)
        done = time.perf_counter()
        if not outcome.complete:
            raise RuntimeError(f"{outcome.missing} {outcome.failures}")
        refs = opened.butler.query_datasets("bias", collections=outcome.run)
        products = [opened.butler.getURI(ref).ospath for ref in refs]
    told = {
        "imports_s": imported - started,
        "work_s": done - imported,
        "product": products[0],
        "loaded": [module.__name__ for module in (bias, images, formatters_image, formatters_raw)],
    }
    output.write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
