"""The quantum graph of the bias pipeline for some exposures and detectors, built and not run.

``python -m benchmarks.ours.build_graph REPOSITORY EXPOSURES DETECTORS OUTPUT`` writes to OUTPUT (JSON) what
the imports and the building took, in seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.sizes import CAMERA


def main(root: Path, exposures: int, detectors: int, output: Path) -> None:
    """Build the graph."""
    started = time.perf_counter()
    from lsst.pipe.base.separable_pipeline_executor import SeparablePipelineExecutor

    from fiducial.execution.job import PIPELINES
    from fiducial.execution.run import load_pipeline
    from fiducial.repository import Repository
    from fiducial.selection import data_query

    with Repository.open(root, writeable=True) as opened:
        ids = sorted({record.exposure for record in opened.records(frame_type="bias")})[:exposures]
        pipeline = load_pipeline(PIPELINES / "cpBias.yaml")
        inputs = [f"{CAMERA}/raw/all", f"{CAMERA}/calib"]
        butler = opened.butler.clone(collections=inputs, run=f"{CAMERA}/bench/graph")
        executor = SeparablePipelineExecutor(butler)
        where = data_query(CAMERA, ids, list(range(detectors)))
        ready = time.perf_counter()
        graph = executor.build_quantum_graph(pipeline, where=where)
        done = time.perf_counter()
        if len(ids) != exposures or len(graph) != detectors:
            raise RuntimeError(f"{len(ids)} exposures and {len(graph)} quanta")
    output.write_text(json.dumps({"imports_s": ready - started, "work_s": done - ready}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
