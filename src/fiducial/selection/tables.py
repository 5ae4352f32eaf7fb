"""A plan as rows that can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from fiducial.frames.records import FrameRecord
from fiducial.selection.model import Choice, KindPlan, Use
from fiducial.selection.ranges import compress


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """One exposure offered: what it is, what it serves for, and why."""

    exposure: int
    begin: datetime | None
    exposure_time: float | None  # s
    filter: str
    signal: float | None  # adu above the overscan, median over the detectors' amplifiers
    use: Use
    detector: int | None
    reason: str
    value: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """The exposures of one use, and for those that do not serve, of one reason."""

    use: Use
    count: int
    exposures: str  # as ranges
    reason: str


@dataclass(frozen=True, slots=True)
class PlanTables:
    """A plan in few rows, and in a row for each exposure; both account for every exposure offered."""

    summary: tuple[SummaryRow, ...]
    exposures: tuple[ExposureRow, ...]


_ORDER: tuple[Use, ...] = ("generate", "first", "verify", "left_out", "set_aside")
_TOLD: dict[Use, str] = {
    "generate": "make the product",
    "first": "first exposures of their sets: verify, do not count",
}


def plan_tables(plan: KindPlan, records: Iterable[FrameRecord] = ()) -> PlanTables:
    """Put a plan into rows.

    Parameters
    ----------
    plan
        The plan.
    records
        For the times, filters and levels; of an exposure that is not among them these are None.
    """
    known: dict[int, list[FrameRecord]] = {}
    for record in records:
        known.setdefault(record.exposure, []).append(record)
    rows = tuple(_row(choice, known.get(choice.exposure, [])) for choice in plan.choices)
    summary = []
    told = sorted(plan.choices, key=lambda choice: (_ORDER.index(choice.use), _reason(choice)))
    for (use, reason), group in groupby(told, key=lambda choice: (choice.use, _reason(choice))):
        ids = [choice.exposure for choice in group]
        summary.append(SummaryRow(use, len(ids), compress(ids), reason))
    return PlanTables(tuple(summary), rows)


def _reason(choice: Choice) -> str:
    """Give the reason that a row of the summary is for; exposures that serve need none of their own."""
    return _TOLD.get(choice.use, choice.reason)


def _row(choice: Choice, records: list[FrameRecord]) -> ExposureRow:
    facts = records[0].facts if records else None
    signals = sorted(record.signal() for record in records if record.content)
    return ExposureRow(
        exposure=choice.exposure,
        begin=facts.begin if facts else None,
        exposure_time=facts.exposure_time if facts else None,
        filter=facts.filter if facts else "",
        signal=signals[len(signals) // 2] if signals else None,
        use=choice.use,
        detector=choice.detector,
        reason=choice.reason,
        value=choice.value,
        limit=choice.limit,
    )
