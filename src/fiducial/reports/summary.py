"""The lines that stand for whole detectors, and the tests of products that are no images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.products.metadata import CHAIN
from fiducial.reports.headline import JudgedTest, judged_test
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import number
from fiducial.reports.rows import Measurements
from fiducial.reports.words import worst_of

_ORDER = ("fail", "warn", "pass", "shown")
_JUDGED = ("fail", "warn", "pass")


@dataclass(frozen=True)
class Summary:
    """A table: the detector stands first in each row."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tests_of(data: ReportData, detector: int, results: Measurements) -> tuple[JudgedTest, ...]:
    """All tests of a detector: those that fail first, then by their margin, last what does not apply."""
    return _in_words(data, results.where(results["test"] != "", detector=detector))


def judged_tests(data: ReportData, results: Measurements) -> tuple[JudgedTest, ...]:
    """The tests of all detectors that have a limit, in the same order."""
    return _in_words(data, results.where(np.isin(results["outcome"], _JUDGED)))


def outcomes_of(data: ReportData, detector: int, results: Measurements) -> dict[str, str]:
    """The worst outcome of each amplifier; empty where nothing was verified."""
    here = _warning_only(results.where(np.isin(results["outcome"], _JUDGED), detector=detector))
    if not len(here):
        return {}
    return {
        amplifier.name: worst_of(set(here.where(amplifier=amplifier.name)["outcome"].tolist()))
        for amplifier in data.camera.amplifiers(detector)
    }


def failed_of(outcomes: dict[str, str]) -> frozenset[str]:
    """The amplifiers that fail."""
    return frozenset(name for name, outcome in outcomes.items() if outcome == "fail")


def settings_of(metadata: Mapping[str, object], start: str) -> tuple[tuple[str, str], ...]:
    """How a product was made: the keys of its header that start so, and its chain of corrections."""
    own = [
        (key.removeprefix(start).lower(), number(v)) for key, v in metadata.items() if key.startswith(start)
    ]
    chain = metadata.get(CHAIN)
    return (*own, ("chain", str(chain))) if chain else tuple(own)


def _warning_only(rows: Measurements) -> Measurements:
    """What fails and does not count is a warning, as in the verdict."""
    only = (rows["outcome"] == "fail") & ~rows["counts"]
    return Measurements({**rows.columns, "outcome": np.where(only, "warn", rows["outcome"])})


def _in_words(data: ReportData, rows: Measurements) -> tuple[JudgedTest, ...]:
    """Failures, warnings, what passes, what passes and could only warn, the rest; each by its margin."""
    rows = _warning_only(rows)
    rank = np.array([_ORDER.index(o) if o in _ORDER else len(_ORDER) for o in rows["outcome"]], dtype=float)
    rank[(rows["outcome"] == "pass") & ~rows["counts"]] += 0.5
    margin = np.where(np.isfinite(rows["margin"]), rows["margin"], np.inf)
    return tuple(_test(row, data) for row in rows.take(np.lexsort((margin, rank))).rows())


def _test(row: Mapping[str, Any], data: ReportData) -> JudgedTest:
    only = "" if row["counts"] or row["outcome"] not in _JUDGED else "can only warn"
    return judged_test({**row, "note": "; ".join(filter(None, (row["note"], only)))}, "", data)
