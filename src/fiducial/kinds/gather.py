"""What a stacking task reads from the repository before it computes."""

import gc
from typing import Any

from fiducial.corrections.defects import DefectMaster
from fiducial.corrections.masters import Master
from fiducial.kinds.inputs import Offered, read_records

MASTERS = ("bias", "dark", "flat", "defects")


def gather(butlerQC: Any, inputRefs: Any) -> dict[str, Any]:
    """Everything a task's ``run`` takes: raws (not opened yet), camera, records, masters, threads."""
    raws = list(inputRefs.raws)
    exposures = [int(ref.dataId["exposure"]) for ref in raws]
    detector = int(butlerQC.quantum.dataId["detector"])
    tables = butlerQC.get(list(inputRefs.frameFacts)) if getattr(inputRefs, "frameFacts", None) else []
    return {
        "raws": [
            Offered(exposure, handle) for exposure, handle in zip(exposures, butlerQC.get(raws), strict=True)
        ],
        "camera": butlerQC.get(inputRefs.camera),
        "detector": detector,
        "records": read_records(tables, detector, exposures),
        "masters": read_masters(butlerQC, inputRefs),
        "threads": butlerQC.resources.num_cores,
    }


def read_masters(butlerQC: Any, inputRefs: Any) -> dict[str, Master]:
    """The masters among a quantum's inputs, by kind."""
    found = {}
    for kind in MASTERS:
        ref = getattr(inputRefs, kind, None)
        if ref is not None:
            made = DefectMaster if kind == "defects" else Master
            found[kind] = made(kind, butlerQC.get(ref), str(ref.id))
            gc.collect()  # reading leaves cycles that hold the file's bytes, more than the master itself
    return found
