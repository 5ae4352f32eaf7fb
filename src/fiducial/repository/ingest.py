"""Taking in raw frames: each file is used, there already, or refused with the reason."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType, DataCoordinate, FileDataset

from fiducial.cameras.model import Camera
from fiducial.errors import FrameError, UsageError
from fiducial.frames.records import FrameRecord
from fiducial.frames.scan import scan_frame
from fiducial.repository import names
from fiducial.repository.analyze import analyze
from fiducial.repository.dataset_types import raw_type, reproducible_ref
from fiducial.repository.exposures import check_facts, insert_exposures
from fiducial.repository.facts import FrameKey, known_records, write_facts
from fiducial.repository.sorting import Sorted, sort_frames
from fiducial.repository.storage import storage_errors

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

TRANSFERS = ("direct", "symlink", "copy", "hardlink")

type Progress = Callable[[int, int], None]
"""Called with the number of files looked at and the number of all."""


@dataclass(frozen=True)
class Refusal:
    """A file that was not taken in, and why."""

    file: str
    hdu: str | int | None
    keyword: str
    reason: str
    hint: str

    @classmethod
    def of(cls, error: FrameError, file: str) -> Refusal:
        """The refusal that an error means."""
        return cls(error.file or file, error.hdu, error.keyword, error.message, error.hint)


@dataclass(frozen=True)
class IngestReport:
    """What became of every file: ``len(used) + len(already) + len(refused) == offered``."""

    used: tuple[str, ...]
    already: tuple[str, ...]
    refused: tuple[Refusal, ...]
    offered: int
    exposures: tuple[int, ...] = ()  # those that the files taken in belong to


@dataclass(frozen=True)
class _Scanned:
    file: str
    records: tuple[FrameRecord, ...]
    error: FrameError | None


def ingest_files(
    root: Path,
    butler: Butler,
    camera: Camera,
    files: Sequence[str | os.PathLike[str]],
    *,
    transfer: str = "direct",
    processes: int | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Take raw files into a repository; see `Repository.ingest`."""
    if transfer not in TRANSFERS:
        raise UsageError(f"no transfer {transfer!r}", hint=f"Choose one of {', '.join(TRANSFERS)}.")
    paths = [os.path.abspath(file) for file in files]
    scanned = _scan(sorted(set(paths)), camera, processes, progress)
    with _ingest_lock(root), storage_errors(root):
        outcome = sort_frames(
            butler, camera, [one.records for one in scanned if one.error is None and one.records]
        )
        _write(butler, camera, outcome, transfer)
        if outcome.used:
            analyze(root)
    refused = [Refusal.of(one.error, one.file) for one in scanned if one.error is not None]
    refused += [Refusal.of(error, file) for file, error in outcome.refused]
    # A file named twice is one file; the second mention finds it there already.
    repeated = list((Counter(paths) - Counter(set(paths))).elements())
    return IngestReport(
        used=tuple(sorted({records[0].file for records in outcome.used})),
        already=tuple(sorted([*outcome.already, *repeated])),
        refused=tuple(sorted(refused, key=lambda refusal: refusal.file)),
        offered=len(paths),
        exposures=tuple(sorted({records[0].exposure for records in outcome.used})),
    )


def _scan(
    paths: list[str], camera: Camera, processes: int | None, progress: Progress | None
) -> list[_Scanned]:
    """Look at every file, some at a time; the order of the answers is that of the paths."""

    def look(path: str) -> _Scanned:
        try:
            records = scan_frame(path, camera)
            check_facts(records, path)
        except FrameError as error:
            return _Scanned(path, (), error)
        return _Scanned(path, records, None)

    workers = max(1, processes or min(8, os.cpu_count() or 1))
    scanned: list[_Scanned] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for one in pool.map(look, paths):
                scanned.append(one)
                if progress is not None:
                    progress(len(scanned), len(paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return scanned


def _write(butler: Butler, camera: Camera, outcome: Sorted, transfer: str) -> None:
    """Day by day: records, raws and facts together or not at all, so that a re-run completes it."""
    run = f"{names.raw_facts(camera.name)}/{names.timestamp()}"
    if outcome.forgotten:
        butler.pruneDatasets(outcome.forgotten, disassociate=False, unstore=True)
    for day_obs in outcome.days:
        used = [records for records in outcome.used if records[0].facts.day_obs == day_obs]
        table: dict[FrameKey, FrameRecord] = known_records(butler, camera.name, [day_obs])
        for records in [*used, *(r for r in outcome.without_facts if r[0].facts.day_obs == day_obs)]:
            table |= {(record.exposure, record.detector): record for record in records}
        butler.collections.register(run, CollectionType.RUN)
        with butler.transaction():
            insert_exposures(butler, camera, {r[0].exposure: r[0].facts for r in used}.values())
            butler.ingest(
                *[_file_dataset(butler, camera.name, records) for records in used],
                transfer=transfer,
                record_validation_info=True,
            )
            write_facts(butler, camera.name, day_obs, table, run)


def _file_dataset(butler: Butler, instrument: str, records: tuple[FrameRecord, ...]) -> FileDataset:
    dataset_type = raw_type(butler.dimensions)
    refs = []
    for record in records:
        data_id = DataCoordinate.standardize(
            instrument=instrument,
            exposure=record.exposure,
            detector=record.detector,
            universe=butler.dimensions,
        )
        refs.append(reproducible_ref(dataset_type, data_id, names.raw_frames(instrument)))
    return FileDataset(path=records[0].file, refs=refs)


@contextmanager
def _ingest_lock(root: Path) -> Iterator[None]:
    """One ingest at a time: two would each merge the day's table without the other's frames."""
    with storage_errors(root):
        path = root / "fiducial" / "ingest.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a")
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
