"""The rule: limits, z*, outcomes, and warnings at a false-discovery rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from fiducial.verify.columns import Columns
from fiducial.verify.counts import chance_of_more, upper_limit
from fiducial.verify.criteria import Criteria, Limit

LIMITED = "limited"

UNDECIDED = "too imprecise to exclude the limit"
"""What the notes of such rows end with."""

RATIO_TESTS = ("amplifier_ratio", "detector_ratio")


def z_star(false_alarm: float, tests: int) -> float:
    """Phi^-1(1 - alpha / 2M): without a fault, any of M tests fails with chance alpha at most."""
    return float(norm.isf(false_alarm / (2.0 * max(1, tests))))


def limited(columns: Columns, criteria: Criteria) -> NDArray[np.bool_]:
    """Rows that are applicable and whose test has a limit."""
    out = np.zeros(len(columns), dtype=bool)
    for kind, test in _tests(columns):
        if criteria.limit(kind, test) is not None:
            out |= _where(columns, kind, test)
    return np.asarray(out & columns["applicable"])


def count_tests(columns: Columns, criteria: Criteria) -> int:
    """M: tests on single frames, and one on the mean of each amplifier and test with two frames or more."""
    single = limited(columns, criteria)
    counted = columns.take(single & columns["counts"] & (columns["test"] != "structure_peak"))
    means = 0
    if len(counted):
        _, sizes = np.unique(counted.group("test", "detector", "amplifier"), return_counts=True)
        means = int(np.count_nonzero(sizes >= 2))
    return int(np.count_nonzero(single)) + means


def set_limits(columns: Columns, criteria: Criteria, tests: int) -> None:
    """Fill ``limit``, ``limit_low``, ``sided``, and take from ``counts`` what the criteria do not count."""
    for kind, test in _tests(columns):
        limit = criteria.limit(kind, test)
        rows = _where(columns, kind, test)
        if limit is None:
            columns["counts"][rows] = False
            continue
        columns["sided"][rows] = limit.sided if limit.low is None else "range"
        columns["limit"][rows] = _limits(columns, rows, limit, criteria, tests)
        columns["limit_low"][rows] = np.nan
        if limit.sided == "two":
            low = -columns["limit"][rows] if limit.low is None else limit.low
            columns["limit_low"][rows] = low - _widening(columns, rows, test, criteria)
        if not limit.counts:
            columns["counts"][rows] &= np.logical_not(_has_other_reference(columns, rows, kind, test))


def _limits(
    columns: Columns, rows: NDArray[np.bool_], limit: Limit, criteria: Criteria, tests: int
) -> NDArray[np.float64]:
    if limit.poisson:
        return _count_limits(columns, rows, criteria, criteria.false_alarm / (2.0 * max(1, tests)))
    if limit.significance:
        blocks = np.maximum(np.nan_to_num(columns["reference"][rows], nan=1.0), 1.0)
        return np.asarray(norm.isf(criteria.false_alarm / (2.0 * max(1, tests) * blocks)))
    amounts = _amounts(columns, rows, limit)
    if limit.without_overscan is not None:
        without = _amounts(columns, rows, limit.without_overscan)
        amounts = np.where(columns["overscan"][rows], amounts, without)
    return amounts


def _count_limits(
    columns: Columns, rows: NDArray[np.bool_], criteria: Criteria, chance: float
) -> NDArray[np.float64]:
    """Upper limits of counts; the mean of K frames is held to a K-th of the limit of their sum."""
    per_hit = criteria.expected_outliers.pixels_per_cosmic_ray
    frames = np.maximum(columns["n_frames"][rows], 1).tolist()
    expected = np.nan_to_num(columns["reference"][rows]).tolist()
    limits = [upper_limit(chance, k * one, per_hit) / k for k, one in zip(frames, expected, strict=True)]
    return np.array(limits, dtype=np.float64)


def _amounts(columns: Columns, rows: NDArray[np.bool_], limit: Limit) -> NDArray[np.float64]:
    out = np.full(int(np.count_nonzero(rows)), limit.absolute or 0.0)
    if limit.read_noise is not None:
        out = np.maximum(out, limit.read_noise * columns["read_noise"][rows])
    if limit.electrons is not None:
        out = np.maximum(out, limit.electrons / columns["electrons_per_unit"][rows])
    return out


def _widening(
    columns: Columns, rows: NDArray[np.bool_], test: str, criteria: Criteria
) -> NDArray[np.float64] | float:
    """How far an unknown a00 may lower the noise: 1 - sqrt(1 - |a00| S), S weighted by the photons' share."""
    if test not in ("noise", "noise_certified"):
        return 0.0
    signal = np.nan_to_num(columns["reference"][rows])
    return np.asarray(1.0 - np.sqrt(np.maximum(1.0 - criteria.largest_a00 * signal, 0.0)))


def _has_other_reference(
    columns: Columns, rows: NDArray[np.bool_], kind: str, test: str
) -> NDArray[np.bool_] | bool:
    """For ``noise_certified``: whether the same frame's noise could be held against something better."""
    if test != "noise_certified":
        return True
    noise = _where(columns, kind, "noise") & columns["applicable"]
    key = columns.group("exposure", "detector", "amplifier")
    return np.asarray(np.isin(key[rows], key[noise]))


def judge_rows(columns: Columns, z: float, criteria: Criteria) -> None:
    """Fill ``margin``, ``z_star``, ``p_value`` and ``outcome``; a row without a limit is shown."""
    outcome = columns["outcome"]
    clump = criteria.expected_outliers.pixels_per_cosmic_ray
    value, error = columns["value"], columns["uncertainty"]
    high, low = columns["limit"], columns["limit_low"]
    has_limit = np.isfinite(high) & columns["applicable"]
    outcome[:] = np.where(columns["applicable"], "shown", "not_applicable")
    columns["z_star"][:] = np.where(has_limit, z, np.nan)
    squared = has_limit & np.isfinite(columns["square"])
    peak = has_limit & (columns["test"] == "structure_peak")
    count = has_limit & (columns["test"] == "outliers")
    x = np.where(squared, columns["square"], value)
    u = np.where(squared, columns["square_uncertainty"], error)
    top = np.where(squared, np.square(high), high)
    above = _distance(top - x, u)
    two = has_limit & np.isin(columns["sided"], ("two", "range"))
    below = np.where(two, _distance(x - low, u), np.inf)
    margin = np.minimum(above, below)
    columns["margin"][has_limit] = margin[has_limit]
    columns["p_value"][has_limit] = _p_values(columns, x, u, two)[has_limit]
    inside = has_limit & (columns["sided"] == "range") & (u > 0)
    columns["p_value"][inside] = norm.sf(
        -margin[inside]
    )  # 0 is nothing special there: of an end of the range
    _p_values_of_counts(columns, count, clump)
    fails = has_limit & ~(margin >= -z)  # not a number fails too
    passes = has_limit & (margin >= z)
    outcome[has_limit] = "warn"
    outcome[passes] = "pass"
    outcome[fails] = "fail"
    outcome[peak] = np.where(value[peak] > high[peak], "warn", "pass")
    lost = has_limit & ~(np.isfinite(x) & np.isfinite(u))
    outcome[lost] = "fail"
    _note(columns, lost, "the measurement is not a number")


def _distance(difference: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = difference / error
    exact = np.where(difference >= 0, np.inf, -np.inf)  # a value of no error is within or beyond
    exact = np.where((error == 0) & np.isfinite(difference), exact, np.nan)
    return np.where(error > 0, quotient, exact)


def _p_values(
    columns: Columns, x: NDArray[np.float64], u: NDArray[np.float64], two: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Chance of so large a value without any effect at all; NaN of a value without error, which has none."""
    significance = _distance(x, u)
    p = np.where(two, 2.0 * norm.sf(np.abs(significance)), norm.sf(significance))
    p = np.where(u == 0, np.nan, p)
    reference = columns["reference"]
    peak = columns["test"] == "structure_peak"
    p = np.where(peak, np.minimum(1.0, 2.0 * np.nan_to_num(reference, nan=1.0) * norm.sf(x)), p)
    # Few blocks: their variance is a chi-square of as many degrees of freedom as the measurement says.
    freedom = np.where(np.isfinite(columns["square"]), reference, np.nan)
    with np.errstate(invalid="ignore"):
        blocks = chi2.sf(freedom + significance * np.sqrt(2.0 * freedom), freedom)
    return np.asarray(np.where(np.isfinite(blocks), blocks, p))


def _p_values_of_counts(columns: Columns, rows: NDArray[np.bool_], per_hit: float) -> None:
    for row in np.flatnonzero(rows):
        frames = max(1, int(columns["n_frames"][row]))
        count, expected = float(columns["value"][row]), float(columns["reference"][row])
        columns["p_value"][row] = chance_of_more(frames * count, frames * expected, per_hit)


def warn_by_discovery(columns: Columns, rate: float) -> None:
    """Keep the warnings that a Benjamini-Yekutieli procedure at this rate finds; the others pass.

    A warning says that something is there that may exceed its limit. A row that is merely too
    imprecise to show that it is within its limit passes, with a note.

    References
    ----------
    Benjamini & Yekutieli 2001 (Ann. Statist. 29, 1165), theorem 1.3.
    """
    tested = np.flatnonzero(np.isfinite(columns["p_value"]))
    if tested.size == 0:
        return
    p = columns["p_value"][tested]
    m = tested.size
    harmonic = float(np.sum(1.0 / np.arange(1, m + 1)))
    ordered = np.sort(p)
    below = np.flatnonzero(ordered <= rate * np.arange(1, m + 1) / (m * harmonic))
    threshold = float(ordered[below[-1]]) if below.size else -math.inf
    undecided = np.zeros(len(columns), dtype=bool)
    undecided[tested[p > threshold]] = True
    undecided &= columns["outcome"] == "warn"
    columns["outcome"][undecided] = "pass"
    ranges = columns["sided"] == "range"
    _note(columns, undecided & ~ranges, f"compatible with zero, {UNDECIDED}")
    _note(columns, undecided & ranges, f"compatible with its range, {UNDECIDED}")


def _note(columns: Columns, rows: NDArray[np.bool_], text: str) -> None:
    notes = columns["note"]
    for index in np.flatnonzero(rows):
        notes[index] = f"{notes[index]}; {text}" if notes[index] else text


def _tests(columns: Columns) -> list[tuple[str, str]]:
    pairs = {(str(kind), str(test)) for kind, test in zip(columns["kind"], columns["test"], strict=True)}
    return sorted(pairs)


def _where(columns: Columns, kind: str, test: str) -> NDArray[np.bool_]:
    return np.asarray((columns["kind"] == kind) & (columns["test"] == test))
