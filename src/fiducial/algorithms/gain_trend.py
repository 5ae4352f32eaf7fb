"""Whether the gain that single pairs of flats show changes with something: time, or their separation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fiducial.algorithms.arrays import Float64
from fiducial.algorithms.departures import neighbour_inflation

_LEAST_FREEDOM = 2
_UNTOLD = 0.3
"""Share of a trend that the curve must leave to it; there, a curve off by 1 per cent is a trend of 3."""


class GainTrend(NamedTuple):
    """Relative change of the gain over the whole range of the regressor, and its standard error."""

    value: float
    error: float


def gain_trend(
    means: Float64,
    variances: Float64,
    model: Float64,
    errors: Float64,
    along: Float64,
    *,
    noise: float,
) -> GainTrend | str:
    """Fit a relative change of the gain that is linear in something, beside the curve itself.

    A gain that is higher by a share d lowers the photons' variance by d: the residuals of the curve are
    fitted by that, and at once by all that a change of the curve's own parameters could do to them
    and a little more (1, mean, its square and cube), so that what goes with the level is no trend.

    Parameters
    ----------
    means, variances, model, errors : (n,)
        Of the pairs that the curve was fitted to: mean signal, variance, the curve's variance, and the
        standard error of the variance.
    along : (n,)
        What the gain may change with.
    noise : float
        Variance without light.

    Returns
    -------
    GainTrend, or why there is none: text.

    References
    ----------
    Partial regression: Cook & Weisberg 1982, Residuals and Influence in Regression, section 2.3.
    """
    low, high = float(np.min(along, initial=np.inf)), float(np.max(along, initial=-np.inf))
    if not high > low:
        return "all pairs are alike in it"
    own = (means / np.abs(means).max())[:, None] ** np.arange(4)
    wanted = -(model - noise) * ((along - low) / (high - low) - 0.5)
    weight = 1.0 / errors
    curve, wanted, residual = own * weight[:, None], wanted * weight, (variances - model) * weight
    if means.size - own.shape[1] - 1 < _LEAST_FREEDOM:
        return f"{means.size} pairs are too few"
    basis, _ = np.linalg.qr(curve)
    apart = wanted - basis @ (basis.T @ wanted)
    if float(apart @ apart) <= _UNTOLD**2 * float(wanted @ wanted):
        return "it goes with the level"
    left = residual - basis @ (basis.T @ residual)
    value = float(apart @ left) / float(apart @ apart)
    order = np.argsort(along, kind="stable")
    inflation = neighbour_inflation((left - value * apart)[order])
    return GainTrend(value, inflation / float(np.sqrt(apart @ apart)))
