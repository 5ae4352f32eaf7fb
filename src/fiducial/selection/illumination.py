"""Flats that are unlike their set: no light, too much of it, another level, an amplifier on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fiducial.selection.content import Array, Content, Finding, nanmedian, robust_scatter
from fiducial.selection.limits import ContentLimits, Limit
from fiducial.selection.sets import FEWEST

type Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class FlatJudgement:
    """What is known of a set of flats.

    Attributes
    ----------
    aside
        What speaks against exposures, in order of weight.
    unlike
        Exposures of a set of several exposure times whose level is not that of the most: nothing is
        wrong with them.
    reference
        (n_unit,), signal of each amplifier in the frames that the others are compared with, adu; NaN if
        there are none.
    """

    aside: list[Finding] = field(default_factory=list)
    unlike: list[Finding] = field(default_factory=list)
    reference: Array = field(default_factory=lambda: np.full(0, np.nan))


def judge_flats(content: Content, first: Rows, limits: ContentLimits, *, one_time: bool) -> FlatJudgement:
    """Find what speaks against the flats of one set.

    They are compared with the level that most of them have within ``limits.illumination``; of two levels
    that equally many have, with the brighter one. Frames without light and saturated ones have no vote, nor
    have first exposures if there are three others.

    Parameters
    ----------
    content
        Of the set.
    first
        (n_exposure,), first exposures: only what cannot be a flat speaks against them.
    limits
        What is allowed.
    one_time
        Whether the set is of one exposure time; if not, another level is not a fault.
    """
    gross = [*_without_light(content, limits.light), *_saturated(content, limits.saturated)]
    fit = ~content.rows(finding.exposure for finding in gross)
    votes = fit & ~first if (fit & ~first).sum() >= FEWEST else fit
    result = FlatJudgement(gross, [], _reference(content, votes, limits.illumination))
    ratio = brightness(content, result.reference)
    if one_time:
        result.aside.extend(_dim(content, ratio, fit, limits.dim))
    result.aside.extend(_dead(content, votes, limits.dead))
    another = _off_level(content, ratio, fit & ~first, limits.illumination, one_time=one_time)
    (result.aside if one_time else result.unlike).extend(another)
    alike = fit & np.array([limits.illumination.broken(value) is None for value in ratio])
    result.aside.extend(_amplifiers(content, result.reference, ratio, alike & ~first, limits.amplifier_ratio))
    result.aside.extend(_noisy(content, ratio, votes & alike, alike & ~first, limits))
    return result


def judge_strays(
    content: Content, standing: Content, reference: Array, exposure_time: float, limits: ContentLimits
) -> Iterator[Finding]:
    """Find flats whose level does not fit their exposure time, by the set of another time taken with them.

    Parameters
    ----------
    content
        Of the few flats of other exposure times.
    standing, reference, exposure_time
        The set, its reference (`FlatJudgement`) and exposure time, s.
    limits
        For ``rate``.
    """
    known = dict(zip(standing.units, reference, strict=True))
    per_second = np.array([known.get(unit, np.nan) for unit in content.units]) / exposure_time
    rates = brightness(content, per_second)
    for exposure, rate in zip(content.exposures, rates, strict=True):
        time = exposure.facts.exposure_time
        if time <= 0:
            continue
        value = float(rate / time)
        if (limit := limits.rate.broken(value)) is not None:
            reason = (
                f"level per second is {value:.2f} of that of the {exposure_time:g} s flats taken with it: "
                f"the exposure time is not {time:g} s, or the lamp was not the same"
            )
            yield Finding(exposure.id, None, reason, value, limit)


def brightness(content: Content, reference: Array) -> Array:
    """Return (n_exposure,), the signal in units of a reference (n_unit,), median over the amplifiers.

    Amplifiers whose reference is not positive are passed over; NaN where none is left.
    """
    usable = np.where(reference > 0, reference, np.nan)
    return nanmedian(content.signal / usable, axis=1)


def densest(values: Array, limit: Limit) -> float:
    """Return the value that has most of the others within a ratio of it; of equals the largest.

    Parameters
    ----------
    values
        (n,), positive.
    limit
        Low and high side of the ratio of another value to it.
    """
    ordered = np.sort(values)
    low = np.searchsorted(ordered, ordered * (limit.low or 0.0), side="left")
    high = np.searchsorted(ordered, ordered * (limit.high or np.inf), side="right")
    count = high - low
    best = np.flatnonzero(count == count.max())
    # Of neighbours with the same others the middle one is the most typical.
    top = best[low[best] == low[best[-1]]]
    return float(ordered[top[top.size // 2]])


def _reference(content: Content, votes: Rows, limit: Limit) -> Array:
    """Return the median signal (n_unit,) of the frames of the level that most have."""
    missing = np.full(len(content.units), np.nan)
    if not votes.any():
        return missing
    signal = np.where(content.signal > 0, content.signal, np.nan)[votes]
    peak = np.where(np.isnan(signal), -np.inf, signal).max(axis=0)
    level = nanmedian(signal / np.where(peak > 0, peak, np.nan), axis=1)
    if not np.isfinite(level).any():
        return missing
    chosen = densest(level[np.isfinite(level)], limit)
    within = np.array([limit.broken(value / chosen) is None for value in level]) & np.isfinite(level)
    return nanmedian(content.signal[votes][within])


def _without_light(content: Content, limit: Limit) -> Iterator[Finding]:
    """Find frames without light, where the level without light is known."""
    noise = np.where(content.noise > 0, content.noise, np.nan)
    known = content.level - content.zero
    contrast = nanmedian(known / noise, axis=1)
    for exposure, value, adu in zip(content.exposures, contrast, nanmedian(known, axis=1), strict=True):
        if (broken := limit.broken(value)) is not None:
            reason = (
                f"no light: {adu:,.1f} adu above zero, {value:.1f} of one pixel's noise"
                " (a dark, or the lamp was off)"
            )
            yield Finding(exposure.id, None, reason, float(value), broken)


def _saturated(content: Content, limit: Limit) -> Iterator[Finding]:
    detectors = np.array([detector for detector, _ in content.units])
    for exposure, row in zip(content.exposures, np.nan_to_num(content.saturated), strict=True):
        worst = int(row.argmax()) if row.size else 0
        if row.size and (broken := limit.broken(float(row[worst]))) is not None:
            detector = content.units[worst][0]
            here = detectors == detector
            pixels = round(float((row * content.pixels)[here].sum()))
            reason = (
                f"saturated in {pixels:,} of {int(content.pixels[here].sum()):,} pixels of detector "
                f"{detector} ({row[worst]:.2%} of amplifier {content.units[worst][1]})"
            )
            yield Finding(exposure.id, detector, reason, float(row[worst]), broken)


def _dim(content: Content, ratio: Array, rows: Rows, limit: Limit) -> Iterator[Finding]:
    """Find frames that are so much fainter than their set that it is no matter of exposure."""
    signal = nanmedian(content.signal, axis=1)
    for row in np.flatnonzero(rows):
        if (broken := limit.broken(value := float(ratio[row]))) is not None:
            reason = f"level {signal[row]:,.1f} adu is {value:.3f} of the set's: a dark, or the lamp was off"
            yield Finding(content.exposures[row].id, None, reason, value, broken)


def _off_level(
    content: Content, ratio: Array, rows: Rows, limit: Limit, *, one_time: bool
) -> Iterator[Finding]:
    signal = nanmedian(content.signal, axis=1)
    for row in np.flatnonzero(rows):
        exposure = content.exposures[row]
        if (broken := limit.broken(value := float(ratio[row]))) is not None:
            at = f" at the same {exposure.facts.exposure_time:g} s" if one_time else ""
            reason = f"level {signal[row]:,.1f} adu is {value:.2f} of the set's{at}"
            yield Finding(exposure.id, None, reason, value, broken)


def _dead(content: Content, votes: Rows, limit: Limit) -> Iterator[Finding]:
    usual = nanmedian(content.noise[votes])
    for exposure, noise in zip(content.exposures, content.noise, strict=True):
        dead = np.flatnonzero(noise < (limit.low or 0.0) * usual)
        if dead.size:
            column = int(dead[0])
            value, allowed = float(noise[column]), float((limit.low or 0.0) * usual[column])
            reason = (
                f"{content.name(column)} is dead: its noise is {value:.2f} adu, the set's is "
                f"{usual[column]:.2f}"
            )
            yield Finding(exposure.id, content.units[column][0], reason, value, allowed)


def _amplifiers(
    content: Content, reference: Array, ratio: Array, rows: Rows, limit: Limit
) -> Iterator[Finding]:
    """Find amplifiers whose level does not follow that of their frame."""
    bright = reference > 10 * nanmedian(content.noise)  # below that the ratio itself is uncertain
    relative = content.signal / np.where(bright, reference, np.nan) / _positive(ratio)
    for row in np.flatnonzero(rows):
        off = np.nan_to_num(np.abs(relative[row] - 1))
        column = int(off.argmax())
        value = float(relative[row, column])
        if (broken := limit.broken(value)) is not None:
            reason = (
                f"level of {content.name(column)} is {value:.2f} of the set's, relative to the frame's own"
            )
            yield Finding(content.exposures[row].id, content.units[column][0], reason, value, broken)


def _noisy(
    content: Content, ratio: Array, votes: Rows, rows: Rows, limits: ContentLimits
) -> Iterator[Finding]:
    relative = content.noise / _positive(ratio)
    usual, scatter = nanmedian(relative[votes]), robust_scatter(relative[votes])
    for row in np.flatnonzero(rows):
        off = relative[row] - usual
        low = np.fmin(limits.flat_noise.low * usual, limits.scatter.low * scatter)
        high = np.fmax(limits.flat_noise.high * usual, limits.scatter.high * scatter)
        bad = np.flatnonzero((off < low) | (off > high))
        if bad.size:
            column = int(bad[np.argmax(np.abs(off[bad] / usual[bad]))])
            value = float(relative[row, column])
            allowed = float(usual[column] + (high if off[column] > 0 else low)[column])
            reason = (
                f"noise of {content.name(column)} is {value:.2f} adu at the set's level, the set's is "
                f"{usual[column]:.2f} (allowed to {allowed:.2f})"
            )
            yield Finding(content.exposures[row].id, content.units[column][0], reason, value, allowed)


def _positive(ratio: Array) -> Array:
    """Return (n_exposure, 1), the brightness to divide by; NaN where there is none."""
    return np.where(ratio > 0, ratio, np.nan)[:, None]
