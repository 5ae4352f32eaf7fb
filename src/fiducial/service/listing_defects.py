"""Defects listed, held against others, and written for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.errors import CameraError, NothingToDo, UsageError

if TYPE_CHECKING:
    from fiducial.products.defects import DefectSet
    from fiducial.products.defects_comparison import Change
    from fiducial.repository import Repository

KIND = "defects"


@dataclass(frozen=True)
class DefectCounts:
    """Defects of one amplifier by reason; ``any`` is what is masked, whatever the reason."""

    detector: int
    amplifier: str  # empty: the whole detector, of a camera that is not known
    pixels: int
    counts: dict[str, int]


@dataclass(frozen=True)
class DefectBox:
    """A box of pixels that appeared or went."""

    detector: int
    what: str  # appeared or went
    x0: int
    y0: int
    width: int
    height: int
    reason: str


@dataclass(frozen=True)
class DefectChanges:
    """What is different on one detector."""

    detector: int
    against: str
    changes: tuple[Change, ...]
    boxes: tuple[DefectBox, ...]


@dataclass(frozen=True)
class DefectListing:
    """What there is, what changed, and which files were written."""

    source: str
    amplifiers: tuple[DefectCounts, ...]
    changes: tuple[DefectChanges, ...]
    files: tuple[str, ...]


def defects(
    source: str | Path,
    *,
    collection: str | None = None,
    against: str | None = None,
    detectors: Sequence[int] = (),
    write: str | Path | None = None,
    instrument: str | None = None,
) -> DefectListing:
    """List defects, say what appeared and went since others, and write them for other programs.

    Parameters
    ----------
    source
        Folder of a repository, or a file: the product's .fits, or a table .ecsv or .csv.
    collection
        Of a repository: a run, a chain, or what is certified; None: ``CAMERA/calib``. The first
        collection that has a detector's defects counts.
    against
        A file or, of a repository, a collection.
    detectors
        Ids; empty: all.
    write
        A file, .ecsv or .fits; of several detectors one each, with the id before the ending.
    instrument
        The camera, where the repository holds several.

    Raises
    ------
    NothingToDo
        There are no defects, or none to hold against them.
    ConfigurationError
        A file cannot be read, or not be written under that name.
    """
    place = Path(source)
    if not place.is_file():
        return _in_repository(place, collection, against, detectors, write, instrument)
    if collection is not None:
        raise UsageError(f"{place} is a file and has no collection", hint="Leave --collection out.")
    found = _wanted([_of_file(place)], detectors, str(place))
    others = [] if against is None else [_of_file(Path(against))]
    return _listing(str(place), found, others, against or "", write)


def _in_repository(
    root: Path,
    collection: str | None,
    against: str | None,
    detectors: Sequence[int],
    write: str | Path | None,
    instrument: str | None,
) -> DefectListing:
    from fiducial.repository import Repository

    with Repository.open(root, instrument=instrument) as repository:
        where = collection or f"{repository.instrument}/calib"
        found = _wanted(_of_collection(repository, where), detectors, where)
        others: list[DefectSet] = []
        if against is not None:
            is_file = Path(against).is_file()
            others = [_of_file(Path(against))] if is_file else _of_collection(repository, against)
            _wanted(others, [], against)
        return _listing(where, found, others, against or "", write)


def _of_file(path: Path) -> DefectSet:
    from fiducial.products.defects_table import read_defects

    return read_defects(path)


def _of_collection(repository: Repository, name: str) -> list[DefectSet]:
    """The defects of each detector in the first collection of a chain that has some."""
    from fiducial.repository.client import require_collections
    from fiducial.repository.lookup import datasets

    butler = repository.butler
    require_collections(butler, [name])
    first: dict[int, Any] = {}
    for one in butler.collections.query(name, flatten_chains=True):
        own = {int(ref.dataId["detector"]): ref for ref in datasets(butler, KIND, one)}
        first = own | first
    return [butler.get(first[detector]) for detector in sorted(first)]


def _wanted(found: Sequence[DefectSet], detectors: Sequence[int], where: str) -> list[DefectSet]:
    chosen = [one for one in found if not detectors or one.detector in detectors]
    if not chosen:
        what = f" of detector {', '.join(map(str, detectors))}" if detectors else ""
        raise NothingToDo(
            f"{where} holds no defects{what}", hint="fiducial make REPO defects --night YYYYMMDD makes them"
        )
    return chosen


def _listing(
    source: str,
    found: Sequence[DefectSet],
    others: Sequence[DefectSet],
    against: str,
    write: str | Path | None,
) -> DefectListing:
    before = {one.detector: one for one in others}
    if others and not any(one.detector in before for one in found):
        raise UsageError(
            f"{against} has no defects of detector {', '.join(str(one.detector) for one in found)}",
            hint="Give defects of the same detector.",
        )
    return DefectListing(
        source,
        tuple(counts for one in found for counts in _counts(one)),
        tuple(_changes(one, before[one.detector], against) for one in found if one.detector in before),
        tuple(_write(found, Path(write)) if write is not None else ()),
    )


def _counts(found: DefectSet) -> list[DefectCounts]:
    from fiducial.cameras import load_camera

    ny, nx = found.shape
    try:
        amplifiers = load_camera(found.instrument).amplifiers(found.detector)
    except (CameraError, LookupError):
        amplifiers = ()
    if not amplifiers or any(a.detector.x1 > nx or a.detector.y1 > ny for a in amplifiers):
        return [DefectCounts(found.detector, "", ny * nx, found.counts())]
    return [
        DefectCounts(
            found.detector,
            amp.name,
            amp.detector.shape[0] * amp.detector.shape[1],
            found.counts(amp.detector.slices),
        )
        for amp in amplifiers
    ]


def _changes(now: DefectSet, before: DefectSet, against: str) -> DefectChanges:
    from fiducial.products.defects_comparison import compare_defects

    try:
        comparison = compare_defects(now, before)
    except ValueError as error:
        raise UsageError(f"{against}: {error}", hint="Give defects of the same detector.") from error
    boxes = tuple(
        DefectBox(now.detector, what, x0, y0, width, height, reason)
        for what, one in (("appeared", comparison.appeared), ("went", comparison.went))
        for (x0, y0, width, height), reason in zip(one.boxes.tolist(), one.reasons, strict=True)
    )
    return DefectChanges(now.detector, against, comparison.changes, boxes)


def _write(found: Sequence[DefectSet], path: Path) -> list[str]:
    from fiducial.products.defects_table import write_defects

    files = []
    for one in found:
        own = path if len(found) == 1 else path.with_name(f"{path.stem}-{one.detector}{path.suffix}")
        write_defects(one, own)
        files.append(str(own))
    return files
