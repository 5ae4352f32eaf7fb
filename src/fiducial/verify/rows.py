"""The row of a measurement: one line of the tables that verification writes, and its Arrow schema."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import pyarrow as pa

from fiducial.verify.checks.measurement import Measurement
from fiducial.verify.window import Subject

type Scope = Literal["amplifier", "detector", "amplifier_mean"]
type Role = Literal["input", "held_out", "other_day", "first", "mean", "product"]
type Outcome = Literal["pass", "warn", "fail", "shown", "not_applicable", ""]

UNREADABLE = "frame"
"""Test of the row that stands for a frame which could not be measured at all."""

MEAN_EXPOSURE = -1
"""Exposure of a row that stands for no single frame: the mean over frames (scope ``amplifier_mean``), or a
number of a product that is no image (role ``product``)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement of one exposure and amplifier (or detector), judged or not yet.

    The first block says what was measured on what; the second is the measurement; the third is
    what a limit may depend on; the last one is empty until `fiducial.verify.engine.judge` fills it.

    Parameters
    ----------
    role
        ``input``: the frame is in the master; ``held_out``: it is of the same observing day, and not in it;
        ``other_day``; ``first``: first exposure of its set. ``mean`` and ``product`` are of no single frame.
    counts
        Whether the row takes part in the verdict.
    applicable
        False where the measurement has no meaning here; ``note`` says why.
    value, uncertainty, unit
        The measurement. For the structure tests ``value`` is the amplitude and ``uncertainty`` its
        one-sided error, while the test is made on ``square`` and ``square_uncertainty``.
    n_frames
        1, or the number of frames of a mean.
    read_noise
        Of the frame, in the unit of its pixels (for flats too).
    electrons_per_unit
        1 where pixels are in electrons, else the gain.
    overscan
        Whether the frame's level was taken from its own overscan.
    reference
        outliers: the expected count; noise of flats: the signal (electrons, times the share of the
        photon noise) by which an unknown a00 may lower it; structure: the degrees of freedom of the
        variance of the means; structure_peak: the number of blocks.
    limit, limit_low
        The value may lie between the two; ``limit_low`` is NaN where ``sided`` is ``upper``, and not minus
        the other where it is ``range``.
    margin
        Distance to the nearer limit in units of the uncertainty; negative beyond it.
    """

    kind: str
    test: str
    scope: Scope
    exposure: int
    detector: int
    amplifier: str
    physical_filter: str
    mjd: float
    role: Role
    counts: bool

    applicable: bool
    value: float
    uncertainty: float
    unit: str
    n_pixels: int
    n_frames: int = 1

    read_noise: float = math.nan
    electrons_per_unit: float = 1.0
    overscan: bool = True
    reference: float = math.nan
    square: float = math.nan
    square_uncertainty: float = math.nan

    limit: float = math.nan
    limit_low: float = math.nan
    sided: str = ""
    margin: float = math.nan
    z_star: float = math.nan
    p_value: float = math.nan
    outcome: Outcome = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FrameIdentity:
    """What the rows of one frame and detector have in common; as in `Row`."""

    kind: str
    exposure: int
    detector: int
    physical_filter: str
    mjd: float
    role: Role

    def row(self, amplifier: str, measurement: Measurement, subject: Subject | None = None) -> Row:
        """The row of a measurement of an amplifier, or of the whole detector (``amplifier`` empty)."""
        read_noise = subject.residual.read_noise.value if subject else math.nan
        return Row(
            kind=self.kind,
            test=measurement.test,
            scope="amplifier" if amplifier else "detector",
            exposure=self.exposure,
            detector=self.detector,
            amplifier=amplifier,
            physical_filter=self.physical_filter,
            mjd=self.mjd,
            role=self.role,
            counts=self.role != "first",
            applicable=measurement.applicable,
            value=measurement.value,
            uncertainty=measurement.uncertainty,
            unit=measurement.unit,
            n_pixels=measurement.n_pixels,
            read_noise=read_noise,
            electrons_per_unit=subject.references.electrons_per_unit if subject else 1.0,
            overscan=subject is None or subject.residual.overscan is not None,
            reference=measurement.reference,
            square=measurement.square,
            square_uncertainty=measurement.square_uncertainty,
            note=measurement.note,
        )

    def problem(self, text: str) -> Row:
        """The row that stands for a frame which could not be measured at all."""
        return Row(
            kind=self.kind,
            test=UNREADABLE,
            scope="detector",
            exposure=self.exposure,
            detector=self.detector,
            amplifier="",
            physical_filter=self.physical_filter,
            mjd=self.mjd,
            role=self.role,
            counts=self.role != "first",
            applicable=False,
            value=math.nan,
            uncertainty=math.nan,
            unit="",
            n_pixels=0,
            note=text,
        )


SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("test", pa.string()),
        ("scope", pa.string()),
        ("exposure", pa.int64()),
        ("detector", pa.int32()),
        ("amplifier", pa.string()),
        ("physical_filter", pa.string()),
        ("mjd", pa.float64()),
        ("role", pa.string()),
        ("counts", pa.bool_()),
        ("applicable", pa.bool_()),
        ("value", pa.float64()),
        ("uncertainty", pa.float64()),
        ("unit", pa.string()),
        ("n_pixels", pa.int64()),
        ("n_frames", pa.int32()),
        ("read_noise", pa.float64()),
        ("electrons_per_unit", pa.float64()),
        ("overscan", pa.bool_()),
        ("reference", pa.float64()),
        ("square", pa.float64()),
        ("square_uncertainty", pa.float64()),
        ("limit", pa.float64()),
        ("limit_low", pa.float64()),
        ("sided", pa.string()),
        ("margin", pa.float64()),
        ("z_star", pa.float64()),
        ("p_value", pa.float64()),
        ("outcome", pa.string()),
        ("note", pa.string()),
    ]
)


def rows_to_arrow(rows: Iterable[Row]) -> pa.Table:
    """The table of rows; an empty one has the columns too."""
    names = [field.name for field in fields(Row)]
    listed = list(rows)
    columns = {name: [getattr(row, name) for row in listed] for name in names}
    return pa.table(columns, schema=SCHEMA)


def rows_from_arrow(table: pa.Table) -> list[Row]:
    """The rows of a table; columns that are not ours (an index, say) are passed over."""
    names = [field.name for field in fields(Row) if field.name in table.column_names]
    columns: Sequence[list[Any]] = [table.column(name).to_pylist() for name in names]
    rows = []
    for values in zip(*columns, strict=True):
        known: dict[str, Any] = {
            name: math.nan if value is None else value for name, value in zip(names, values, strict=True)
        }
        rows.append(Row(**known))
    return rows
