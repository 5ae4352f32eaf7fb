"""From points of photon transfer to what they say of an amplifier."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.algorithms.ptc_covariance_fit import CovarianceFit, fit_covariances
from fiducial.algorithms.ptc_curve import LEAST_LEVELS, TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise, VarianceFit, fit_variances
from fiducial.algorithms.ptc_rolloff import fit_rolloff
from fiducial.algorithms.ptc_turnoff import TurnOff, find_turnoff
from fiducial.products.ptc import AmplifierTransfer, TransferFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.pair_covariances import PairCovariances
    from fiducial.algorithms.ptc_models import VarianceCurve

_LEAST_ERROR = 1e-3  # relative, of a read noise


def fit_amplifier(
    name: str,
    points: Sequence[PairCovariances],
    noise: ReadNoise | None,
    *,
    model: str,
    shape: VarianceCurve,
    with_b: bool = True,
    rolloff: bool = False,
    samples: int = 100,
) -> AmplifierTransfer:
    """Find the turn-off of an amplifier's curve and fit it.

    Parameters
    ----------
    name
        Of the amplifier.
    points
        One a pair.
    noise
        Of the overscan; None: not known.
    model
        ``exponential``, ``polynomial`` or ``covariance``.
    shape
        The curve of variances.
    with_b, samples
        As of `fit_covariances`.
    rolloff
        Whether a roll-off is looked for; where there is none, the curve has none.
    """
    curve = TransferCurve.of(points)
    turnoff = find_turnoff(curve)
    # A curve too short for a turn-off has too few points for a fit, which says so.
    kept = turnoff.kept if np.count_nonzero(turnoff.kept) >= LEAST_LEVELS else None
    fit: CovarianceFit | VarianceFit
    if model == "covariance":
        fit = fit_covariances(curve, kept, with_b=with_b, read_noise=noise, samples=samples)
        stored = _of_covariances(fit)
    else:
        fit = fit_variances(curve, kept, shape=shape, read_noise=noise, samples=samples)
        with_rolloff = fit_rolloff(curve, turnoff, fit, shape, noise, samples) if rolloff else None
        fit = with_rolloff or fit
        stored = _of_variances(fit, model, shape, curve)
    return _transfer(name, points, curve, turnoff, noise, fit.kept, stored)


def overscan_noise(noise: NDArray[np.float64]) -> ReadNoise | None:
    """Read noise of one amplifier from the overscans of many frames: their median, and its error.

    Parameters
    ----------
    noise : (n,)
        Of each frame, adu; NaN: none.
    """
    known = noise[np.isfinite(noise) & (noise > 0)]
    if known.size == 0:
        return None
    sigma = float(np.median(known))
    scatter = float(np.std(known, ddof=1)) if known.size > 1 else 0.0
    return ReadNoise(sigma, max(sqrt(pi / 2.0 / known.size) * scatter, _LEAST_ERROR * sigma))


def _transfer(
    name: str,
    points: Sequence[PairCovariances],
    curve: TransferCurve,
    turnoff: TurnOff,
    noise: ReadNoise | None,
    kept: NDArray[np.bool_],
    fit: TransferFit,
) -> AmplifierTransfer:
    def each(attribute: str) -> NDArray[np.float64]:
        return np.array([getattr(p, attribute) if p.determined else nan for p in points], np.float64)

    return AmplifierTransfer(
        name=name,
        mean=curve.means,
        first_mean=each("first"),
        second_mean=each("second"),
        covariances=curve.covariances,
        counts=curve.counts,
        noise_weight=np.array([point.noise_weight for point in points], np.float64),
        kept=kept,
        outlier=turnoff.outliers,
        reasons=tuple(point.reason for point in points),
        read_noise=noise.sigma if noise else nan,
        read_noise_error=noise.error if noise else nan,
        turnoff=turnoff.level,
        turnoff_error=turnoff.error,
        turnoff_found=bool(turnoff.found),
        fit=fit,
    )


def _of_covariances(fit: CovarianceFit) -> TransferFit:
    names = (
        *("gain", "gain_error", "gain_bootstrap", "noise", "noise_error", "noise_constrained"),
        *("a", "a_error", "a_bootstrap", "b", "b_error", "noise_matrix", "noise_matrix_error"),
        *("chi2", "freedom", "determined", "reason"),
    )
    values: dict[str, Any] = {name: getattr(fit, name) for name in names}
    return TransferFit(model="covariance", parameters=np.empty(0), curve=fit.model, **values)


def _of_variances(fit: VarianceFit, model: str, shape: VarianceCurve, curve: TransferCurve) -> TransferFit:
    lags = curve.covariances.shape[1]
    nothing = np.full((lags, lags), nan)
    expected = np.full(curve.covariances.shape, nan)
    expected[:, 0, 0] = fit.model
    gain, place = fit.gain, shape.noise
    with_a = shape.model == "exponential" or shape.order >= 2
    noise, noise_error = fit.parameters[place], np.sqrt(fit.covariance[place, place])
    return TransferFit(
        model=model,
        determined=fit.determined,
        reason=fit.reason,
        gain=gain,
        gain_error=fit.gain_error,
        gain_bootstrap=float(fit.bootstrap[0]),
        noise=fit.noise,
        noise_error=fit.noise_error,
        noise_constrained=fit.noise_constrained,
        a=_at_zero(fit.a00, lags),
        a_error=_at_zero(fit.a00_error, lags),
        a_bootstrap=_at_zero(float(fit.bootstrap[1]) if with_a else nan, lags),
        b=nothing,
        b_error=nothing,
        noise_matrix=_at_zero(gain**2 * noise, lags),
        noise_matrix_error=_at_zero(gain**2 * noise_error, lags),
        parameters=fit.parameters,
        curve=expected,
        chi2=fit.chi2,
        freedom=fit.freedom,
        rolloff=fit.rolloff,
        rolloff_error=fit.rolloff_error,
        rolloff_width=fit.rolloff_width,
        rolloff_width_error=fit.rolloff_width_error,
    )


def _at_zero(value: float, lags: int) -> NDArray[np.float64]:
    matrix = np.full((lags, lags), nan)
    matrix[0, 0] = value
    return matrix
