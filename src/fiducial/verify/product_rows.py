"""The rows of a product that is no image: every check of its kind on every amplifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import nan
from typing import Any

from fiducial.products.metadata import read_inputs
from fiducial.verify.checks import Measurement, product_checks
from fiducial.verify.checks.undetermined import undetermined
from fiducial.verify.products import ProductSubject
from fiducial.verify.rows import MEAN_EXPOSURE, Row

_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)


def measure_product(kind: str, subjects: Iterable[ProductSubject]) -> list[Row]:
    """Run the checks of a kind on amplifiers, in their order.

    An amplifier that is not determined has the row that says so, and no other.
    """
    rows: list[Row] = []
    times: dict[int, float] = {}  # of each detector's product
    for subject in subjects:
        detector = subject.product.detector
        if detector not in times:
            times[detector] = _mjd(subject.product.metadata)
        found = [
            one
            for check in product_checks(kind)
            if not subject.problem or check.measure is undetermined
            for one in check.measure(subject)
        ]
        rows += [_row(kind, subject, times[detector], one) for one in found]
    return rows


def _row(kind: str, subject: ProductSubject, mjd: float, found: Measurement) -> Row:
    return Row(
        kind=kind,
        test=found.test,
        scope="amplifier",
        exposure=MEAN_EXPOSURE,
        detector=subject.product.detector,
        amplifier=subject.amplifier.name,
        physical_filter="",
        mjd=mjd,
        role="product",
        counts=True,
        applicable=found.applicable,
        value=found.value,
        uncertainty=found.uncertainty,
        unit=found.unit,
        n_pixels=found.n_pixels,
        note=found.note,
    )


def _mjd(metadata: Mapping[str, Any]) -> float:
    """Mean time of the frames that went into a product, TAI; NaN where it does not say."""
    times = [datetime.fromisoformat(note.date) for note in read_inputs(metadata) if note.date]
    if not times:
        return nan
    days = [(time.replace(tzinfo=UTC) - _MJD_ZERO).total_seconds() / 86_400.0 for time in times]
    return sum(days) / len(days)
