"""Certifying calibrations: whole sets only, no overlaps, and the SHA-256 of every file kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType, MissingDatasetTypeError, Timespan

from fiducial.cameras.model import Camera
from fiducial.errors import IntegrityError, RepositoryError
from fiducial.repository.client import collection_type, require_collections
from fiducial.repository.integrity import CertifiedFile, certified_files, describe_file, record_certified
from fiducial.repository.validity import Product, associations, bounds, describe, product_of

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef


@dataclass(frozen=True)
class Certification:
    """What was certified."""

    kind: str
    run: str
    collection: str
    begin: str | None  # ISO 8601, TAI; None is open
    end: str | None
    products: tuple[Product, ...]
    already: bool = False  # the very same was certified before; nothing changed
    notes: tuple[str, ...] = ()  # what the user should know


def certify(
    root: Path,
    butler: Butler,
    camera: Camera,
    kind: str,
    run: str,
    collection: str,
    span: Timespan,
    *,
    detectors: Collection[int] | None = None,
    partial: bool = False,
) -> Certification:
    """Certify the calibrations of one kind in a run; see `Repository.certify`."""
    run = newest_run(butler, run, kind)
    refs = calibrations_in(butler, kind, run)
    if not partial:
        check_complete(refs, run, expected_detectors(camera) if detectors is None else detectors)
    files = [describe_file(root, butler, ref) for ref in refs]
    products = tuple(sorted(product_of(ref) for ref in refs))
    already = not _is_new(butler, camera.name, collection, refs, span)
    certification = Certification(kind, run, collection, *bounds(span), products, already)
    # First the record: a kill in between leaves a checksum too many, never one too few.
    record_certified(root, _unrecorded(root, files))
    if already:
        return certification
    butler.collections.register(collection, CollectionType.CALIBRATION)
    butler.registry.certify(collection, refs, span)
    return certification


def newest_run(butler: Butler, name: str, kind: str) -> str:
    """The RUN that a name means: itself, or the newest one that a chain of outputs made.

    A chain of outputs contains its inputs too, in which older calibrations of the kind may be; only
    its own runs (those whose names begin with the chain's) count.

    Raises
    ------
    RepositoryError
        If there is no such collection, or it is neither a run nor a chain of runs.
    """
    require_collections(butler, [name])
    info = butler.collections.get_info(name)
    if info.type is CollectionType.RUN:
        return name
    own = [child for child in info.children if child.startswith(f"{name}/")]
    runs = butler.collections.query(own, collection_types=CollectionType.RUN) if own else ()
    if not runs:
        raise RepositoryError(
            f"{name} is a {info.type.name} collection without a run of its own, so it holds no new {kind}",
            hint="Name the run: `butler query-collections REPO` lists them.",
        )
    return str(next(child for child in own if child in runs))


def calibrations_in(butler: Butler, kind: str, run: str) -> list[DatasetRef]:
    """The calibrations of one kind in a RUN.

    Raises
    ------
    RepositoryError
        If there are none.
    """
    try:
        refs = butler.query_datasets(kind, run, find_first=False, explain=False, limit=None)
    except MissingDatasetTypeError:
        refs = []
    if not refs:
        raise RepositoryError(
            f"{run} holds no {kind}", hint="Name the run that made it; the log beside the run says why not."
        )
    if not refs[0].datasetType.isCalibration():
        raise RepositoryError(f"{kind} is no calibration", hint="Certify bias, dark, flat and the like.")
    return sorted(refs, key=lambda ref: (product_of(ref).filter or "", product_of(ref).detector or 0))


def expected_detectors(camera: Camera) -> set[int]:
    """The detectors that a whole set has: those for science, or all where none is."""
    science = {detector.id for detector in camera.detectors if detector.purpose == "SCIENCE"}
    return science or {detector.id for detector in camera.detectors}


def check_complete(refs: Iterable[DatasetRef], run: str, expected: Collection[int]) -> None:
    """Refuse a set that lacks a detector, for any of its filters.

    Raises
    ------
    RepositoryError
        Naming the detectors that are missing.
    """
    found: dict[str | None, set[int]] = {}
    kind = ""
    for ref in refs:
        product = product_of(ref)
        kind = product.kind
        if product.detector is not None:
            found.setdefault(product.filter, set()).add(product.detector)
    for physical_filter, detectors in found.items():
        if missing := sorted(set(expected) - detectors):
            what = f"{kind} {physical_filter}" if physical_filter else kind
            numbers = ", ".join(map(str, missing[:20])) + (", ..." if len(missing) > 20 else "")
            raise RepositoryError(
                f"{run} holds no {what} of detector {numbers}: the set is not complete",
                hint="Run again what failed, or name the detectors that are wanted.",
            )


def _unrecorded(root: Path, files: Sequence[CertifiedFile]) -> list[CertifiedFile]:
    """Files without a record; one whose bytes are not those of its record is refused."""
    known = certified_files(root)
    for file in files:
        if file.dataset in known and known[file.dataset].sha256 != file.sha256:
            raise IntegrityError(
                f"{file.path}: not the bytes that were certified before",
                hint="Restore the file from a backup or an export; `fiducial audit` lists every such file.",
            )
    return [file for file in files if file.dataset not in known]


def _is_new(
    butler: Butler, instrument: str, collection: str, refs: Sequence[DatasetRef], span: Timespan
) -> bool:
    """Whether anything is to be certified; overlaps with other calibrations are refused."""
    holder = collection_type(butler, collection)
    if holder is None:
        return True
    if holder is not CollectionType.CALIBRATION:
        raise RepositoryError(
            f"{collection} is a {holder.name} collection and can hold no certified calibrations",
            hint="Give the certified collection a name of its own.",
        )
    mine = {product_of(ref): ref for ref in refs}
    same = 0
    for ref, _, other in associations(butler, instrument, [collection], refs[0].datasetType.name):
        product = product_of(ref)
        if product not in mine or not other.overlaps(span):
            continue
        if ref.id == mine[product].id and other == span:
            same += 1
            continue
        raise RepositoryError(
            f"{collection} has a {product.kind} of detector {product.detector} already for "
            f"{describe(other)}, which overlaps {describe(span)}",
            hint="Certify into a new collection: it comes before the old one in the chain.",
        )
    return same < len(mine)
