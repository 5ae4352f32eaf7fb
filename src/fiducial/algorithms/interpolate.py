"""Missing pixels filled in along rows or columns, with the variance that the filling deserves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Float64, Int64, Numbers

_MAD = 1.482602218505602  # standard deviation of a Gaussian over its median absolute deviation
_SAMPLE = 1 << 20  # differences that the wander is estimated from, about
_BLOCK = 128  # side of the blocks that have a wander of their own, pixels
_EVERY = 8  # of their rows are enough
_STANDS_OUT = 9.0  # of a squared difference between the two ends, over what is expected: steeper than usual


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Pixels that were filled in.

    Attributes
    ----------
    y, x : (n,) int64
        Which.
    value : (n,) float64
        Their values.
    variance : (n,) float64
        Of the difference to what these pixels would have measured.
    """

    y: Int64
    x: Int64
    value: Float64
    variance: Float64


class _Lines(NamedTuple):
    """Distances of missing pixels to the usable ones before and behind in their line; 0: there is none."""

    before: Int64
    behind: Int64
    gap: Int64


def interpolate_lines(
    image: Float32, variance: Numbers, wanted: Flags, usable: Flags, *, longest: int
) -> Filled:
    r"""Fill missing pixels linearly along their row or column, whichever has the shorter gap.

    With usable pixels at distances a and b, of values u and v, the value is (b u + a v) / (a + b). That is
    the best estimate for a signal that wanders along the line, its step from pixel to pixel of variance q,
    and then its own variance is q a b / (a + b), beside the noise of u and v. Added is the noise that the
    pixel would have had: :math:`w_u V_u + w_v V_v`. q is that of the block of 128 pixels around, in the
    direction of the line; where the ends differ by more than three sigma of all that, that of the
    difference. A pixel with a usable one on one side only takes its value, with q a.

    Parameters
    ----------
    image : (ny, nx)
    variance : (ny, nx)
        Of its noise.
    wanted : (ny, nx) bool
        Pixels to fill.
    usable : (ny, nx) bool
        Pixels that may be used: finite, none of them wanted.
    longest : int
        Longest gap, pixels; what lies in longer ones in its row and in its column is not filled.

    Returns
    -------
    Filled
        By row, then column.

    References
    ----------
    A Wiener process between two known points (the Brownian bridge): Karatzas & Shreve 1991, Brownian Motion
    and Stochastic Calculus, section 5.6.B; that its best estimate is the straight line: Wahba 1990, Spline
    Models for Observational Data, section 1.5.
    """
    y, x = np.divmod(np.flatnonzero(wanted), wanted.shape[1])
    rows, columns = _distances(usable, y, x, longest, axis=1), _distances(usable, y, x, longest, axis=0)
    vertical = _rank(columns, longest) < _rank(rows, longest)
    before, behind, gap = (np.where(vertical, c, r) for c, r in zip(columns, rows, strict=True))
    fill = (gap <= longest) & (before + behind > 0)
    y, x, before, behind = (part[fill] for part in (y, x, before, behind))
    vertical = vertical[fill]
    before, behind = np.where(before, before, -behind), np.where(behind, behind, -before)
    steps = np.where(vertical, 1, 0), np.where(vertical, 0, 1)
    ends = [(y + d * steps[0], x + d * steps[1]) for d in (-before, behind)]
    u, v = (image[end].astype(np.float64) for end in ends)
    noise_u, noise_v = (variance[end].astype(np.float64) for end in ends)
    # With one side only both ends are the same pixel, at distances d and -d or the other way round.
    one = before + behind == 0
    share = np.where(one, 1.0, behind / np.where(one, 1, before + behind))
    length = np.where(one, np.abs(before), before * share)  # a b / (a + b), or the distance
    wander = _local_wander(image, variance, usable, y, x, vertical)
    apart = np.where(one, 1, before + behind)
    square = np.square(u - v)
    steep = square > _STANDS_OUT * (noise_u + noise_v + wander * apart)
    wander[steep] = (square / apart)[steep]
    own = share * noise_u + (1.0 - share) * noise_v
    noise = np.square(share) * noise_u + np.square(1.0 - share) * noise_v
    return Filled(y, x, share * u + (1.0 - share) * v, noise + own + wander * length)


def wander_of(image: Float32, variance: Numbers, usable: Flags) -> float:
    """Variance of a step from one pixel to the next, beyond the noise.

    From the median absolute deviation of differences between neighbours in rows, less their median noise.

    Parameters
    ----------
    image, variance, usable : (ny, nx)
        Every few rows are enough for it; pairs that are not usable are passed over.

    Returns
    -------
    float
        0 where noise explains the differences, or there are none.

    References
    ----------
    Variogram at lag one: Cressie 1993, Statistics for Spatial Data, section 2.4.
    """
    stride = max(1, image.size // _SAMPLE)
    found = _wander(image[::stride], variance[::stride], usable[::stride], least=1)
    return 0.0 if found is None else found


def _wander(image: Float32, variance: Numbers, usable: Flags, least: int = 200) -> float | None:
    """As of `wander_of`; None where fewer than so many pairs are usable."""
    pairs = usable[:, 1:] & usable[:, :-1]
    if np.count_nonzero(pairs) < least:
        return None
    steps = (image[:, 1:] - image[:, :-1])[pairs].astype(np.float64)
    expected = float(np.median((variance[:, 1:] + variance[:, :-1])[pairs]))
    scatter = _MAD * float(np.median(np.abs(steps - np.median(steps))))
    return max(scatter**2 - expected, 0.0)


def _local_wander(
    image: Float32, variance: Numbers, usable: Flags, y: Int64, x: Int64, vertical: Flags
) -> Float64:
    """Wander in the direction of filling about some pixels: that of a flat goes with its light."""
    wander = np.zeros(len(y))
    everywhere: float | None = None
    columns = -(-image.shape[1] // _BLOCK)
    block = y // _BLOCK * columns + x // _BLOCK
    for number in np.unique(block):
        top, left = int(number) // columns * _BLOCK, int(number) % columns * _BLOCK
        here = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
        mine = block == number
        for down in (False, True):
            chosen = mine & (vertical == down)
            if not chosen.any():
                continue
            pixels, noise, good = image[here], variance[here], usable[here]
            if down:
                pixels, noise, good = pixels.T, noise.T, good.T
            found = _wander(pixels[::_EVERY], noise[::_EVERY], good[::_EVERY])
            if found is None:
                everywhere = wander_of(image, variance, usable) if everywhere is None else everywhere
                found = everywhere
            wander[chosen] = found
    return wander


def _rank(lines: _Lines, longest: int) -> Float64:
    """How far the usable pixels are, those on one side only and none behind all others."""
    both = (lines.before > 0) & (lines.behind > 0)
    far = (lines.before + lines.behind).astype(np.float64)
    far[~both] += 1e9
    far[(lines.before + lines.behind == 0) | (lines.gap > longest)] = np.inf
    return far


def _distances(usable: Flags, y: Int64, x: Int64, longest: int, *, axis: int) -> _Lines:
    """Look along lines from missing pixels to the nearest usable ones; a gap that is too long stays so."""
    place, length = (y, x)[axis], usable.shape[axis]
    flat, step = np.ascontiguousarray(usable).reshape(-1), (usable.shape[1], 1)[axis]
    at = y * usable.shape[1] + x
    left, before = _look(flat, at, place, -step, longest)
    right, behind = _look(flat, at, length - 1 - place, step, longest)
    return _Lines(before, behind, left + right - 1)


def _look(flat: Flags, at: Int64, room: Int64, step: int, longest: int) -> tuple[Int64, Int64]:
    """Steps to the next usable pixel or to just beyond the end, and to the usable pixel (0: there is none).

    No farther than ``longest + 1`` steps: a gap that goes on there is too long, however long it is.
    """
    steps, found = np.full(len(at), longest + 1), np.zeros(len(at), np.int64)
    open_ones = np.arange(len(at))
    for distance in range(1, longest + 2):
        inside = room[open_ones] >= distance
        steps[open_ones[~inside]] = distance
        open_ones = open_ones[inside]
        good = flat[at[open_ones] + distance * step]
        there = open_ones[good]
        steps[there] = found[there] = distance
        open_ones = open_ones[~good]
        if not len(open_ones):
            break
    return steps, found
