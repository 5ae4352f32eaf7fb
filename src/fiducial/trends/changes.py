"""What of a night is what was certified, what has changed, and what cannot be said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from fiducial.trends.criteria import TrendCriteria
from fiducial.trends.dates import meets
from fiducial.trends.readings import METHODS, RELATIVE, Key, Reading
from fiducial.trends.scatter import Series, night_scatter
from fiducial.verify.columns import Columns
from fiducial.verify.criteria import Criteria, load_criteria
from fiducial.verify.rows import Row
from fiducial.verify.rule import judge_rows, warn_by_discovery, z_star

type Word = Literal["same", "changed", "unknown"]

_WORDS: dict[str, Word] = {"pass": "same", "fail": "changed", "warn": "unknown"}


@dataclass(frozen=True)
class Change:
    """One quantity of one amplifier against what was certified.

    Parameters
    ----------
    now, reference
        The readings that were compared; None where there is none.
    change, error
        Their difference and its error, the scatter in time included.
    scatter
        Of one night, beyond the errors.
    significance
        Change over error.
    limit
        What matters; NaN where the quantity has no limit.
    word, reason
        Same, changed, or unknown; and why, where it is not plain.
    """

    quantity: str
    detector: int
    amplifier: str
    state: str
    now: Reading | None
    reference: Reading | None
    change: float = math.nan
    error: float = math.nan
    scatter: float = math.nan
    significance: float = math.nan
    limit: float = math.nan
    word: Word = "unknown"
    reason: str = ""


def changes_of(readings: Sequence[Reading], night: int, criteria: TrendCriteria) -> list[Change]:
    """Hold a night against what was certified before it.

    Something has changed if abs(change) > L + z* u, as in the verification of frames; u^2 holds the errors of
    both readings and the scatter in time of both nights; z* = Phi^-1(1 - alpha / 2M) for the M comparisons.
    What is neither surely within its limit nor surely beyond it is unknown if it differs from zero at the
    false-discovery rate, and the same otherwise.

    Parameters
    ----------
    readings
        Of all nights, as `fiducial.trends.readings.best_of_night` gives them.
    night
        YYYYMMDD.
    criteria
        The limits.

    Returns
    -------
    One entry for each amplifier of each quantity that was measured on any amplifier in the night, in the
    same state of the camera; by quantity, detector and amplifier.
    """
    by_key: dict[Key, list[Reading]] = {}
    for one in readings:
        by_key.setdefault(one.key, []).append(one)
    measured = {(one.quantity, one.state) for one in readings if one.night == night}
    pairs = [
        _compared(key, own, night)
        for key, own in sorted(by_key.items())
        if (key[0], key[3]) in measured and any(one.night <= night for one in own)
    ]
    return _judged(_with_errors(pairs, by_key, night, criteria), criteria)


def reference_of(readings: Iterable[Reading], night: int, method: str = "") -> Reading | None:
    """The certified reading from before a night that a look-up would find for it.

    Of those that are valid in it the first in the order of search; where none is, the newest one.

    Parameters
    ----------
    readings
        Of one quantity and amplifier.
    night
        YYYYMMDD; what was certified for the night itself from its own frames is no reference.
    method
        Only readings of this method; empty: of any.
    """
    certified = [
        one for one in readings if one.certified and one.night < night and method in ("", one.method)
    ]
    valid = [one for one in certified if _is_valid(one, night)]
    if valid:
        return min(valid, key=lambda one: (one.rank, -one.night, METHODS.index(one.method)))
    return max(certified, key=lambda one: (one.night, -METHODS.index(one.method)), default=None)


def _is_valid(reading: Reading, night: int) -> bool:
    return meets(reading.begin, reading.end, night)


def _compared(key: Key, own: Sequence[Reading], night: int) -> Change:
    """Choose what is compared: by the best method that both have, or else by the best of each."""
    now = sorted((one for one in own if one.night == night), key=lambda one: METHODS.index(one.method))
    for one in now:
        like = [other for other in own if other.compares_with(one)]
        if (reference := reference_of(like, night, one.method)) is not None:
            note = "" if _is_valid(reference, night) else "what was certified is no longer valid"
            return Change(*key, one, reference.with_gain_of(one), reason=note)
    other = reference_of(own, night)
    if not now:
        return Change(*key, None, other, reason="not measured in this night")
    if other is None:
        return Change(*key, now[0], None, reason="nothing was certified before")
    if not other.compares_with(now[0]):
        return Change(*key, now[0], None, reason="held against another master than the certified one")
    note = f"by {now[0].method}, certified by {other.method}"
    return Change(*key, now[0], other.with_gain_of(now[0]), reason=note)


def _with_errors(
    found: Sequence[Change],
    by_key: dict[Key, list[Reading]],
    night: int,
    criteria: TrendCriteria,
) -> list[Change]:
    """Fill change, error and limit; amplifiers of a detector tell together how much they wander."""
    histories: dict[tuple[str, int, str], list[Series]] = {}
    own: dict[Key, Series] = {}
    limits: dict[Key, float] = {}
    for one in found:
        if one.now is None or one.reference is None:
            continue
        key = one.now.key
        limit = criteria.limit(one.quantity)
        limits[key] = math.nan if limit is None else limit.amount(one.reference)
        own[key] = _series(by_key[key], night, one.now)
        if limits[key] > 0:
            values, errors = own[key]
            histories.setdefault(_group(key), []).append((values / limits[key], errors / limits[key]))
    pooled = {group: night_scatter(series) for group, series in histories.items()}
    return [_with_error(one, own, limits, pooled) for one in found]


def _with_error(
    one: Change,
    own: dict[Key, Series],
    limits: dict[Key, float],
    pooled: dict[tuple[str, int, str], float],
) -> Change:
    if one.now is None or one.reference is None:
        return one
    limit = limits[one.now.key]
    common = pooled.get(_group(one.now.key), 0.0) * limit if limit > 0 else 0.0
    scatter = max(night_scatter([own[one.now.key]]), common)
    change = one.now.value - one.reference.value
    # A value that holds the certified master's has the master's error too; the difference has not.
    shared = one.reference.error**2 if one.now.base and one.now.base == one.reference.base else 0.0
    both = one.now.error**2 + one.reference.error**2
    if one.quantity not in RELATIVE:
        both = max(both - 2.0 * shared, 0.0)
    error = math.sqrt(both + 2.0 * scatter**2)
    significance = change / error if error > 0 else math.nan
    return replace(one, change=change, error=error, scatter=scatter, significance=significance, limit=limit)


def _group(key: Key) -> tuple[str, int, str]:
    """Amplifiers of one detector and state."""
    return key[0], key[1], key[3]


def _series(readings: Sequence[Reading], night: int, now: Reading) -> Series:
    """The nights before, by the method of this one, in its gain."""
    before = [
        one.with_gain_of(now)
        for one in readings
        if one.night < night and one.method == now.method and one.compares_with(now)
    ]
    before.sort(key=lambda one: one.night)
    return np.array([one.value for one in before]), np.array([one.error for one in before])


def _judged(found: Sequence[Change], criteria: TrendCriteria) -> list[Change]:
    """Apply the rule of verification to the changes that have a limit."""
    tested = [number for number, one in enumerate(found) if math.isfinite(one.limit)]
    columns = Columns.of([_row(found[number]) for number in tested])
    judge_rows(columns, z_star(criteria.false_alarm, len(tested)), _rule())
    warn_by_discovery(columns, criteria.false_discovery)
    out = list(found)
    for row, number in enumerate(tested):
        notes = [found[number].reason, str(columns["note"][row])]
        word = _WORDS[str(columns["outcome"][row])]
        if word == "unknown":
            notes.append("differs, and may be beyond the limit")
        out[number] = replace(found[number], word=word, reason="; ".join(filter(None, notes)))
    return [
        replace(one, reason=one.reason or "has no limit")
        if one.reference and one.now and math.isnan(one.limit)
        else one
        for one in out
    ]


@cache
def _rule() -> Criteria:
    """What judging asks beside limits: it concerns counts of cosmic rays only."""
    return load_criteria()


def _row(one: Change) -> Row:
    """The change as verification judges it."""
    return Row(
        kind="status",
        test=one.quantity,
        scope="amplifier",
        exposure=0,
        detector=one.detector,
        amplifier=one.amplifier,
        physical_filter="",
        mjd=math.nan,
        role="held_out",
        counts=True,
        applicable=True,
        value=one.change,
        uncertainty=one.error,
        unit="",
        n_pixels=0,
        limit=one.limit,
        limit_low=-one.limit,
        sided="two",
    )
