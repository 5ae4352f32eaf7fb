"""How much a quantity wanders from night to night beyond its errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST_NIGHTS = 4
"""With fewer nights the scatter in time is not known, and counts as none."""

_MEDIAN_OF_CHI2 = 0.45494  # of one degree of freedom

type Series = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Values and errors of one amplifier in the order of the nights, both of shape (n,)."""


def night_scatter(series: Sequence[Series]) -> float:
    """Standard deviation of a night, beyond the errors, from differences of one night to the next.

    tau^2 = (median(d^2) / 0.455 - median(u_k^2 + u_k+1^2)) / 2 over all the differences d: neither a step
    that was certified nor one night that was off, nor a slow drift, widens it much. 0.455 is the median of
    chi-square with one degree of freedom. Of few differences a median is uncertain: tau is made larger by
    1 + 2 / m for m of them, with which simulated histories keep their rate of false alarms.

    Parameters
    ----------
    series
        Of one amplifier, or of several that are taken to wander alike; NaN is passed over.

    Returns
    -------
    0 where no series has `FEWEST_NIGHTS`, or where the errors explain all of the scatter.

    References
    ----------
    von Neumann et al. 1941 (Ann. Math. Statist. 12, 153), with medians in place of means.
    """
    squares: list[NDArray[np.float64]] = []
    variances: list[NDArray[np.float64]] = []
    for values, errors in series:
        good = np.isfinite(values) & np.isfinite(errors)
        if np.count_nonzero(good) < FEWEST_NIGHTS:
            continue
        squares.append(np.square(np.diff(values[good])))
        variances.append(np.square(errors[good][1:]) + np.square(errors[good][:-1]))
    if not squares:
        return 0.0
    squared, expected = np.concatenate(squares), np.concatenate(variances)
    excess = float(np.median(squared)) / _MEDIAN_OF_CHI2 - float(np.median(expected))
    return math.sqrt(max(0.0, 0.5 * excess)) * (1.0 + 2.0 / max(one.size for one in squares))
