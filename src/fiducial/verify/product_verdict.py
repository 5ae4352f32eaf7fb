"""The verdict on a product that is no image: its numbers are judged by the same rule as those of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fiducial.verify.checks.undetermined import STILL, UNDETERMINED
from fiducial.verify.columns import Columns
from fiducial.verify.criteria import Criteria
from fiducial.verify.engine import Judgement
from fiducial.verify.reasons import MOST_REASONS, in_words
from fiducial.verify.rows import Row
from fiducial.verify.rule import UNDECIDED, count_tests, judge_rows, set_limits, warn_by_discovery, z_star

_WORST_FIRST = ("fail", "warn", "pass")


def judge_product(rows: pa.Table | Sequence[Row], criteria: Criteria, kind: str) -> Judgement:
    """Judge what the checks measured on all amplifiers of all detectors.

    An amplifier fails if any of its tests fails; a product fails if any amplifier does. A test that does
    not count (criteria) warns instead.

    Parameters
    ----------
    rows
        In any order: a table, or rows.
    criteria
        The limits.
    kind
        Of the product.

    Returns
    -------
    Judgement
        ``verdict`` has the form of `fiducial.verify.verdict.verdict_of`, without frames.
    """
    columns = Columns.of(rows).sorted()
    tests = count_tests(columns, criteria)
    limit = z_star(criteria.false_alarm, tests)
    set_limits(columns, criteria, tests)
    judge_rows(columns, limit, criteria)
    for family in (columns["counts"], ~columns["counts"]):  # what is only said makes no warning more likely
        _warn(columns, family, criteria)
    products = [_product(columns, detector) for detector in sorted(set(columns["detector"].tolist()))]
    word = min((str(one["verdict"]) for one in products), key=_WORST_FIRST.index, default="fail")
    verdict: dict[str, Any] = {
        "kind": kind,
        "physical_filter": "",
        "verdict": word,
        "tests": tests,
        "z_star": limit,
        "false_alarm": criteria.false_alarm,
        "products": products,
        "frames": [],
        "reasons": _reasons(columns) if products else [f"there is no {kind} to judge"],
        "undecided": int(sum(UNDECIDED in str(note) for note in columns["note"])),
    }
    return Judgement(columns.table(), verdict)


def _warn(columns: Columns, family: NDArray[np.bool_], criteria: Criteria) -> None:
    part = columns.take(family)
    warn_by_discovery(part, criteria.false_discovery)
    for name in ("outcome", "note"):
        columns[name][family] = part[name]


def _product(columns: Columns, detector: int) -> dict[str, Any]:
    here = columns["detector"] == detector
    failing = sorted(set(columns["amplifier"][here & _failures(columns)].tolist()))
    without = columns["test"] == STILL
    warned = bool(np.any(here & (_said(columns) | _near(columns))))
    return {
        "detector": detector,
        "verdict": "fail" if failing else "warn" if warned else "pass",
        "amplifiers_failed": failing,
        "amplifiers_masked": sorted(set(columns["amplifier"][here & without].tolist())),
        "frames_counted": 0,
        "frames_set_aside": [],
    }


def _failures(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray((columns["outcome"] == "fail") & columns["counts"])


def _said(columns: Columns) -> NDArray[np.bool_]:
    """Beyond a limit that does not count."""
    return np.asarray((columns["outcome"] == "fail") & ~columns["counts"])


def _near(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray((columns["outcome"] == "warn") & columns["counts"])


def _reasons(columns: Columns) -> list[str]:
    """Failures, then what warns: a sentence for each amplifier that names its tests, the worst first."""
    out = _by_amplifier(columns, _failures(columns), "")
    out += _by_amplifier(columns, _said(columns), " (a warning only)")
    out += _by_amplifier(columns, _near(columns), " (within its error of the limit)")
    if len(out) > MOST_REASONS:
        out = [*out[:MOST_REASONS], f"and {len(out) - MOST_REASONS} more: see products and results"]
    return out


def _by_amplifier(columns: Columns, rows: NDArray[np.bool_], ending: str) -> list[str]:
    chosen: dict[tuple[int, str], list[int]] = {}
    for row in np.flatnonzero(rows).tolist():
        chosen.setdefault((int(columns["detector"][row]), str(columns["amplifier"][row])), []).append(row)
    out = []
    for (detector, name), own in sorted(chosen.items()):
        own.sort(key=lambda row: float(np.nan_to_num(columns["margin"][row], nan=-np.inf)))
        out.append(
            f"detector {detector} amplifier {name}: " + "; ".join(_text(columns, row) for row in own) + ending
        )
    return out


def _text(columns: Columns, row: int) -> str:
    note = str(columns["note"][row])
    if columns["test"][row] in (UNDETERMINED, STILL):
        return ("still undetermined: " if columns["test"][row] == STILL else "undetermined: ") + note
    return in_words(columns, row) + (f" ({note})" if note else "")
