"""Whether everything certified is still there, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType

from fiducial.frames.checksum import sha256_of
from fiducial.repository.integrity import certified_files
from fiducial.repository.ledger import Ledger
from fiducial.repository.validity import associations

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef
    from lsst.resources import ResourcePath


@dataclass(frozen=True)
class AuditReport:
    """What an audit found; every certified calibration is counted once."""

    checked: int  # certified calibrations that were looked at
    intact: int
    changed: tuple[str, ...]  # files that are not the bytes that were certified
    missing: tuple[str, ...]  # files of certified calibrations that are not there
    unrecorded: tuple[str, ...]  # certified by other means, so that no checksum is known
    lost: tuple[str, ...]  # certified here once, and no longer in the registry
    steps: int  # entries of the ledger, whose chain of hashes holds

    @property
    def clean(self) -> bool:
        """Whether nothing certified was changed, is missing or was lost."""
        return not (self.changed or self.missing or self.lost)


def audit(root: Path, butler: Butler, instrument: str) -> AuditReport:
    """Check every certified calibration of a camera against the record; see `Repository.audit`."""
    steps = len(Ledger(root).history())
    collections = list(butler.collections.query("*", collection_types=CollectionType.CALIBRATION))
    refs = {found.ref.id: found.ref for found in associations(butler, instrument, collections)}
    recorded = certified_files(root)
    found: dict[str, list[str]] = {"intact": [], "changed": [], "missing": [], "unrecorded": []}
    for ref in sorted(refs.values()):
        expected = recorded.get(ref.id)
        found[_state(butler, ref, None if expected is None else expected.sha256)].append(_name(butler, ref))
    lost = [
        f"{file.dataset_type} {file.path}"
        for dataset, file in recorded.items()
        if dataset not in refs and butler.get_dataset(dataset) is None
    ]
    return AuditReport(
        checked=len(refs),
        intact=len(found["intact"]),
        changed=tuple(found["changed"]),
        missing=tuple(found["missing"]),
        unrecorded=tuple(found["unrecorded"]),
        lost=tuple(sorted(lost)),
        steps=steps,
    )


def _state(butler: Butler, ref: DatasetRef, expected: str | None) -> str:
    uri = _uri(butler, ref)
    if uri is None or not uri.exists():
        return "missing"
    if expected is None:
        return "unrecorded"
    with uri.as_local() as local:
        return "intact" if sha256_of(local.ospath) == expected else "changed"


def _name(butler: Butler, ref: DatasetRef) -> str:
    uri = _uri(butler, ref)
    return f"{ref.datasetType.name} {ref.dataId}" if uri is None else uri.ospath


def _uri(butler: Butler, ref: DatasetRef) -> ResourcePath | None:
    """Where the file is to be; None where the datastore has forgotten it."""
    try:
        return butler.getURI(ref)
    except FileNotFoundError:
        return None
