"""Mean, variance and covariances of the pixels of a pair of flats: one point of a photon transfer curve."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Float64, Int64, Numbers
from fiducial.algorithms.lag_sums import LARGEST_DIRECT_LAG, LagSums, lag_sums_by_fft
from fiducial.algorithms.statistics import truncation_factor
from fiducial.kernels import PairProducts, pair_products

LEAST_PIXELS = 100
"""Of a pair that says anything."""

_LEAST_SIGNAL = 10.0  # of a mean that frames are scaled by, in its own standard errors


@dataclass(frozen=True, slots=True, eq=False)
class PairCovariances:
    """What a pair of flats says about one amplifier.

    Attributes
    ----------
    mean : float
        Of both frames, over the pixels kept.
    first, second : float
        Mean of each frame.
    number, clipped : int
        Pixels kept, and usable ones rejected.
    covariances : (max_lag + 1, max_lag + 1) float64
        ``covariances[i, j]`` of pixels i rows and j columns apart, in one frame: half that of the
        difference, restored for the tails that clipping takes away; pixels on both sides (j and -j)
        averaged. ``covariances[0, 0]`` is the variance. NaN where no pair of pixels is.
    counts : the same, int64
        Pairs of pixels in each.
    errors : the same, float64
        Expected of Gaussian noise: `covariance_errors`.
    noise_weight : float
        How much more the noise without light counts where the difference was divided by the root of the
        light: the mean of 1 / light.
    determined : bool
        Whether there is anything to go by; if not, numbers are NaN or mean nothing.
    reason : str
        Why not.
    """

    mean: float
    first: float
    second: float
    number: int
    clipped: int
    covariances: Float64
    counts: Int64
    errors: Float64
    noise_weight: float
    determined: bool
    reason: str


def covariance_errors(variance: Float64 | float, counts: Int64 | Float64) -> Float64:
    r"""Standard errors of covariances that are measured over numbers of pairs of pixels.

    :math:`\sigma(C_{00}) = V \sqrt{2/N}` and :math:`\sigma(C_{ij}) = V / \sqrt{N}` for Gaussian noise whose
    correlations are small: what they add is of the order of the square of the correlation, 1e-4 for CCDs.

    Parameters
    ----------
    variance : float or (...)
    counts : (..., lags, lags)

    References
    ----------
    Kendall & Stuart 1977, The Advanced Theory of Statistics 1, section 13 (moments of a bivariate normal
    distribution); Astier et al. 2019 (A&A 629, A36), section 4.
    """
    with np.errstate(divide="ignore"):
        errors = np.asarray(variance, np.float64)[..., None, None] / np.sqrt(counts)
    errors[..., 0, 0] *= np.sqrt(2.0)
    return errors


def pair_covariances(
    first: Numbers,
    second: Numbers,
    usable: Flags | None = None,
    *,
    max_lag: int,
    kappa: float = 5.0,
    illumination: Float32 | None = None,
    match_levels: bool = True,
    threads: int = 1,
) -> PairCovariances:
    r"""Variance and covariances of one amplifier from two flats of one level.

    The frames are scaled to their common mean, so that neither drift of the lamp nor structure of the
    flat remains in the difference; pixels beyond kappa sigma of the difference are left out in rounds. A
    Gaussian cut off at kappa has the variance :math:`f \sigma^2`, a pair of little correlated ones the
    covariance :math:`f^2 C`: both are restored.

    Parameters
    ----------
    first, second : (ny, nx)
        Flats less their bias or overscan level, adu. Pixels that are not finite in either are passed
        over; saturated ones are the caller's to mask.
    usable : (ny, nx) bool, optional
        Which pixels may be used.
    max_lag : int
        Largest lag in rows and columns. Direct sums up to lag 24, Fourier transforms beyond.
    kappa : float
        Clipping limit in sigmas.
    illumination : (ny, nx), optional
        Relative light, of any mean. The difference is divided by the root of it, which is the local expected
        noise, so that clipping is fair everywhere and the variance that of the mean light. Read noise then
        counts by ``noise_weight``, which fits take into account.
    match_levels : bool
        False leaves the frames as they are: differences of integers are summed exactly and three times as
        fast, for lamps that are stable to 1e-3.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    PairCovariances

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), section 4 and appendix A; truncated Gaussians: Johnson, Kotz &
    Balakrishnan 1994, Continuous Univariate Distributions 1, section 13.10.
    """
    if first.size == 0:
        return _undetermined(max_lag, "the amplifier has no pixels")
    direct = max_lag <= LARGEST_DIRECT_LAG
    level = pair_products(first, second, usable, max_lag=None, kappa=kappa, threads=threads)
    if level.number < LEAST_PIXELS:
        return _undetermined(max_lag, f"{level.number} usable pixels, at least {LEAST_PIXELS} are needed")
    frames, noise_weight = (first, second), 1.0
    if match_levels or illumination is not None:
        frames, noise_weight = _normalised(first, second, usable, level, illumination, match_levels)
    difference = pair_products(
        *frames, usable, max_lag=max_lag if direct else None, kappa=kappa, threads=threads
    )
    if difference.number < LEAST_PIXELS:
        return _undetermined(
            max_lag, f"{difference.number} usable pixels, at least {LEAST_PIXELS} are needed"
        )
    if not difference.variance > 0:
        return _undetermined(max_lag, "the two frames do not differ")
    products = (
        LagSums(difference.sums, difference.counts)
        if direct
        else _transformed(*frames, usable, difference, max_lag)
    )
    return _point(level, difference, products, kappa, noise_weight)


def _normalised(
    first: Numbers,
    second: Numbers,
    usable: Flags | None,
    level: PairProducts,
    illumination: Float32 | None,
    match_levels: bool,
) -> tuple[tuple[Numbers, Numbers], float]:
    """Frames of one level, in units of the local expected noise, and the mean square of those units."""
    mean = 0.5 * (level.first + level.second)
    lit = min(level.first, level.second) > _LEAST_SIGNAL * np.sqrt(0.5 * level.variance / level.number)
    scales = (mean / level.first, mean / level.second) if match_levels and lit else (1.0, 1.0)
    weight: Float32 | np.float32 = np.float32(1.0)
    noise_weight = 1.0
    if illumination is not None:
        light = np.where(illumination > 0, illumination, np.nan).astype(np.float32)
        seen = light if usable is None else light[usable]
        noise_weight = float(np.nanmean(seen) * np.nanmean(1.0 / seen))
        weight = np.sqrt(np.nanmean(seen) / light)
    with np.errstate(invalid="ignore"):
        one, two = (
            np.multiply(frame, np.float32(scale) * weight, dtype=np.float32)
            for frame, scale in zip((first, second), scales, strict=True)
        )
    return (one, two), noise_weight


def _transformed(
    first: Numbers, second: Numbers, usable: Flags | None, kept: PairProducts, max_lag: int
) -> LagSums:
    difference = np.subtract(first, second, dtype=np.float64)
    inside = (difference >= kept.lowest) & (difference <= kept.highest) & np.isfinite(difference)
    if usable is not None:
        inside &= usable
    return lag_sums_by_fft(np.where(inside, difference - kept.difference, 0.0), inside, max_lag)


def _point(
    level: PairProducts, difference: PairProducts, products: LagSums, kappa: float, noise_weight: float
) -> PairCovariances:
    sums, counts = _folded(products.sums), _folded(products.counts)
    tails = truncation_factor(kappa)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariances = np.where(counts > 0, 0.5 * sums / counts / tails**2, np.nan)
    covariances[0, 0] *= tails
    # What the mean, taken off the difference, has in common with its pixels.
    covariances += covariances[0, 0] / difference.number
    return PairCovariances(
        0.5 * (level.first + level.second),
        level.first,
        level.second,
        difference.number,
        difference.clipped,
        covariances,
        counts.astype(np.int64),
        covariance_errors(covariances[0, 0], counts),
        noise_weight,
        True,
        "",
    )


def _folded[Plane: (Float64, Int64)](plane: Plane) -> Plane:
    """Both sides added; lags in one row or column have one only, their own mirror."""
    lag = plane.shape[0] - 1
    right = plane[:, lag:].copy()
    right[1:, 1:] += plane[1:, :lag][:, ::-1]
    return right


def _undetermined(max_lag: int, reason: str) -> PairCovariances:
    shape = (max_lag + 1, max_lag + 1)
    nothing = np.full(shape, nan)
    return PairCovariances(
        nan, nan, nan, 0, 0, nothing, np.zeros(shape, np.int64), nothing.copy(), 1.0, False, reason
    )
