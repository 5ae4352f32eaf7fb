"""Weighted least squares of a curve with known derivatives, for variances whose errors follow the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg

from fiducial.algorithms.arrays import Float64


class Derivatives(Protocol):
    """Derivatives D (n, parameters) of a model whose build is known: their products, without the whole."""

    def curvature(self, weights: Float64) -> Float64:
        """D^T diag(weights) D, for weights (n,): (parameters, parameters)."""
        ...

    def slope(self, residual: Float64) -> Float64:
        """D^T residual, for a weighted residual (n,)."""
        ...


type Evaluate[D: Float64 | Derivatives] = Callable[[Float64], tuple[Float64, D]]
"""Parameters to values (n,) and derivatives (n, parameters)."""
type Weigh = Callable[[Float64], Float64]
"""Values of the model (n,) to weights 1 / variance (n,)."""

_STEPS = 60
_ROUNDS = 3
_SMALL = 1e-6  # of chi-square, that a step may still gain
_DAMPING = 1e-3
_MOST_DAMPING = 1e10
_LESS, _MORE = 1 / 3, 5.0  # damping after a good and after a bad step: tens would zigzag in a curved valley


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is known of parameters before: values, and weights 1 / variance (0: nothing)."""

    values: Float64
    weights: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Solution[D: Float64 | Derivatives]:
    """Where chi-square is least.

    Attributes
    ----------
    parameters : (p,) float64
    covariance : (p, p) float64
        Inverse of half the curvature of chi-square.
    model, weights : (n,) float64
        Values there, and the weights of the data.
    derivatives : (n, p) float64, or what the model gives in place of it
    chi2 : float
        Of the data, without the prior.
    converged : bool
        False also where the data leave a parameter undetermined.
    """

    parameters: Float64
    covariance: Float64
    model: Float64
    weights: Float64
    derivatives: D
    chi2: float
    converged: bool


def least_squares[D: Float64 | Derivatives](
    evaluate: Evaluate[D], weigh: Weigh, data: Float64, start: Float64, prior: Prior | None = None
) -> Solution[D]:
    """Fit by damped Gauss-Newton steps; weights are those of the model, renewed twice.

    Weights from the model and not from the data: a variance that came out low by chance would count
    too much, and the fit be low.

    Parameters
    ----------
    evaluate : callable
        The model and its derivatives.
    weigh : callable
        Weights 1 / variance of the data, from the values of the model.
    data : (n,) float64
        Finite.
    start : (p,) float64
    prior : Prior, optional

    Returns
    -------
    Solution

    References
    ----------
    Levenberg 1944 (Quart. Appl. Math. 2, 164), Marquardt 1963 (J. SIAM 11, 431); iterated weights:
    McCullagh & Nelder 1989, Generalized Linear Models, section 2.5.
    """
    known = prior or Prior(np.zeros_like(start), np.zeros_like(start))
    parameters = start.astype(np.float64)
    converged = False
    # A step may go where the model overflows: it is not taken then.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(_ROUNDS):
            weights = weigh(evaluate(parameters)[0])
            parameters, converged = _descend(evaluate, data, weights, parameters, known)
        model, derivatives = evaluate(parameters)
    curvature = _curvature(derivatives, weights, known)
    covariance, whole = _inverse(curvature)
    chi2 = float(np.sum(weights * np.square(data - model)))
    return Solution(
        parameters, covariance, model, weights, derivatives, chi2, converged and whole and np.isfinite(chi2)
    )


def covariance_at[D: Float64 | Derivatives](
    evaluate: Evaluate[D], weigh: Weigh, parameters: Float64
) -> Float64:
    """Covariance (p, p) of a fit whose parameters are these; NaN where the data leave one undetermined."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        model, derivatives = evaluate(parameters)
        nothing = Prior(np.zeros_like(parameters), np.zeros_like(parameters))
        return _inverse(_curvature(derivatives, weigh(model), nothing))[0]


def _descend[D: Float64 | Derivatives](
    evaluate: Evaluate[D], data: Float64, weights: Float64, start: Float64, prior: Prior
) -> tuple[Float64, bool]:
    parameters, damping = start, _DAMPING
    model, derivatives = evaluate(parameters)
    lowest = _cost(model, data, weights, parameters, prior)
    curvature = _curvature(derivatives, weights, prior)
    for _ in range(_STEPS):
        slope = slope_of(derivatives, weights * (data - model)) + prior.weights * (prior.values - parameters)
        step, gain = _step(curvature, slope, damping)
        if not np.isfinite(gain):
            return parameters, False
        trial, changes = evaluate(parameters + step)
        cost = _cost(trial, data, weights, parameters + step, prior)
        if cost <= lowest:
            parameters, model, derivatives, lowest = parameters + step, trial, changes, cost
            if gain < _SMALL:
                return parameters, True
            curvature = _curvature(derivatives, weights, prior)
            damping *= _LESS
        elif gain < _SMALL:
            return parameters, True
        elif damping > _MOST_DAMPING:
            return parameters, False
        else:
            damping *= _MORE
    return parameters, False


def _cost(model: Float64, data: Float64, weights: Float64, parameters: Float64, prior: Prior) -> float:
    cost = float(np.sum(weights * np.square(data - model)))
    cost += float(np.sum(prior.weights * np.square(parameters - prior.values)))
    return cost if np.isfinite(cost) else np.inf


def slope_of(derivatives: Float64 | Derivatives, residual: Float64) -> Float64:
    """D^T residual, for a weighted residual (n,): (parameters,)."""
    return derivatives.T @ residual if isinstance(derivatives, np.ndarray) else derivatives.slope(residual)


def curvature_of(derivatives: Float64 | Derivatives, weights: Float64) -> Float64:
    """D^T diag(weights) D, for weights (n,): (parameters, parameters)."""
    if isinstance(derivatives, np.ndarray):
        return derivatives.T @ (weights[:, None] * derivatives)
    return derivatives.curvature(weights)


def _curvature(derivatives: Float64 | Derivatives, weights: Float64, prior: Prior) -> Float64:
    curvature = curvature_of(derivatives, weights)
    curvature[np.diag_indices_from(curvature)] += prior.weights
    return curvature


def _step(curvature: Float64, slope: Float64, damping: float) -> tuple[Float64, float]:
    """A damped step, where the curvature has 1 on its diagonal, and what chi-square should gain by it."""
    scale = np.sqrt(np.maximum(np.diag(curvature), 1e-300))
    unit = curvature / scale / scale[:, None]
    unit[np.diag_indices_from(unit)] += damping
    try:
        factor = scipy.linalg.cho_factor(unit, check_finite=False)
        step = scipy.linalg.cho_solve(factor, slope / scale, check_finite=False) / scale
    except (np.linalg.LinAlgError, ValueError):
        return np.zeros_like(slope), np.nan
    return step, float(slope @ step)


def _inverse(curvature: Float64) -> tuple[Float64, bool]:
    scale = np.sqrt(np.diag(curvature))
    if not (np.isfinite(curvature).all() and (scale > 0).all()):
        return np.full_like(curvature, np.nan), False
    try:
        factor = scipy.linalg.cho_factor(curvature / scale / scale[:, None], check_finite=False)
    except np.linalg.LinAlgError:
        return np.full_like(curvature, np.nan), False
    inverse = scipy.linalg.cho_solve(factor, np.eye(len(scale)), check_finite=False)
    return inverse / scale / scale[:, None], True
