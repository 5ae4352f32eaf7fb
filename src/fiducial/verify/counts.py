"""How many outlying pixels a good frame may have: cosmic rays hit several pixels at once."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincc
from scipy.stats import poisson


@lru_cache(maxsize=4096)
def chance_of_more(count: float, expected: float, per_hit: float) -> float:
    """Chance of at least so many pixels where the hits are Poisson and the pixels of one hit exponential.

    Parameters
    ----------
    count
        Pixels counted.
    expected
        Pixels expected.
    per_hit
        Mean pixels of one hit; below 1.5 pixels are taken one by one, as Poisson.

    References
    ----------
    Compound Poisson distribution: Johnson, Kemp & Kotz 2005, Univariate Discrete Distributions, section 9.3;
    the sum of n exponentials is a gamma variable.
    """
    if count <= 0:
        return 1.0
    if per_hit < 1.5:
        return float(poisson.sf(math.ceil(count) - 1, expected))
    hits = expected / per_hit
    n = np.arange(1, int(hits + 10.0 * math.sqrt(hits)) + 30)
    return float(np.sum(poisson.pmf(n, hits) * gammaincc(n, count / per_hit)))


@lru_cache(maxsize=4096)
def upper_limit(chance: float, expected: float, per_hit: float) -> float:
    """The number of pixels that is exceeded with this chance.

    Never below the plain Poisson limit: a frame with a few hits is not held to none.
    """
    plain = float(poisson.isf(chance, expected))
    if per_hit < 1.5:
        return plain
    low, high = 0.0, expected + per_hit
    while chance_of_more(high, expected, per_hit) > chance:
        high *= 2.0
    if chance_of_more(1e-9, expected, per_hit) <= chance:
        return plain
    return max(
        plain, float(brentq(lambda x: chance_of_more(x, expected, per_hit) - chance, low + 1e-9, high))
    )
