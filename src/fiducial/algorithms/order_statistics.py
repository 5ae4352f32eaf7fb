"""The variance of a median of few values."""

from __future__ import annotations

from functools import lru_cache
from math import erfc, lgamma, log, pi, sqrt

import numpy as np

from fiducial.algorithms.arrays import Float64

_erfc = np.frompyfunc(erfc, 1, 1)  # scipy.special takes long to import
_EXACT_UP_TO = 60  # beyond it the series is good to 3e-4


@lru_cache(maxsize=1024)
def median_variance(n: int) -> float:
    """Variance of the median of n standard normal values: 1, 0.5, 0.449, ... and pi / 2n for many.

    Up to n = 60 the density of the middle value, or for even n of the two middle values, is
    integrated; beyond, two terms of the series in 1/n serve.

    Parameters
    ----------
    n : int
        Number of values, at least 1.

    References
    ----------
    David & Nagaraja 2003, Order Statistics, sections 2.1 and 2.2 (densities), 4.6 (series).
    """
    if n > _EXACT_UP_TO:
        return 0.5 * pi / (n + 2.0 - 0.5 * pi + (n + 1) % 2)
    return _odd(n) if n % 2 else _even(n)


def _odd(n: int) -> float:
    below = (n - 1) // 2
    x = np.linspace(-10.0, 10.0, 4001)
    constant = lgamma(n + 1) - 2.0 * lgamma(below + 1)
    density = np.exp(constant + below * (_log_below(x) + _log_below(-x)) + _log_density(x))
    return float(np.sum(np.square(x) * density) * (x[1] - x[0]))


def _even(n: int) -> float:
    # The middle values are centre - half and centre + half; half is integrated by Gauss-Legendre.
    below = n // 2 - 1
    nodes, weights = np.polynomial.legendre.leggauss(80)
    reach = min(8.0, 60.0 / n)  # 24 mean distances of neighbours, or 8 sigma
    half, weights = 0.5 * reach * (nodes + 1.0), 0.5 * reach * weights
    centre = min(8.0, 12.0 / sqrt(n)) * np.linspace(-1.0, 1.0, 201)[:, None]  # 9 sigma of the median
    low, high = centre - half, centre + half
    constant = lgamma(n + 1) - 2.0 * lgamma(below + 1) + log(2.0)
    tails = below * (_log_below(low) + _log_below(-high))
    joint = np.exp(constant + tails + _log_density(low) + _log_density(high))
    density = np.sum(joint * weights, axis=1)
    return float(np.sum(np.square(centre[:, 0]) * density) * (centre[1, 0] - centre[0, 0]))


def _log_density(x: Float64) -> Float64:
    return -0.5 * np.square(x) - 0.5 * log(2.0 * pi)


def _log_below(x: Float64) -> Float64:
    """Logarithm of the probability below x."""
    return np.log(0.5 * np.asarray(_erfc(-x / sqrt(2.0)), dtype=np.float64))
