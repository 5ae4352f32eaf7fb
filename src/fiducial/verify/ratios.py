"""Ratios over all detectors, and the scatter of every ratio in time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fiducial.verify.checks.ratio import FlatLevel, ratios
from fiducial.verify.columns import Columns
from fiducial.verify.rows import Row, rows_from_arrow
from fiducial.verify.rule import RATIO_TESTS

FEWEST_FRAMES = 3
"""With fewer frames an amplifier's scatter in time is not known, and counts as none."""


def add_detector_ratios(columns: Columns) -> Columns:
    """The rows with one more for each exposure and detector of flats: level / median level - 1.

    The levels are those of the ratio to the masters, which keep the detectors' relative response.
    """
    levels = columns.take((columns["test"] == "flat_level") & (columns["scope"] == "detector"))
    if len(levels) == 0:
        return columns
    rows = rows_from_arrow(levels.table())
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.exposure, row.physical_filter), []).append(row)
    made: list[Row] = []
    for members in groups.values():
        measured = ratios(
            [FlatLevel(row.value, row.uncertainty, row.n_pixels if row.applicable else 0) for row in members],
            "detector_ratio",
            weighted=True,
        )
        made.extend(
            replace(
                row,
                test=one.test,
                value=one.value,
                uncertainty=one.uncertainty,
                unit=one.unit,
                applicable=one.applicable,
                note=one.note,
                counts=row.role != "first",
            )
            for row, one in zip(members, measured, strict=True)
        )
    return columns.joined(Columns.of(made))


def widen_ratios(columns: Columns) -> None:
    """Add tau, each amplifier's own scatter in time, to the errors of its ratios (in place).

    tau^2 is what the scatter over the counted frames exceeds the mean error squared by; the scatter is the
    median absolute deviation, so that the one frame which is off does not hide itself.
    """
    for test in RATIO_TESTS:
        chosen = np.flatnonzero((columns["test"] == test) & columns["applicable"])
        if chosen.size == 0:
            continue
        part = columns.take(chosen)
        group = part.group("detector", "amplifier", "physical_filter")
        for number in range(int(group.max()) + 1):
            members = chosen[group == number]
            counted = members[columns["counts"][members]]
            tau = scatter_in_time(columns["value"][counted], columns["uncertainty"][counted])
            columns["uncertainty"][members] = np.hypot(columns["uncertainty"][members], tau)


def scatter_in_time(values: np.ndarray, errors: np.ndarray) -> float:
    """Scatter of the values beyond their errors; 0 for fewer than three."""
    if values.size < FEWEST_FRAMES:
        return 0.0
    deviation = np.abs(values - np.median(values))
    # Small samples: the deviation from their own median is low by about (n - 0.8) / n
    # (Croux & Rousseeuw 1992, COMPSTAT 1, 411).
    spread = 1.4826 * float(np.median(deviation)) * values.size / (values.size - 0.8)
    return math.sqrt(max(0.0, spread**2 - float(np.median(np.square(errors)))))
