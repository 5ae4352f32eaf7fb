"""Gain, read noise and the brighter-fatter variance deficit from a photon transfer curve of variances."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64
from fiducial.algorithms.gauss_newton import (
    Derivatives,
    Evaluate,
    Prior,
    Solution,
    Weigh,
    covariance_at,
    least_squares,
)
from fiducial.algorithms.ptc_bootstrap import bootstrap_errors
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.algorithms.ptc_turnoff import start_of
from fiducial.algorithms.statistics import scatter_inflation

NOISE_LIMIT = 0.1
"""Relative error from which on a fitted read noise is poorly constrained."""


@dataclass(frozen=True, slots=True)
class ReadNoise:
    """Noise of a pixel without light as the overscan shows it, and its error, adu."""

    sigma: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class VarianceFit:
    """What a curve of variances says about one amplifier.

    Attributes
    ----------
    gain, gain_error : float
        Electrons per adu.
    noise, noise_error : float
        Read noise, electrons; NaN where it is poorly constrained and no other is known.
    noise_constrained : bool
        Whether the curve alone gives the noise to 10 per cent. If not, ``noise`` is that of the overscan,
        which took part in the fit.
    a00, a00_error : float
        1/electron; of a polynomial its second coefficient.
    rolloff, rolloff_error : float
        Level where 1 per cent of the variance is missing, adu; NaN if it was not fitted.
    rolloff_width, rolloff_width_error : float
        Over which the missing share grows by e, adu.
    parameters, covariance, bootstrap : float64
        Of the curve (`VarianceCurve`), and their errors from resampled pairs.
    model : (n,) float64
        Variance at every mean, NaN where a mean is missing, adu^2.
    kept : (n,) bool
        Pairs that were fitted.
    chi2 : float
    freedom : int
        Degrees of freedom. Errors are widened where points scatter significantly more than they should.
    determined : bool
    reason : str
        Why not.
    """

    gain: float
    gain_error: float
    noise: float
    noise_error: float
    noise_constrained: bool
    a00: float
    a00_error: float
    rolloff: float
    rolloff_error: float
    rolloff_width: float
    rolloff_width_error: float
    parameters: Float64
    covariance: Float64
    bootstrap: Float64
    model: Float64
    kept: Flags
    chi2: float
    freedom: int
    determined: bool
    reason: str


def fit_variances(
    curve: TransferCurve,
    kept: Flags | None = None,
    *,
    shape: VarianceCurve | None = None,
    read_noise: ReadNoise | None = None,
    samples: int = 200,
) -> VarianceFit:
    """Fit variance against mean.

    Parameters
    ----------
    curve : TransferCurve
        Electrons are never seen here: all is in adu.
    kept : (n,) bool, optional
        Pairs to use, as `fiducial.algorithms.ptc_turnoff.find_turnoff` gives them; those that were not
        measured are left out anyhow.
    shape : VarianceCurve, optional
        Exponential unless said otherwise. A roll-off needs pairs up to the turn-off and above the roll-off.
    read_noise : ReadNoise, optional
        Used where the curve constrains the noise to worse than 10 per cent.
    samples : int
        Resampled curves for errors by bootstrap; 0: none.

    Returns
    -------
    VarianceFit
        Bad data make no exception: ``determined`` is False and ``reason`` says why.

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), equation 16; Janesick 2007, Photon Transfer; errors widen as in
    `fiducial.algorithms.statistics.scatter_inflation`.
    """
    form = shape or VarianceCurve()
    used = curve.measured if kept is None else curve.measured & kept
    lack = curve.lack(used)
    if not lack and int(np.count_nonzero(used)) < form.size:
        lack = f"{int(np.count_nonzero(used))} pairs for a curve of {form.size} parameters"
    if lack:
        return _undetermined(curve, form, lack)
    solution = _solve(curve, used, form, None)
    constrained = noise_constrained(solution, *_problem(curve, used, form), form.noise, read_noise)
    if not constrained and read_noise is not None:
        solution = _solve(curve, used, form, read_noise)
    return _result(curve, used, form, solution, constrained, read_noise, samples)


def _solve(
    curve: TransferCurve, used: Flags, form: VarianceCurve, read_noise: ReadNoise | None
) -> Solution[Float64]:
    means, variances = curve.means[used], curve.variances[used]
    start = _start(means, variances, form)
    prior = None
    if read_noise is not None:
        prior = Prior(np.zeros(form.size), np.zeros(form.size))
        prior.values[form.noise] = start[form.noise] = read_noise.sigma**2
        prior.weights[form.noise] = (2.0 * read_noise.sigma * max(read_noise.error, 1e-6)) ** -2
    return least_squares(*_problem(curve, used, form), variances, start, prior)


def _problem(curve: TransferCurve, used: Flags, form: VarianceCurve) -> tuple[Evaluate[Float64], Weigh]:
    """The model at the means of the pairs that are used, and the weights of their variances."""
    counts = curve.counts[used, 0, 0].astype(np.float64)
    return (
        form.evaluator(curve.means[used], curve.weights_of_noise(used)),
        lambda model: 0.5 * counts / np.square(model),
    )


def _start(means: Float64, variances: Float64, form: VarianceCurve) -> Float64:
    start = np.zeros(form.size)
    if not form.rolloff:
        start[0], start[1], start[form.noise] = start_of(means, variances)
        return start
    low = means <= np.quantile(means, 0.7)
    start[0], start[1], start[form.noise] = start_of(means[low], variances[low])
    model, _ = form.evaluator(means)(np.concatenate([start[:-2], [np.inf, 1.0]]))
    missing = 1.0 - variances / model
    top = float(means.max())
    past = means[(missing > 0.01) & ~low]
    start[-2] = past.min() if past.size else top
    start[-1] = 0.05 * top
    return start


def noise_constrained[D: Float64 | Derivatives](
    solution: Solution[D], evaluate: Evaluate[D], weigh: Weigh, place: int, read_noise: ReadNoise | None
) -> bool:
    """Whether a fit alone gives the noise, the parameter at ``place``, to 10 per cent.

    Where the noise of the overscan is known, the error is that expected of it: the fitted noise would let
    pass those fits that came out with much of it, and all that pass would be biased.
    """
    noise, covariance = float(solution.parameters[place]), solution.covariance
    if not (solution.converged and noise > 0):
        return False
    if read_noise is not None:
        expected = solution.parameters.copy()
        expected[place] = noise = read_noise.sigma**2
        covariance = covariance_at(evaluate, weigh, expected)
    return bool(sqrt(max(float(covariance[place, place]), 0.0)) < 2.0 * NOISE_LIMIT * noise)


def _result(
    curve: TransferCurve,
    used: Flags,
    form: VarianceCurve,
    solution: Solution[Float64],
    constrained: bool,
    read_noise: ReadNoise | None,
    samples: int,
) -> VarianceFit:
    gain = float(solution.parameters[0])
    if not (solution.converged and gain > 0):
        return _undetermined(curve, form, "the curve does not fit: no gain follows")
    freedom = int(np.count_nonzero(used)) - form.size
    inflation = scatter_inflation(solution.chi2, freedom)
    covariance = solution.covariance * inflation**2
    errors = np.sqrt(np.diag(covariance))
    parameters = solution.parameters
    model = np.full(curve.means.shape, nan)
    known = np.isfinite(curve.means)
    model[known] = form.evaluator(curve.means[known], curve.weights_of_noise(known))(parameters)[0]
    noise, noise_error = electrons_of_noise(covariance, parameters, form.noise)
    if not constrained and read_noise is None:
        noise, noise_error = nan, nan
    groups = np.arange(len(solution.model))
    residual = curve.variances[used] - solution.model
    resampled = bootstrap_errors(solution.derivatives, solution.weights, residual, groups, samples=samples)
    with_a = form.model == "exponential" or form.order >= 2
    return VarianceFit(
        gain=gain,
        gain_error=float(errors[0]),
        noise=noise,
        noise_error=noise_error,
        noise_constrained=constrained,
        a00=float(parameters[1]) if with_a else nan,
        a00_error=float(errors[1]) if with_a else nan,
        rolloff=float(parameters[-2]) if form.rolloff else nan,
        rolloff_error=float(errors[-2]) if form.rolloff else nan,
        rolloff_width=float(parameters[-1]) if form.rolloff else nan,
        rolloff_width_error=float(errors[-1]) if form.rolloff else nan,
        parameters=parameters,
        covariance=covariance,
        bootstrap=resampled,
        model=model,
        kept=used,
        chi2=solution.chi2,
        freedom=freedom,
        determined=True,
        reason="",
    )


def electrons_of_noise(covariance: Float64, parameters: Float64, place: int) -> tuple[float, float]:
    """Read noise in electrons and its error, from the gain (the first parameter) and a variance in adu^2."""
    gain, variance = float(parameters[0]), float(parameters[place])
    if not variance > 0:
        return nan, nan
    sigma = sqrt(variance)
    slope = np.array([sigma, 0.5 * gain / sigma])
    part = covariance[np.ix_([0, place], [0, place])]
    return gain * sigma, sqrt(float(slope @ part @ slope))


def _undetermined(curve: TransferCurve, form: VarianceCurve, reason: str) -> VarianceFit:
    nothing = np.full(form.size, nan)
    return VarianceFit(
        gain=nan,
        gain_error=nan,
        noise=nan,
        noise_error=nan,
        noise_constrained=False,
        a00=nan,
        a00_error=nan,
        rolloff=nan,
        rolloff_error=nan,
        rolloff_width=nan,
        rolloff_width_error=nan,
        parameters=nothing,
        covariance=np.full((form.size, form.size), nan),
        bootstrap=nothing,
        model=np.full(curve.means.shape, nan),
        kept=np.zeros(curve.means.shape, bool),
        chi2=nan,
        freedom=0,
        determined=False,
        reason=reason,
    )
