"""A new set of defects held against the one before it, and against sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite, sqrt
from typing import Any

from fiducial.cameras.model import Camera
from fiducial.products.defects import DefectSet
from fiducial.products.defects_comparison import compare_defects
from fiducial.verify.criteria import Criteria

DEAD = "dead_amplifier"


@dataclass(frozen=True, slots=True)
class DefectLimits:
    """What is sensible.

    Attributes
    ----------
    most : float
        Share of a detector's pixels that may be masked, amplifiers that are named dead aside. Above it
        the product fails: more likely a master is off than so much of a detector.
    change : float
        Share of its pixels that may have appeared and gone since the previous set without a warning;
        never less than five times the root of the number of those masked before.
    """

    most: float = inf
    change: float = inf

    @classmethod
    def of(cls, criteria: Criteria) -> DefectLimits:
        """The limits that criteria have; what they do not limit is not judged."""
        masked, changed = criteria.limit("defects", "masked"), criteria.limit("defects", "changed")
        return cls(
            *(inf if one is None or one.absolute is None else one.absolute for one in (masked, changed))
        )


@dataclass(frozen=True, slots=True)
class DefectRow:
    """The defects of one reason on one amplifier; ``any`` is what is masked, whatever the reason.

    Without a previous set ``before``, ``appeared`` and ``went`` are -1.
    """

    detector: int
    amplifier: str
    reason: str
    pixels: int  # of the amplifier
    now: int
    before: int
    appeared: int
    went: int


@dataclass(frozen=True, slots=True)
class DefectTotals:
    """The rows of one detector together, amplifiers that are dead aside.

    Without a previous set ``before``, ``appeared`` and ``went`` are -1. ``newly_dead`` are the amplifiers
    that are dead and were not before, as far as that is known.
    """

    pixels: int
    now: int
    before: int
    appeared: int
    went: int
    dead: tuple[str, ...]
    newly_dead: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[DefectRow]) -> DefectTotals:
        """Add up the rows of one detector."""
        dead = {row.amplifier: row for row in rows if row.reason == DEAD and row.now > 0}
        alive = [row for row in rows if row.reason == "any" and row.amplifier not in dead]
        known = [row for row in alive if row.before >= 0]
        changes = (-1, -1, -1)
        if known:
            changes = (
                sum(row.before for row in known),
                sum(row.appeared for row in known),
                sum(row.went for row in known),
            )
        return cls(
            sum(row.pixels for row in alive),
            sum(row.now for row in alive),
            *changes,
            tuple(sorted(dead)),
            tuple(sorted(name for name, row in dead.items() if row.before <= 0)),
        )

    def allowed_change(self, share: float) -> float:
        """How many pixels may have appeared and gone without a warning."""
        return max(share * self.pixels, 5 * sqrt(max(self.before, 0)))


def measure_defects(now: DefectSet, before: DefectSet | None, camera: Camera) -> list[DefectRow]:
    """Count the defects of each amplifier by reason, and what changed.

    Raises
    ------
    ValueError
        The previous set is of another detector or shape.
    """
    comparison = None if before is None else compare_defects(now, before)
    names = now.names() if comparison is None else tuple(c.reason for c in comparison.changes[:-1])
    masks = {name: now.mask_of(name) for name in names} | {"any": now.mask()}
    if comparison is not None and before is not None:
        old = {name: before.mask_of(name) for name in names} | {"any": before.mask()}
    rows = []
    for amp in camera.amplifiers(now.detector):
        where = amp.detector.slices
        for name, mask in masks.items():
            own = mask[where]
            counts = (-1, -1, -1)
            if comparison is not None:
                was = old[name][where]
                counts = (int(was.sum()), int((own & ~was).sum()), int((was & ~own).sum()))
            rows.append(DefectRow(now.detector, amp.name, name, own.size, int(own.sum()), *counts))
    return rows


def judge_defects(rows: Sequence[DefectRow], limits: DefectLimits) -> dict[str, Any]:
    """The verdict on the defects of all detectors, in the form of the other kinds' verdicts.

    A detector fails if too much of it is masked, or if an amplifier is dead that was not dead before; it
    warns if much changed.
    """
    products, reasons, tests = [], [], 0
    for detector in sorted({row.detector for row in rows}):
        own = [row for row in rows if row.detector == detector]
        product, why, count = _judge_detector(detector, own, limits)
        products.append(product)
        reasons += why
        tests += count
    order = ("fail", "warn", "pass")
    word = min((str(product["verdict"]) for product in products), key=order.index, default="fail")
    return {
        "kind": "defects",
        "physical_filter": "",
        "verdict": word,
        "tests": tests,
        "z_star": 0.0,
        "false_alarm": 0.0,
        "products": products,
        "frames": [],
        "reasons": reasons if products else ["there are no defects to judge"],
        "undecided": 0,
        "limits": {name: value for name, value in asdict(limits).items() if isfinite(value)},
    }


def _judge_detector(
    detector: int, rows: Sequence[DefectRow], limits: DefectLimits
) -> tuple[dict[str, Any], list[str], int]:
    totals = DefectTotals.of(rows)
    masked = [row for row in rows if row.reason == "any"]
    was_dead = {row.amplifier: row.before for row in rows if row.reason == DEAD}
    reasons = [
        f"detector {detector} amplifier {name} is dead"
        + (", and was not before" if was_dead[name] == 0 else ", and there is no set before")
        for name in totals.newly_dead
    ]
    too_many = totals.pixels > 0 and totals.now > limits.most * totals.pixels
    if too_many:
        reasons.append(
            f"detector {detector}: {totals.now} pixels masked, {100 * totals.now / totals.pixels:.2f} %, "
            f"more than {100 * limits.most:g} %"
        )
    changed = _change_of(detector, totals, limits)
    newly = list(totals.newly_dead)
    failed = bool(newly) or too_many or not masked
    product = {
        "detector": detector,
        "verdict": "fail" if failed else "warn" if changed else "pass",
        "amplifiers_failed": newly or (["detector"] if too_many else []),
        "amplifiers_masked": list(totals.dead),
        "frames_counted": 0,
        "frames_set_aside": [],
    }
    return product, [*reasons, *changed], 2 + len(masked)


def _change_of(detector: int, totals: DefectTotals, limits: DefectLimits) -> list[str]:
    allowed = totals.allowed_change(limits.change)
    if totals.before < 0 or totals.appeared + totals.went <= allowed:
        return []
    return [
        f"detector {detector}: since the previous set {totals.appeared} pixels appeared and {totals.went} of "
        f"{totals.before} went, more than {allowed:.0f} together"
    ]
