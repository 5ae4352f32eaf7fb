"""Which calibration is valid for an exposure or a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsst.daf.butler import CalibrationLookupError, MissingDatasetTypeError, Timespan

from fiducial.errors import RepositoryError
from fiducial.repository import names
from fiducial.repository.validity import Moment, describe, moment

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef, DimensionRecord


def find_calibration(
    butler: Butler,
    instrument: str,
    kind: str,
    when: int | Moment,
    detector: int | None,
    physical_filter: str | None = None,
    collections: str | Sequence[str] | None = None,
) -> DatasetRef | None:
    """The calibration that is found first by date; see `Repository.find_calibration`."""
    try:
        dataset_type = butler.get_dataset_type(kind)
    except MissingDatasetTypeError:
        return None
    record: DimensionRecord | None = None
    if isinstance(when, int):
        record = _exposure(butler, instrument, when)
        span = record.timespan
    else:
        span = Timespan.fromInstant(moment(when))
    data_id: dict[str, int | str] = {"instrument": instrument}
    if "detector" in dataset_type.dimensions and detector is not None:
        data_id["detector"] = detector
    if "physical_filter" in dataset_type.dimensions:
        chosen = physical_filter or (record.physical_filter if record is not None else None)
        if chosen is None:
            raise RepositoryError(f"a {kind} is looked up by its filter", hint="Name the filter.")
        if not _known_filter(butler, instrument, chosen):
            return None
        data_id["physical_filter"] = chosen
    try:
        return butler.find_dataset(
            dataset_type, data_id, collections=collections or names.calib(instrument), timespan=span
        )
    except CalibrationLookupError as error:
        raise RepositoryError(
            f"several calibrations {kind} of detector {detector} are valid within {describe(span)}",
            hint="An exposure that lies across two validity ranges has no single calibration; "
            "`fiducial timeline` shows the ranges.",
        ) from error


def _exposure(butler: Butler, instrument: str, exposure: int) -> DimensionRecord:
    with butler.query() as query:
        condition = query.expression_factory.exposure == exposure
        records = list(query.dimension_records("exposure").where(condition, instrument=instrument))
    if not records:
        raise RepositoryError(
            f"there is no exposure {exposure} of {instrument}", hint="Ingest it, or give its date instead."
        )
    return records[0]


def _known_filter(butler: Butler, instrument: str, name: str) -> bool:
    with butler.query() as query:
        condition = query.expression_factory.physical_filter == name
        return bool(list(query.dimension_records("physical_filter").where(condition, instrument=instrument)))
