"""Which frames are new, which are there already, and which contradict what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Camera
from fiducial.errors import DuplicateFrame, FrameError, HeaderError
from fiducial.frames.checksum import sha256_of
from fiducial.frames.records import FrameRecord
from fiducial.repository import names
from fiducial.repository.dataset_types import raw_type
from fiducial.repository.exposures import conflict
from fiducial.repository.facts import FrameKey, known_records

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef, DimensionRecord
    from lsst.resources import ResourcePath

type FileRecords = tuple[FrameRecord, ...]
"""The records of one file: one a detector."""

_AT_A_TIME = 500  # ids in one query: a list in SQL has an end


@dataclass
class Sorted:
    """The files of one ingest by what is to become of them."""

    used: list[FileRecords] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    without_facts: list[FileRecords] = field(default_factory=list)  # there already, but not in the tables
    refused: list[tuple[str, FrameError]] = field(default_factory=list)
    forgotten: list[DatasetRef] = field(default_factory=list)  # raws whose file is gone: taken in anew

    @property
    def days(self) -> list[int]:
        """The observing days whose tables change."""
        return sorted({records[0].facts.day_obs for records in [*self.used, *self.without_facts]})


def sort_frames(butler: Butler, camera: Camera, files: Sequence[FileRecords]) -> Sorted:
    """Compare files with the repository and with one another.

    The order does not matter: of two files that contradict each other the one whose path comes
    first is taken.

    Parameters
    ----------
    butler
        The repository.
    camera
        Its camera.
    files
        The records of each file that could be read.
    """
    known = _Known(butler, camera.name, files)
    outcome = Sorted()
    for records in sorted(files, key=lambda one: one[0].file):
        file = records[0].file
        error = known.contradiction(records)
        if error is not None:
            outcome.refused.append((file, error))
        elif known.has(records) and (gone := known.gone(records)):
            outcome.forgotten += gone
            outcome.used.append(records)
            known.take(records)
        elif known.has(records):
            outcome.already.append(file)
            if not known.has_facts(records):
                outcome.without_facts.append(records)
                known.take(records)
        else:
            outcome.used.append(records)
            known.take(records)
    return outcome


class _Known:
    """What the repository, and the files before, say of the exposures at hand."""

    def __init__(self, butler: Butler, instrument: str, files: Iterable[FileRecords]) -> None:
        self._butler = butler
        exposures = sorted({records[0].exposure for records in files})
        days = {records[0].facts.day_obs for records in files}
        self._facts = known_records(butler, instrument, days)
        self._raws = _raws(butler, instrument, exposures)
        self._registered = _exposure_records(butler, instrument, exposures)
        self._by_exposure: dict[int, FrameRecord] = {}
        for record in self._facts.values():
            self._by_exposure.setdefault(record.exposure, record)
        self._taken: dict[FrameKey, FrameRecord] = {}

    def take(self, records: FileRecords) -> None:
        for record in records:
            self._taken[record.exposure, record.detector] = record
            self._by_exposure.setdefault(record.exposure, record)

    def has(self, records: FileRecords) -> bool:
        """Whether every frame of the file is there, or is taken in from a file before."""
        return all(
            (r.exposure, r.detector) in self._raws or (r.exposure, r.detector) in self._taken for r in records
        )

    def has_facts(self, records: FileRecords) -> bool:
        return all(
            (r.exposure, r.detector) in self._facts or (r.exposure, r.detector) in self._taken
            for r in records
        )

    def gone(self, records: FileRecords) -> list[DatasetRef]:
        """The raws of a file that are registered, but at a place where there is no file any more."""
        if any((r.exposure, r.detector) in self._taken for r in records):
            return []
        facts = self._facts.get((records[0].exposure, records[0].detector))
        if facts is not None and Path(facts.file).exists():
            return []
        refs = [self._raws[r.exposure, r.detector] for r in records]
        return refs if _place(self._butler, refs[0]) is None else []

    def contradiction(self, records: FileRecords) -> FrameError | None:
        """Why the file cannot be used beside what is there, or None."""
        facts, file = records[0].facts, records[0].file
        known = self._by_exposure.get(facts.exposure)
        if known is not None and (error := conflict(facts, known.facts, file, known.file)) is not None:
            return error
        registered = self._registered.get(facts.exposure)
        if known is None and registered is not None and (error := _differs(facts, registered, file)):
            return error
        for record in records:
            if (duplicate := self._other_file(record)) is not None:
                return DuplicateFrame(
                    f"{file}: exposure {record.exposure}, detector {record.detector} is there already "
                    f"from {duplicate}, with other content",
                    hint="Keep one of the two files; if the exposure ids are wrong, correct the camera file.",
                    file=file,
                )
        return None

    def _other_file(self, record: FrameRecord) -> str | None:
        """The file that has this frame already with other content, or None."""
        key = record.exposure, record.detector
        other = self._taken.get(key) or (self._facts.get(key) if key in self._raws else None)
        if other is not None:
            return None if other.sha256 == record.sha256 else other.file
        ref = self._raws.get(key)
        if ref is None:
            return None
        uri = _place(self._butler, ref)
        if uri is None or (uri.isLocal and sha256_of(uri.ospath) == record.sha256):
            return None
        return str(uri.ospath if uri.isLocal else uri)


def _place(butler: Butler, ref: DatasetRef) -> ResourcePath | None:
    """Where a raw is; None if its file is gone."""
    try:
        uri = butler.getURI(ref)
    except FileNotFoundError:
        return None
    return uri if uri.exists() else None


def _differs(facts: FrameFacts, registered: DimensionRecord, file: str) -> FrameError | None:
    """Whether the registry has another exposure under this id, for which no table speaks."""
    pairs = {
        "day_obs": (facts.day_obs, registered.day_obs),
        "frame_type": (facts.frame_type, registered.observation_type),
        "filter": (facts.filter, registered.physical_filter),
        "seq_num": (facts.seq_num, registered.seq_num),
    }
    for name, (mine, theirs) in pairs.items():
        if mine != theirs:
            return HeaderError(
                f"{file}: exposure {facts.exposure} is known with {name} {theirs!r}, here it is {mine!r}",
                hint="Two exposures with one id, or a wrong header: see the camera's rule for exposure_id.",
                file=file,
                keyword=name,
            )
    return None


def _raws(butler: Butler, instrument: str, exposures: list[int]) -> dict[FrameKey, DatasetRef]:
    found: dict[FrameKey, DatasetRef] = {}
    for start in range(0, len(exposures), _AT_A_TIME):
        with butler.query() as query:
            wanted = query.expression_factory.exposure.in_iterable(exposures[start : start + _AT_A_TIME])
            datasets = query.datasets(
                raw_type(butler.dimensions), names.raw_frames(instrument), find_first=False
            )
            for ref in datasets.where(wanted, instrument=instrument):
                found[int(ref.dataId["exposure"]), int(ref.dataId["detector"])] = ref
    return found


def _exposure_records(butler: Butler, instrument: str, exposures: list[int]) -> dict[int, DimensionRecord]:
    found: dict[int, DimensionRecord] = {}
    for start in range(0, len(exposures), _AT_A_TIME):
        with butler.query() as query:
            wanted = query.expression_factory.exposure.in_iterable(exposures[start : start + _AT_A_TIME])
            for record in query.dimension_records("exposure").where(wanted, instrument=instrument):
                found[record.id] = record
    return found
