"""The lines that stand for whole detectors, and the tests of one detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.reports.headline import JudgedTest, judged_test
from fiducial.reports.model import ReportData
from fiducial.reports.rows import Measurements
from fiducial.reports.words import worst_of

_ORDER = ("fail", "warn", "pass", "shown")


@dataclass(frozen=True)
class Summary:
    """A table: the detector stands first in each row."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tests_of(data: ReportData, detector: int, results: Measurements) -> tuple[JudgedTest, ...]:
    """All tests of a detector: those that fail first, then by their margin."""
    here = results.where(results["test"] != "", detector=detector)
    rank = np.array([_ORDER.index(o) if o in _ORDER else len(_ORDER) for o in here["outcome"]], dtype=int)
    margin = np.where(np.isfinite(here["margin"]), here["margin"], np.inf)
    return tuple(judged_test(row, "", data) for row in here.take(np.lexsort((margin, rank))).rows())


def outcomes_of(data: ReportData, detector: int, results: Measurements) -> dict[str, str]:
    """The worst outcome of each amplifier; empty where nothing was verified."""
    judged = results.where(detector=detector).judged()
    if not len(judged):
        return {}
    return {
        amplifier.name: worst_of(set(judged.where(amplifier=amplifier.name)["outcome"].tolist()))
        for amplifier in data.camera.amplifiers(detector)
    }


def failed_of(outcomes: dict[str, str]) -> frozenset[str]:
    """The amplifiers that fail."""
    return frozenset(name for name, outcome in outcomes.items() if outcome == "fail")
