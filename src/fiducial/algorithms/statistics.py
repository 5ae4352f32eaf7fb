"""Means, sigmas and their errors of pixels that hold outliers, masked values and correlated noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, nan, pi, sqrt

import numpy as np

from fiducial import kernels
from fiducial.algorithms.arrays import Numbers

_START_SIZE = 16_384  # values enough to start a clipped mean


@dataclass(frozen=True, slots=True)
class ClippedMean:
    """Mean and sigma of values without their outliers.

    Attributes
    ----------
    mean, error : float
        Mean of the values kept, and its standard error (white noise; times sqrt(c1) otherwise).
    sigma, sigma_error : float
        Standard deviation of one value, corrected for the clipped tails of a Gaussian, and its standard
        error by the fourth moment (times sqrt(c2) for correlated noise).
    used, clipped : int
        Values kept, and finite values rejected.
    """

    mean: float
    error: float
    sigma: float
    sigma_error: float
    used: int
    clipped: int


def truncation_factor(kappa: float) -> float:
    """Variance of a standard normal variable cut off beyond +- kappa.

    References
    ----------
    Johnson, Kotz & Balakrishnan 1994, Continuous Univariate Distributions 1, section 13.10.
    """
    return 1.0 - 2.0 * kappa * exp(-0.5 * kappa**2) / sqrt(2.0 * pi) / erf(kappa / sqrt(2.0))


def scatter_inflation(chi2: float, degrees_of_freedom: int) -> float:
    """How much errors widen because points scatter more than their errors allow.

    The square root of the reduced chi-square where it exceeds 1 by more than three of its standard
    deviations, otherwise 1: errors are not tuned by the noise of the chi-square itself.

    References
    ----------
    The scale factor of Rosenfeld 1975 (Ann. Rev. Nucl. Sci. 25, 555), used by the Particle Data Group.
    """
    if degrees_of_freedom < 1:
        return 1.0
    reduced = chi2 / degrees_of_freedom
    return sqrt(reduced) if reduced > 1.0 + 3.0 * sqrt(2.0 / degrees_of_freedom) else 1.0


def clipped_mean(values: Numbers, *, kappa: float = 5.0, iterations: int = 20) -> ClippedMean:
    """Mean and sigma after clipping at kappa sigma, values that are not finite passed over.

    Starts from the median and the half width of the central 68 per cent, then takes in every round
    all values within kappa sigma of the mean, with sigma corrected for the Gaussian tails beyond kappa,
    until the number kept is stable. With integers whose sigma is far below one unit it starts from the
    standard deviation.

    Parameters
    ----------
    values : array of any shape
    kappa : float
        Clipping limit in sigmas.
    iterations : int
        Most rounds.

    Returns
    -------
    ClippedMean
        All NaN where no value is finite; sigma and errors NaN for a single value.

    References
    ----------
    Clipping: Stetson 1989, V Advanced School of Astrophysics, p. 51; its tails: `truncation_factor`; error
    of a standard deviation from the fourth moment: Kendall & Stuart 1977, The Advanced Theory of
    Statistics 1, chapter 10.
    """
    finite = np.ravel(values)
    if finite.dtype.kind == "f":
        finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return ClippedMean(nan, nan, nan, nan, 0, 0)
    centre, sigma = _start(finite)
    factor = truncation_factor(kappa)
    kept, last = finite, -1
    for _ in range(max(iterations, 1)):
        inside = np.abs(finite - centre) <= kappa * sigma
        number = int(np.count_nonzero(inside))
        if number in (last, 0):  # 0: equal values, off their mean by rounding
            break
        kept, last = finite[inside], number
        centre = float(np.mean(kept, dtype=np.float64))
        if number < 2:
            break
        sigma = sqrt(float(np.var(kept, ddof=1, dtype=np.float64)) / factor)
    count = kept.size
    if count < 2:
        return ClippedMean(centre, nan, nan, nan, count, finite.size - count)
    deviations = kept.astype(np.float64) - centre
    square = np.square(deviations)
    second = float(np.mean(square))
    fourth = float(np.mean(np.square(square, out=square)))
    sigma_error = sqrt(max(fourth - second**2, 0.0) / count) / (2.0 * sqrt(second)) if second > 0 else 0.0
    return ClippedMean(centre, sigma / sqrt(count), sigma, sigma_error, count, finite.size - count)


def _start(finite: Numbers) -> tuple[float, float]:
    # An odd stride sees every column of an image whose width is a power of two.
    sample = finite[:: (finite.size // _START_SIZE) | 1]
    low, middle, high = np.percentile(sample, [15.8655, 50.0, 84.1345])
    sigma = 0.5 * float(high - low)
    if sigma == 0.0:
        sigma = float(np.std(finite, dtype=np.float64))
    return float(middle), sigma


def robust_sigma(values: Numbers, *, kappa: float = 3.5) -> float:
    """Standard deviation of the bulk of the values, outliers and values that are not finite left out.

    The sigma of `clipped_mean`: unlike the median absolute deviation it is not quantised on integer data
    and loses little of the precision of a standard deviation.

    References
    ----------
    As of `clipped_mean`.
    """
    return clipped_mean(values, kappa=kappa).sigma


def autocorrelation_factors(
    residual: Numbers, max_lag: int = 8, *, kappa: float = 5.0
) -> tuple[float, float]:
    r"""How much correlated noise widens the errors of a mean (c1) and of a variance (c2).

    :math:`c_1 = 1 + 2 \sum \rho`, :math:`c_2 = 1 + 2 \sum \rho^2` over all lags of a half plane with
    \|dx\|, \|dy\| <= ``max_lag``: the error of a mean of n pixels is :math:`\sqrt{c_1 \sigma^2 / n}`,
    the relative error of a variance :math:`\sqrt{2 c_2 / n}`.

    Parameters
    ----------
    residual : (ny, nx)
        A difference of two frames, or what is left of one after its model. Pixels that are not finite,
        and those more than kappa sigma from the mean, count neither in sums nor in numbers.
    max_lag : int
        Largest lag in rows and columns.
    kappa : float
        Clipping limit in sigmas.

    Returns
    -------
    c1, c2 : float
        c1 is not below 0. White noise of n pixels leaves an uncertainty of about
        2 (2 max_lag + 1) / sqrt(2 n) in c1.  Both 1 where the residual does not vary.

    References
    ----------
    Priestley 1981, Spectral Analysis and Time Series, section 5.3 (variance of a sample mean and of a
    sample variance), in two dimensions.
    """
    bulk = clipped_mean(residual, kappa=kappa)
    if not bulk.sigma > 0:
        return 1.0, 1.0
    values = (np.asarray(residual, dtype=np.float64) - bulk.mean).astype(np.float32)
    inside = np.abs(values) <= kappa * bulk.sigma  # False for NaN too
    values[~inside] = 0.0
    everywhere = bool(inside.all())
    sums, counts = kernels.lag_products(values, None if everywhere else inside.view(np.uint8), max_lag)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = np.where(counts > 0, sums / counts, 0.0)
    rho = covariance / covariance[0, max_lag]
    rho[0, : max_lag + 1] = 0.0  # the half plane: rows above, and columns to the right
    return max(1.0 + 2.0 * float(np.sum(rho)), 0.0), 1.0 + 2.0 * float(np.sum(np.square(rho)))
