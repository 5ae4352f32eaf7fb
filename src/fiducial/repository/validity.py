"""Spans of dates for which calibrations are valid, and what is certified for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from astropy.time import Time
from lsst.daf.butler import CollectionType, Timespan

from fiducial.errors import UsageError
from fiducial.repository.client import require_collections

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

type Moment = str | datetime | date | Time
"""A date or time: text and bare datetimes are TAI, datetimes with a zone are what they say."""


class Product(NamedTuple):
    """What a calibration is of: kind, detector and filter, as far as it has them."""

    kind: str
    detector: int | None
    filter: str | None


class Certified(NamedTuple):
    """One calibration in one CALIBRATION collection."""

    ref: DatasetRef
    collection: str
    span: Timespan


@dataclass(frozen=True)
class Validity:
    """One certified calibration and its span of dates, TAI; None is open."""

    kind: str
    detector: int | None
    filter: str | None
    begin: str | None
    end: str | None
    collection: str
    run: str
    dataset: str
    rank: int  # place of the collection in the chain; the lowest is searched first


def moment(value: Moment, what: str = "date") -> Time:
    """A moment, TAI.

    Raises
    ------
    UsageError
        If the text is no date or time in ISO 8601.
    """
    if isinstance(value, Time):
        return value.tai
    if isinstance(value, datetime) and value.tzinfo is not None:
        return Time(value.astimezone(UTC).replace(tzinfo=None), scale="utc").tai
    text = value.isoformat() if isinstance(value, date) else value.strip()
    try:
        return Time(text, scale="tai")
    except ValueError as error:
        raise UsageError(
            f"{what} {text!r} is no date", hint="Write it as 2026-09-01 or 2026-09-01T12:00:00 (TAI)."
        ) from error


def timespan(begin: Moment | None, end: Moment | None) -> Timespan:
    """The span from begin to end; None is open.

    Raises
    ------
    UsageError
        If it is empty.
    """
    first = None if begin is None else moment(begin, "begin")
    last = None if end is None else moment(end, "end")
    if first is not None and last is not None and first >= last:
        raise UsageError(f"begin {first.isot} is not before end {last.isot}", hint="Exchange them.")
    return Timespan(first, last)


def bounds(span: Timespan) -> tuple[str | None, str | None]:
    """Begin and end as ISO 8601 text, TAI; None is open."""
    begin, end = (
        Time(t, precision=3).tai.isot if isinstance(t, Time) else None for t in (span.begin, span.end)
    )
    return begin, end


def describe(span: Timespan) -> str:
    """The span in words: ``2026-09-01T00:00:00.000 to open``."""
    begin, end = bounds(span)
    return f"{begin or 'open'} to {end or 'open'}"


def product_of(ref: DatasetRef) -> Product:
    """What a calibration is of."""
    detector, physical_filter = ref.dataId.get("detector"), ref.dataId.get("physical_filter")
    return Product(
        ref.datasetType.name,
        None if detector is None else int(detector),
        None if physical_filter is None else str(physical_filter),
    )


def associations(
    butler: Butler, instrument: str, collections: Sequence[str], kind: str | None = None
) -> Iterator[Certified]:
    """Every certification of a camera in some CALIBRATION collections."""
    if not collections:
        return
    for dataset_type in sorted(butler.registry.queryDatasetTypes(kind or ...), key=lambda one: one.name):
        if dataset_type.isCalibration() and "instrument" in dataset_type.dimensions:
            for association in butler.registry.queryDatasetAssociations(
                dataset_type, collections, collectionTypes={CollectionType.CALIBRATION}
            ):
                ref, span = association.ref, association.timespan
                if ref.dataId["instrument"] == instrument and span is not None:
                    yield Certified(ref, association.collection, span)


def calibration_collections(butler: Butler, chain: str) -> list[str]:
    """The CALIBRATION collections that a chain leads to, the first to be searched first."""
    require_collections(butler, [chain])
    return list(
        butler.collections.query(chain, collection_types=CollectionType.CALIBRATION, flatten_chains=True)
    )


def timeline(butler: Butler, instrument: str, chain: str) -> list[Validity]:
    """Everything certified that a chain leads to, by kind, detector, filter and rank."""
    collections = calibration_collections(butler, chain)
    rows = []
    for ref, collection, span in associations(butler, instrument, collections):
        begin, end = bounds(span)
        rows.append(
            Validity(
                *product_of(ref), begin, end, collection, ref.run, str(ref.id), collections.index(collection)
            )
        )
    return sorted(
        rows, key=lambda row: (row.kind, row.detector or 0, row.filter or "", row.rank, row.begin or "")
    )
