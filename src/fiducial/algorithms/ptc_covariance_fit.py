"""Gain, read noise and the matrices of the brighter-fatter effect from covariances of flats."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64
from fiducial.algorithms.gauss_newton import Prior, Solution, least_squares
from fiducial.algorithms.ptc_bootstrap import bootstrap_errors
from fiducial.algorithms.ptc_covariance_derivatives import CovarianceDerivatives
from fiducial.algorithms.ptc_covariance_model import CovarianceModel, CovarianceParameters
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import (
    ReadNoise,
    VarianceFit,
    electrons_of_noise,
    fit_variances,
    noise_constrained,
)
from fiducial.algorithms.statistics import scatter_inflation


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceFit:
    """What the covariances of flats say about one amplifier.

    Matrices are (lags, lags): i rows and j columns away.

    Attributes
    ----------
    gain, gain_error, gain_bootstrap : float
        Electrons per adu, its standard error, and that from resampled pairs of flats.
    noise, noise_error : float
        Read noise, electrons; NaN where it is poorly constrained and no other is known.
    noise_constrained : bool
        Whether the fit alone gives the noise to 10 per cent. If not, that of the overscan took part.
    a, a_error, a_bootstrap : float64
        1/electron
    b, b_error : float64
        1/electron; c / a, wild where a is not significant; 0 and NaN where b was not fitted.
    noise_matrix, noise_matrix_error : float64
        Covariances without light, electron^2.
    model : (n, lags, lags) float64
        Covariances at every mean, adu^2; NaN where a mean is missing.
    kept : (n,) bool
        Pairs that were fitted.
    chi2 : float
    freedom : int
        Errors are widened where points scatter significantly more than they should.
    determined : bool
    reason : str
        Why not.
    """

    gain: float
    gain_error: float
    gain_bootstrap: float
    noise: float
    noise_error: float
    noise_constrained: bool
    a: Float64
    a_error: Float64
    a_bootstrap: Float64
    b: Float64
    b_error: Float64
    noise_matrix: Float64
    noise_matrix_error: Float64
    model: Float64
    kept: Flags
    chi2: float
    freedom: int
    determined: bool
    reason: str


def fit_covariances(
    curve: TransferCurve,
    kept: Flags | None = None,
    *,
    with_b: bool = True,
    read_noise: ReadNoise | None = None,
    samples: int = 50,
) -> CovarianceFit:
    """Fit all covariances against the mean together.

    Parameters
    ----------
    curve : TransferCurve
    kept : (n,) bool, optional
        Pairs to use, as `fiducial.algorithms.ptc_turnoff.find_turnoff` gives them; those with a covariance
        missing are left out anyhow.
    with_b : bool
        False: boundaries shift in proportion to the charge.
    read_noise : ReadNoise, optional
        Used where the covariances constrain the noise to worse than 10 per cent.
    samples : int
        Resampled curves for errors by bootstrap; 0: none.

    Returns
    -------
    CovarianceFit
        Bad data make no exception: ``determined`` is False and ``reason`` says why.

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), equation 20 and section 5.
    """
    used = curve.measured & np.isfinite(curve.covariances).all(axis=(1, 2)) & (curve.counts > 0).all((1, 2))
    if kept is not None:
        used &= kept
    first = fit_variances(curve, used, samples=0)
    if not first.determined:
        return _undetermined(curve, first.reason)
    problem = _Problem(curve, used, with_b)
    solution = problem.solve(first, None)
    constrained = noise_constrained(solution, problem.model, problem.weigh, problem.noise, read_noise)
    prior = None
    if not constrained and read_noise is not None:
        prior = problem.prior(read_noise)
        solution = problem.solve(first, prior)
    if not (solution.converged and solution.parameters[0] > 0):
        return _undetermined(curve, "the covariances do not fit: no gain follows")
    return _result(curve, problem, solution, constrained, prior, samples)


class _Problem:
    """The data of the pairs that are used, and the model at their means."""

    def __init__(self, curve: TransferCurve, used: Flags, with_b: bool) -> None:
        self.used, self.lags = used, curve.covariances.shape[1]
        self.means = curve.means[used]
        self.data = curve.covariances[used].ravel()
        self.model = CovarianceModel(
            self.means, self.lags, with_c=with_b, noise_weights=curve.weights_of_noise(used)
        )
        self.noise = 1 + self.lags**2  # its place among the parameters
        self._counts = curve.counts[used].astype(np.float64)
        self._counts[:, 0, 0] *= 0.5  # the error of a variance is sqrt(2) that of a covariance

    def weigh(self, values: Float64) -> Float64:
        variances = values.reshape(self._counts.shape)[:, 0, 0]
        return np.asarray((self._counts / np.square(variances)[:, None, None]).ravel())

    def solve(self, first: VarianceFit, prior: Prior | None) -> Solution[CovarianceDerivatives]:
        return least_squares(self.model, self.weigh, self.data, self._start(first), prior)

    def _start(self, first: VarianceFit) -> Float64:
        """Slopes of covariance / mean^2 in electrons, and the fit of the variances alone at lag 0."""
        data = self.data.reshape(-1, self.lags, self.lags)
        square = np.square(self.means)
        a = np.tensordot(square, data, 1) / np.sum(square**2)
        a[0, 0], noise = first.a00, np.zeros((self.lags, self.lags))
        noise[0, 0] = first.parameters[2]
        zeros = np.zeros((self.lags, self.lags))
        return CovarianceParameters(first.gain, a, zeros, noise).packed(with_c=self.model.with_c)

    def prior(self, read_noise: ReadNoise) -> Prior:
        prior = Prior(np.zeros(self.model.size), np.zeros(self.model.size))
        prior.values[self.noise] = read_noise.sigma**2
        prior.weights[self.noise] = (2.0 * read_noise.sigma * max(read_noise.error, 1e-6)) ** -2
        return prior


def _result(
    curve: TransferCurve,
    problem: _Problem,
    solution: Solution[CovarianceDerivatives],
    constrained: bool,
    prior: Prior | None,
    samples: int,
) -> CovarianceFit:
    lags, with_c = problem.lags, problem.model.with_c
    freedom = len(problem.data) - problem.model.size
    covariance = solution.covariance * scatter_inflation(solution.chi2, freedom) ** 2
    errors = np.sqrt(np.diag(covariance))
    value = CovarianceParameters.unpacked(solution.parameters, lags, with_c=with_c)
    error = CovarianceParameters.unpacked(errors, lags, with_c=with_c)
    groups = np.repeat(np.arange(len(problem.means)), lags**2)
    resampled = bootstrap_errors(
        solution.derivatives,
        solution.weights,
        problem.data - solution.model,
        groups,
        samples=samples,
        prior=None if prior is None else prior.weights,
    )
    noise = electrons_of_noise(covariance, solution.parameters, problem.noise)
    b, b_error = _ratio(value, covariance, lags) if with_c else (value.c, np.full((lags, lags), nan))
    known_noise = constrained or prior is not None
    return CovarianceFit(
        gain=value.gain,
        gain_error=float(errors[0]),
        gain_bootstrap=float(resampled[0]),
        noise=noise[0] if known_noise else nan,
        noise_error=noise[1] if known_noise else nan,
        noise_constrained=constrained,
        a=value.a,
        a_error=error.a,
        a_bootstrap=CovarianceParameters.unpacked(resampled, lags, with_c=with_c).a,
        b=b,
        b_error=b_error,
        noise_matrix=value.gain**2 * value.noise,
        noise_matrix_error=value.gain**2 * error.noise,
        model=_model(curve, solution.parameters, with_c),
        kept=problem.used,
        chi2=solution.chi2,
        freedom=freedom,
        determined=True,
        reason="",
    )


def _model(curve: TransferCurve, parameters: Float64, with_c: bool) -> Float64:
    """Covariances at all means that are known."""
    model = np.full(curve.covariances.shape, nan)
    known = np.isfinite(curve.means)
    at_means = CovarianceModel(
        curve.means[known], model.shape[1], with_c=with_c, noise_weights=curve.weights_of_noise(known)
    )
    model[known] = at_means(parameters)[0].reshape(-1, *model.shape[1:])
    return model


def _ratio(value: CovarianceParameters, covariance: Float64, lags: int) -> tuple[Float64, Float64]:
    """B = c / a and its error."""
    size = lags**2
    variance = np.diag(covariance)
    of_a, of_c = variance[1 : 1 + size], variance[1 + 2 * size :]
    both = np.diag(covariance[1 : 1 + size, 1 + 2 * size :])
    with np.errstate(divide="ignore", invalid="ignore"):
        a = value.a.ravel()
        b = value.c.ravel() / a
        error = np.sqrt(np.maximum(of_c + b**2 * of_a - 2.0 * b * both, 0.0)) / np.abs(a)
    return b.reshape(lags, lags), error.reshape(lags, lags)


def _undetermined(curve: TransferCurve, reason: str) -> CovarianceFit:
    lags = curve.covariances.shape[1]
    nothing = np.full((lags, lags), nan)
    return CovarianceFit(
        gain=nan,
        gain_error=nan,
        gain_bootstrap=nan,
        noise=nan,
        noise_error=nan,
        noise_constrained=False,
        a=nothing,
        a_error=nothing,
        a_bootstrap=nothing,
        b=nothing,
        b_error=nothing,
        noise_matrix=nothing,
        noise_matrix_error=nothing,
        model=np.full(curve.covariances.shape, nan),
        kept=np.zeros(curve.means.shape, bool),
        chi2=nan,
        freedom=0,
        determined=False,
        reason=reason,
    )
