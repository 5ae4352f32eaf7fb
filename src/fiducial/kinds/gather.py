"""What a stacking task reads from the repository before it computes."""

import gc
from typing import Any

from fiducial.corrections.defects import as_master
from fiducial.corrections.masters import Master
from fiducial.kinds.inputs import Offered, read_records

MASTERS = ("bias", "dark", "flat", "defects", "linearizer", "ptc")


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
    return {kind: _read(butlerQC, kind, ref) for kind, ref in _refs(inputRefs).items()}


class KeptMasters:
    """The masters of the last quantum, for the next one that needs the same.

    Reading three masters and their checksums takes ten times as long as applying them.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Master] = {}

    def read(self, butlerQC: Any, inputRefs: Any) -> dict[str, Master]:
        """As `read_masters`; what was read for the last quantum and is not needed is let go first."""
        refs = _refs(inputRefs)
        kept, self._kept = self._kept, {}
        same = {kind: kept[kind] for kind, ref in refs.items() if _is(kept.get(kind), ref)}
        kept.clear()
        found = {kind: same.get(kind) or _read(butlerQC, kind, ref) for kind, ref in refs.items()}
        self._kept = dict(found)
        return found


def _refs(inputRefs: Any) -> dict[str, Any]:
    return {kind: ref for kind in MASTERS if (ref := getattr(inputRefs, kind, None)) is not None}


def _is(master: Master | None, ref: Any) -> bool:
    return master is not None and master.dataset == str(ref.id)


def _read(butlerQC: Any, kind: str, ref: Any) -> Master:
    master = as_master(kind, butlerQC.get(ref), str(ref.id))
    gc.collect()  # reading leaves cycles that hold the file's bytes, more than the master itself
    return master
