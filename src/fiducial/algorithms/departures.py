"""How far data depart from a curve as a whole, apart from their scatter about it."""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2 as chi_square
from scipy.stats import norm

from fiducial.algorithms.arrays import Float64
from fiducial.algorithms.statistics import scatter_inflation

_BINS = 8
_LEAST_IN_BIN = 3
_SURE = 4.0  # standard errors
_REFERENCE = 1e-4  # chance at which the largest of several is as rare as a single one
_MOST_SIGMAS = 30.0  # beyond, chances are 0 in float64


class Departure(NamedTuple):
    """A departure, its standard error, and the place it is at."""

    value: float
    error: float
    at: float


def largest_departure(
    at: Float64, values: Float64, errors: Float64, *, bins: int = _BINS, least: int = _LEAST_IN_BIN
) -> Departure:
    """The largest mean departure over stretches of a curve.

    Points are put in order and cut into stretches of equal numbers; each has its weighted mean. Where means
    are beyond four of their errors the largest of these counts, otherwise the one that is farthest from 0 in
    its errors. Errors are widened where neighbours scatter by significantly more than they should, and
    for having looked at several stretches: such that the largest of them is beyond four errors as seldom
    as a single one would be.

    Parameters
    ----------
    at, values, errors : (n,)
        Place, departure from the curve and its standard error of each point, all finite, errors > 0.
    bins : int
        Most stretches.
    least : int
        Fewest points of a stretch, if there are so many.

    Returns
    -------
    Departure
        NaN where there is no point.

    References
    ----------
    Scatter from successive differences: von Neumann 1941 (Ann. Math. Statist. 12, 367); several looks:
    Bonferroni.
    """
    if at.size == 0:
        return Departure(nan, nan, nan)
    order = np.argsort(at, kind="stable")
    count = int(np.clip(at.size // least, 1, bins))
    parts = np.array_split(order, count)
    weights = [np.square(1.0 / errors[part]) for part in parts]
    means = np.array([np.average(values[part], weights=w) for part, w in zip(parts, weights, strict=True)])
    sigmas = np.array([1.0 / sqrt(float(w.sum())) for w in weights])
    sigmas *= neighbour_inflation(values[order] / errors[order])
    chosen = surest(means, sigmas)
    error = float(sigmas[chosen]) * widening(count)
    return Departure(float(means[chosen]), error, float(np.mean(at[parts[chosen]])))


def surest(values: Float64, errors: Float64) -> int:
    """Index of the largest value beyond four errors; if there is none, of the most significant one."""
    pulls = np.abs(values) / errors
    sure = pulls > _SURE
    return int(np.argmax(np.where(sure, np.abs(values), 0.0) if sure.any() else pulls))


def widening(looks: int) -> float:
    """What errors are multiplied by for the largest of several to be no more significant than one."""
    several = norm.isf(_REFERENCE / (2.0 * max(1, looks)))
    return float(several / norm.isf(_REFERENCE / 2.0))


def neighbour_inflation(pulls: Float64) -> float:
    """How much more neighbours differ than their errors say; 1 if not significantly more."""
    if pulls.size < 2:
        return 1.0
    freedom = pulls.size - 1
    # Differences that share a point are correlated: their sum has 2/3 as many degrees of freedom.
    return scatter_inflation(0.5 * float(np.sum(np.square(np.diff(pulls)))) * 2 / 3, freedom * 2 // 3)


def neighbour_correlation(pulls: Float64) -> tuple[float, float]:
    """Correlation of neighbours, by their differences, and its error; NaN for fewer than four points.

    References
    ----------
    von Neumann 1941 (Ann. Math. Statist. 12, 367): the variance of the ratio for independent Gaussians.
    """
    total = float(np.sum(np.square(pulls)))
    if pulls.size < 4 or not total > 0:
        return nan, nan
    n = pulls.size
    half = 0.5 * float(np.mean(np.square(np.diff(pulls))))
    return 1.0 - n * half / total, sqrt((n - 2) / (n * n - 1))


def chi_square_departure(chi2: float, freedom: int) -> Departure:
    """Reduced chi-square less 1, with the error that gives it its exact significance.

    For many degrees of freedom that is sqrt(2 / freedom). For few, a chi-square is far from Gaussian:
    with 20 a value that is 5 of those errors too high comes 450 times as often as 5 sigma.

    Parameters
    ----------
    chi2 : float
    freedom : int
        Fewer than 1: NaN.
    """
    if freedom < 1 or not np.isfinite(chi2):
        return Departure(nan, nan, nan)
    value = chi2 / freedom - 1.0
    tail = chi_square.sf(chi2, freedom) if value > 0 else chi_square.cdf(chi2, freedom)
    sigmas = min(float(norm.isf(tail)), _MOST_SIGMAS)
    # About the middle mean and median differ, and nothing is significant.
    error = abs(value) / sigmas if sigmas > 0.5 else sqrt(2.0 / freedom)
    return Departure(value, error, nan)
