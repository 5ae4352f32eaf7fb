"""Gains of amplifiers tied to one another by flats, which all of them see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Numbers
from fiducial.algorithms.flat import solve_levels
from fiducial.algorithms.statistics import scatter_inflation
from fiducial.errors import AlgorithmError

_LEAST_OF_PLANE = 5  # amplifiers: two more than the plane's numbers


@dataclass(frozen=True, slots=True, eq=False)
class TiedGains:
    """Gains whose ratios are those of flats, and whose common factor is that of photon transfer.

    Attributes
    ----------
    gains, errors : (amplifiers,) float64
        Electrons per adu; NaN for an amplifier that flats say nothing of. The error is that of the common
        factor and of the ratio.
    ratios, ratio_errors : (amplifiers,) float64
        Of the gain to the geometric mean of all.
    change : (amplifiers,) float64
        Tied gain over that of photon transfer, less 1; NaN without the latter.
    used : (amplifiers,) bool
        Whose photon transfer gave the common factor.
    chi2 : float
        Of those about one factor.
    freedom : int
    determined : bool
    reason : str
        Why not.
    """

    gains: Float64
    errors: Float64
    ratios: Float64
    ratio_errors: Float64
    change: Float64
    used: Flags
    chi2: float
    freedom: int
    determined: bool
    reason: str


def tie_gains(
    levels: Numbers,
    level_errors: Numbers,
    gains: Numbers,
    gain_errors: Numbers,
    *,
    light: Numbers | None = None,
    light_error: float = 0.0,
    most_change: float = 0.05,
) -> TiedGains:
    r"""Gain ratios from levels of flats, and the factor that brings them next to given gains.

    As many electrons in every amplifier: :math:`\mu_{ea} g_a = E_e L_a`, so that levels give
    :math:`g_a / L_a` but for a factor common to all. Where the light is known, ratios are far better known
    than gains by photon transfer: to a thousandth by some pixels, whatever the light does in time.

    Parameters
    ----------
    levels, level_errors : (exposures, amplifiers)
        Mean signal of each flat on each amplifier, adu, and its error; NaN: missing.
    gains, gain_errors : (amplifiers,)
        By photon transfer, electrons per adu; NaN: missing.
    light : (amplifiers,), optional
        Relative light on each; the same if not given.
    light_error : float
        Relative error of the light on each amplifier.
    most_change : float
        An amplifier whose photon transfer is off by more (and by more than 5 errors) has no say in the
        common factor.

    Returns
    -------
    TiedGains

    References
    ----------
    The two-way layout of `fiducial.algorithms.flat.solve_levels`; weighted means: Bevington & Robinson 2003,
    Data Reduction and Error Analysis, chapter 4.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.asarray(level_errors, np.float64) / levels
        weights = np.where(np.isfinite(relative) & (relative > 0) & (levels > 0), relative**-2.0, 0.0)
    try:
        solved = solve_levels(np.where(weights > 0, levels, np.nan), weights)
    except AlgorithmError as problem:
        return _untied(len(gains), str(problem))
    log_ratio = -np.log(solved.unit)
    if light is not None:
        log_ratio = log_ratio + np.log(light)
    variance = _variance(weights, solved.residual) + light_error**2
    log_ratio = np.where(np.isfinite(variance), log_ratio, np.nan)
    log_ratio -= np.nanmean(log_ratio) if np.isfinite(log_ratio).any() else 0.0
    return _scaled(log_ratio, variance, np.asarray(gains), np.asarray(gain_errors), most_change)


def light_plane(tied: TiedGains, gains: Numbers, gain_errors: Numbers, places: Numbers) -> Float64 | None:
    """The light on each amplifier as a plane over the detector, by gains of photon transfer.

    Levels give gain over light; with gains by photon transfer follows the light, and a plane through it has
    less noise than each. What gains have of a plane themselves stays as photon transfer says.

    Parameters
    ----------
    tied
        By levels, as if all amplifiers had the same light.
    gains, gain_errors : (amplifiers,)
        By photon transfer; NaN: missing.
    places : (amplifiers, 2)
        Centres.

    Returns
    -------
    (amplifiers,) float64 or None
        Relative to 1 at their mean place; None where fewer than five amplifiers tell it.

    References
    ----------
    Weighted least squares: Bevington & Robinson 2003, Data Reduction and Error Analysis, chapter 7.
    """
    g, errors = np.asarray(gains, np.float64), np.asarray(gain_errors, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        light = g / tied.ratios
        weight = g / errors / light
    known = np.isfinite(light) & np.isfinite(weight) & (weight > 0)
    if np.count_nonzero(known) < _LEAST_OF_PLANE:
        return None
    centred = np.asarray(places, np.float64) - np.mean(places, axis=0)
    centred = centred[:, np.ptp(centred, axis=0) > 0]  # amplifiers side by side tell one slope
    terms = np.concatenate([np.ones((len(g), 1)), centred], axis=1)
    plane, *_ = np.linalg.lstsq(terms[known] * weight[known, None], (light * weight)[known], rcond=None)
    result: Float64 = terms @ plane / plane[0]
    return result if (result > 0).all() else None


def _variance(weights: Float64, residual: Float64) -> Float64:
    """Of log ratios: the weights of an amplifier's levels, and their scatter where it is larger."""
    total = weights.sum(axis=0)
    number = np.count_nonzero(weights > 0, axis=0)
    chi2 = np.nansum(weights * np.square(residual), axis=0)
    inflation = np.array([scatter_inflation(c, n - 1) for c, n in zip(chi2, number, strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(total > 0, inflation**2 / total, np.inf))


def _scaled(
    log_ratio: Float64, variance: Float64, gains: Float64, gain_errors: Float64, most_change: float
) -> TiedGains:
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.log(gains) - log_ratio
        spread = np.square(gain_errors / gains) + variance
    used = np.isfinite(offset) & np.isfinite(spread) & (spread > 0)
    if not used.any():
        return _untied(len(gains), "no amplifier has both a gain and flats")
    centre = float(np.median(offset[used]))
    used &= np.abs(offset - centre) <= np.fmax(most_change, 5.0 * np.sqrt(np.where(used, spread, 0.0)))
    if not used.any():
        return _untied(len(gains), "gains by photon transfer do not agree with the ratios of flats")
    weight = 1.0 / spread[used]
    factor = float(np.average(offset[used], weights=weight))
    chi2 = float(np.sum(weight * np.square(offset[used] - factor)))
    freedom = int(np.count_nonzero(used)) - 1
    factor_variance = scatter_inflation(chi2, freedom) ** 2 / float(np.sum(weight))
    tied = np.exp(log_ratio + factor)
    ratios = np.exp(log_ratio)
    # The ratio's own error is in the factor too, by its share of the weight.
    share = np.zeros_like(variance)
    share[used] = weight / weight.sum()
    own = np.where(np.isfinite(variance), variance * (1.0 - 2.0 * share), np.nan)
    return TiedGains(
        gains=tied,
        errors=tied * np.sqrt(np.maximum(factor_variance + own, 0.0)),
        ratios=ratios,
        ratio_errors=ratios * np.sqrt(variance),
        change=tied / gains - 1.0,
        used=used,
        chi2=chi2,
        freedom=freedom,
        determined=True,
        reason="",
    )


def _untied(size: int, reason: str) -> TiedGains:
    nothing = np.full(size, np.nan)
    return TiedGains(
        gains=nothing,
        errors=nothing,
        ratios=nothing,
        ratio_errors=nothing,
        change=nothing,
        used=np.zeros(size, bool),
        chi2=np.nan,
        freedom=0,
        determined=False,
        reason=reason,
    )
