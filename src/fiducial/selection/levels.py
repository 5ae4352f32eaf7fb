"""Biases and darks that are unlike their set: level, noise, and the time they were exposed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fiducial.selection.content import Array, Content, Finding, expected_scatter, nanmedian, robust_scatter
from fiducial.selection.limits import ContentLimits, Limit


def judge_levels(
    content: Content,
    reference: NDArray[np.bool_],
    first: NDArray[np.bool_],
    limits: ContentLimits,
    *,
    of_one_set: bool,
) -> Iterator[Finding]:
    """Find what speaks against biases or darks of one camera state.

    Levels and noises of darks are compared after a straight line in dark time is taken from them
    (`slopes`), so that several times may stand in one set. A shift is allowed up to the larger of two
    numbers: the set's robust scatter times ``limits.scatter``, and a floor in units of one
    pixel's noise, below which a shift does not matter.

    Parameters
    ----------
    content
        Of the exposures that are judged and of those they are compared with.
    reference
        (n_exposure,), those they are compared with.
    first
        (n_exposure,), first exposures: only what cannot be of the type speaks against them.
    limits
        What is allowed.
    of_one_set
        Whether the reference is the set itself; between sets levels drift, and the floor is wider.

    Yields
    ------
    Finding
        In order of weight: the first one of an exposure names what is wrong with it.
    """
    dark = content.exposures[0].facts.frame_type == "dark"
    yield from _wrong_time(content, limits, dark=dark)
    times = np.array([exposure.facts.dark_time if dark else 0.0 for exposure in content.exposures])
    noise = _Line(content.noise, times, reference)
    yield from _dead(content, noise, limits.dead)
    level = _Line(content.corrected, times, reference, zero=content.zero - np.nan_to_num(content.overscan))
    pixel_noise = nanmedian(content.noise[reference])
    spare = np.abs(np.outer(times, level.slope))
    scatter = np.hypot(level.scatter, nanmedian(expected_scatter(content)[reference]))
    floor = limits.level if of_one_set else limits.raw_level
    for side in ("low", "high"):
        allowed = _allowed(side, limits, scatter, floor, pixel_noise, spare)
        gross = np.abs(getattr(limits.first_level, side)) * pixel_noise + spare
        allowed = np.where(first[:, None], np.fmax(allowed, gross), allowed)
        light = limits.first_level.high * pixel_noise
        yield from _shifted(content, level, side, allowed, light, dark=dark)
    raw = _Line(np.where(np.isnan(content.overscan), np.nan, content.level), times, reference, level.slope)
    raw_scatter = np.hypot(raw.scatter, nanmedian(expected_scatter(content)[reference]))
    for side in ("low", "high"):
        allowed = _allowed(side, limits, raw_scatter, limits.raw_level, pixel_noise, spare)
        allowed[first] = np.inf
        yield from _jumped(content, raw, side, allowed)
    yield from _noisy(content, noise, first, limits)


def slopes(values: Array, times: Array, zero: Array | None = None) -> Array:
    """Return the slope of each column with time: the median of the slopes between all pairs of times.

    Parameters
    ----------
    values
        (n, n_unit); of equal times the median is taken first, and NaN is passed over.
    times
        (n,), s.
    zero
        (n_unit,), the value at no time at all, where it is known; else NaN or None.

    Returns
    -------
    ndarray
        (n_unit,), per second; 0 where there are not two times.

    References
    ----------
    Theil 1950; Sen 1968, J. Am. Stat. Assoc. 63, 1379. It stands up to 29 % of bad points.
    """
    distinct = np.unique(times)
    points = np.array([nanmedian(values[times == time]) for time in distinct])
    if zero is not None and distinct.size and distinct[0] > 0:
        points = np.vstack([zero, points])
        distinct = np.concatenate([[0.0], distinct])
    i, j = np.triu_indices(distinct.size, k=1)
    if i.size == 0:
        return np.zeros(values.shape[1])
    pairs = (points[j] - points[i]) / (distinct[j] - distinct[i])[:, None]
    return np.nan_to_num(nanmedian(pairs), nan=0.0)


class _Line:
    """A straight line in time for each column, and what is left of the values beside it."""

    def __init__(
        self,
        values: Array,
        times: Array,
        reference: NDArray[np.bool_],
        slope: Array | None = None,
        *,
        zero: Array | None = None,
    ) -> None:
        known = values[reference]
        at_zero = None if zero is None else nanmedian(zero)
        self.slope = slopes(known, times[reference], at_zero) if slope is None else slope
        trend = np.outer(times, self.slope)
        self.expected = nanmedian(known - trend[reference]) + trend
        self.residual = values - self.expected
        self.scatter = robust_scatter(self.residual[reference])


def _allowed(
    side: str, limits: ContentLimits, scatter: Array, floor: Limit, noise: Array, dark: Array
) -> Array:
    """Return how far (n_exposure, n_unit) a level may be off on one side, adu."""
    sigmas, pixels, part = (abs(getattr(x, side)) for x in (limits.scatter, floor, limits.dark_signal))
    allowed: Array = np.fmax(sigmas * scatter, pixels * noise + part * dark)
    return allowed


def _wrong_time(content: Content, limits: ContentLimits, *, dark: bool) -> Iterator[Finding]:
    for exposure in content.exposures:
        facts = exposure.facts
        if not dark and (limit := limits.bias_time.broken(facts.exposure_time)) is not None:
            reason = f"exposed for {facts.exposure_time:g} s: no bias"
            yield Finding(exposure.id, None, reason, facts.exposure_time, limit)
        if dark and facts.dark_time <= 0:
            reason = f"dark time {facts.dark_time:g} s: no dark"
            yield Finding(exposure.id, None, reason, facts.dark_time, 0.0)


def _dead(content: Content, noise: _Line, limit: Limit) -> Iterator[Finding]:
    for row, column in _worst(_ratio(noise.expected, content.noise), 1 / (limit.low or 1.0)):
        value = float(content.noise[row, column])
        allowed = (limit.low or 1.0) * float(noise.expected[row, column])
        reason = (
            f"{content.name(column)} is dead: its noise is {value:.2f} adu, the set's is "
            f"{noise.expected[row, column]:.2f}"
        )
        yield _finding(content, row, column, reason, value, allowed)


def _shifted(
    content: Content, level: _Line, side: str, allowed: Array, light: Array, *, dark: bool
) -> Iterator[Finding]:
    sign = 1 if side == "high" else -1
    for row, column in _worst(_ratio(sign * level.residual, allowed), 1.0):
        value = float(level.residual[row, column])
        what = "level"
        if sign > 0 and value > light[column]:
            what = "light in a dark or a wrong exposure time: level" if dark else "light in a bias: level"
        reason = (
            f"{what} of {content.name(column)} is {abs(value):,.1f} adu "
            f"{'above' if sign > 0 else 'below'} the set's {level.expected[row, column]:,.1f}"
            f" (allowed {allowed[row, column]:.1f})"
        )
        yield _finding(content, row, column, reason, value, sign * float(allowed[row, column]))


def _jumped(content: Content, raw: _Line, side: str, allowed: Array) -> Iterator[Finding]:
    sign = 1 if side == "high" else -1
    for row, column in _worst(_ratio(sign * raw.residual, allowed), 1.0):
        value = float(raw.residual[row, column])
        reason = (
            f"level of {content.name(column)}, overscan included, jumped by {value:+,.1f} adu from the set's "
            f"{raw.expected[row, column]:,.1f} (allowed {allowed[row, column]:.1f})"
        )
        yield _finding(content, row, column, reason, value, sign * float(allowed[row, column]))


def _noisy(
    content: Content, noise: _Line, first: NDArray[np.bool_], limits: ContentLimits
) -> Iterator[Finding]:
    for side in ("low", "high"):
        sign = 1 if side == "high" else -1
        part, sigmas = abs(getattr(limits.noise, side)), abs(getattr(limits.scatter, side))
        allowed = np.fmax(part * noise.expected, sigmas * noise.scatter)
        allowed[first] = np.inf
        for row, column in _worst(_ratio(sign * noise.residual, allowed), 1.0):
            value = float(content.noise[row, column])
            limit = float(noise.expected[row, column] + sign * allowed[row, column])
            reason = (
                f"noise of {content.name(column)} is {value:.2f} adu, the set's is "
                f"{noise.expected[row, column]:.2f} (allowed to {limit:.2f})"
            )
            yield _finding(content, row, column, reason, value, limit)


def _ratio(value: Array, allowed: Array) -> Array:
    """Return value / allowed; what is not allowed at all is infinite, what is not known 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(value / allowed, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _worst(excess: Array, limit: float) -> Iterator[tuple[int, int]]:
    """Yield row and column of the worst amplifier of each exposure that breaks a limit."""
    if excess.shape[1] == 0:
        return
    columns = excess.argmax(axis=1)
    for row, column in enumerate(columns):
        if excess[row, column] > limit:
            yield row, int(column)


def _finding(content: Content, row: int, column: int, reason: str, value: float, limit: float) -> Finding:
    return Finding(content.exposures[row].id, content.units[column][0], reason, value, limit)
