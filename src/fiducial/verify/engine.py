"""Judging: rows and criteria to judged rows and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from fiducial.verify.columns import Columns
from fiducial.verify.criteria import Criteria
from fiducial.verify.ratios import add_detector_ratios, widen_ratios
from fiducial.verify.rows import Row
from fiducial.verify.rule import count_tests, judge_rows, set_limits, warn_by_discovery, z_star
from fiducial.verify.standing import Standing, mean_rows, standing_of
from fiducial.verify.verdict import verdict_of


@dataclass(frozen=True)
class Judgement:
    """What judging gives.

    Parameters
    ----------
    rows
        Table of `fiducial.verify.rows.SCHEMA`: all that came in, with limits, margins and outcomes, and
        rows of scope ``amplifier_mean`` for the means over frames.
    verdict
        As it goes into the repository (JSON): see `fiducial.verify.verdict.verdict_of`.
    """

    rows: pa.Table
    verdict: dict[str, Any]


def judge(rows: pa.Table | Sequence[Row], criteria: Criteria) -> Judgement:
    """Judge the measurements of one production of one kind (and filter).

    A row fails if abs(value) > L + z* u, passes if abs(value) + z* u <= L, and warns otherwise, if the
    value differs from zero at the false-discovery rate. z* = Phi^-1(1 - alpha / 2M) for the M tests run.

    Parameters
    ----------
    rows
        Measurements of all frames, detectors and amplifiers, in any order: a table, or rows.
    criteria
        The limits.

    Returns
    -------
    Judgement
        Never an error for a product that fails: its verdict says so.

    References
    ----------
    Benjamini & Yekutieli 2001 (Ann. Statist. 29, 1165), theorem 1.3; Bonferroni for z*.
    """
    columns = add_detector_ratios(Columns.of(rows)).sorted()
    widen_ratios(columns)
    tests = count_tests(columns, criteria)
    limit = z_star(criteria.false_alarm, tests)
    set_limits(columns, criteria, tests)
    judge_rows(columns, limit, criteria)
    standing: Standing = standing_of(columns)
    means = mean_rows(columns, standing)
    set_limits(means, criteria, tests)
    judge_rows(means, limit, criteria)
    columns = columns.joined(means)
    warn_by_discovery(columns, criteria.false_discovery)
    return Judgement(columns.table(), verdict_of(columns, standing, tests, limit, criteria))
