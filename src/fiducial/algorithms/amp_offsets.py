"""Offsets between amplifiers, from the steps along the edges that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np

from fiducial.algorithms.arrays import Float64, Numbers
from fiducial.algorithms.statistics import clipped_mean

_FEWEST = 5  # lines of an edge
_FEWEST_PIXELS = 0.5  # of a line's pixels on either side


@dataclass(frozen=True, slots=True)
class Step:
    """How much higher amplifier ``second`` is than ``first`` where they meet."""

    first: int
    second: int
    height: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """Offsets of amplifiers.

    Attributes
    ----------
    offset : (n,) float64
        What is to be taken off each, of mean 0 over amplifiers tied together. 0 where nothing is known.
    error : (n,) float64
        NaN where nothing is known.
    chi2 : float
        Sum of the squares of what the offsets leave of the steps, over their errors.
    freedom : int
        Its degrees of freedom.
    """

    offset: Float64
    error: Float64
    chi2: float
    freedom: int


def step_at_edge(first: Numbers, second: Numbers, inset: int) -> tuple[float, float] | None:
    """Height of the step between two strips of pixels on either side of an edge.

    A slope across the edge, the same in both strips, is fitted to their profiles (by distance from the edge,
    medians along it) and taken off. The step is the mean over lines, clipped at 3.5 sigma, of the
    difference of the line's means.

    Parameters
    ----------
    first, second : (n, width)
        n lines across the edge; the first's last column and the second's first are nearest to it.
        Pixels that are not to be used are NaN.
    inset : int
        Pixels between these and the edge, on either side.

    Returns
    -------
    height, error : float
        Or None: too few lines have at least half their pixels on both sides.

    References
    ----------
    Common slope: analysis of covariance, Seber & Lee 2003, Linear Regression Analysis, section 8.8.
    """
    enough = [np.isfinite(part).mean(axis=1) >= _FEWEST_PIXELS for part in (first, second)]
    lines = enough[0] & enough[1]
    if np.count_nonzero(lines) < _FEWEST:
        return None
    left, right = (np.asarray(part[lines]).astype(np.float64) for part in (first, second))
    x_left = -(inset + 0.5 + np.arange(left.shape[1])[::-1])
    x_right = inset + 0.5 + np.arange(right.shape[1])
    slope, slope_error = _common_slope([(x_left, left), (x_right, right)])
    heights = np.nanmean(right - slope * x_right, axis=1) - np.nanmean(left - slope * x_left, axis=1)
    bulk = clipped_mean(heights, kappa=3.5)
    apart = float(x_right.mean() - x_left.mean())
    if not np.isfinite(bulk.error):
        return None
    return bulk.mean, hypot(bulk.error, slope_error * apart)


def _common_slope(strips: Sequence[tuple[Numbers, Float64]]) -> tuple[float, float]:
    """Slope of two profiles with a level each, and its error by their scatter."""
    upper = lower = 0.0
    residuals: list[tuple[Numbers, Numbers]] = []
    for x, pixels in strips:
        seen = np.isfinite(pixels).any(axis=0)
        profile = _medians(pixels[:, seen])
        dx, dy = x[seen] - x[seen].mean(), profile - profile.mean()
        upper, lower = upper + float(dx @ dy), lower + float(dx @ dx)
        residuals.append((dx, dy))
    freedom = sum(len(dx) for dx, _ in residuals) - 3
    if lower == 0 or freedom < 1:
        return 0.0, 0.0
    slope = upper / lower
    chi2 = sum(float(np.square(dy - slope * dx).sum()) for dx, dy in residuals)
    return slope, sqrt(chi2 / freedom / lower)


def _medians(pixels: Float64) -> Float64:
    """Median of each column without NaN; columns have a number each."""
    ranked = np.sort(np.ascontiguousarray(pixels.T), axis=1)  # NaN last
    count = np.count_nonzero(~np.isnan(ranked), axis=1)
    low, high = (ranked[np.arange(len(ranked)), half] for half in ((count - 1) // 2, count // 2))
    return np.asarray((low + high) / 2.0)


def solve_offsets(steps: Sequence[Step], count: int) -> Offsets:
    """Find the offsets that explain the steps best, by weighted least squares.

    Parameters
    ----------
    steps
        Between amplifiers numbered from 0, errors > 0.
    count
        How many amplifiers there are.

    Returns
    -------
    Offsets
        Within each group of amplifiers that steps tie together the mean is 0. Amplifiers without a step
        are left out.

    References
    ----------
    Minimum-norm solution of the normal equations (a graph's weighted Laplacian) by its pseudo-inverse, which
    is the covariance too: Bjorck 1996, Numerical Methods for Least Squares Problems, section 1.2.
    """
    laplacian, right = np.zeros((count, count)), np.zeros(count)
    for step in steps:
        i, j, weight = step.first, step.second, 1.0 / step.error**2
        laplacian[[i, j], [i, j]] += weight
        laplacian[[i, j], [j, i]] -= weight
        right[j] += weight * step.height
        right[i] -= weight * step.height
    covariance = np.linalg.pinv(laplacian, hermitian=True)
    offset = covariance @ right
    known = np.diag(laplacian) > 0
    error = np.where(known, np.sqrt(np.maximum(np.diag(covariance), 0.0)), np.nan)
    left = [(step.height - (offset[step.second] - offset[step.first])) / step.error for step in steps]
    rank = int(np.linalg.matrix_rank(laplacian, hermitian=True)) if steps else 0
    return Offsets(np.where(known, offset, 0.0), error, float(np.sum(np.square(left))), len(steps) - rank)
