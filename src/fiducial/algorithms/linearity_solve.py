"""The equations of a linearity fit, solved with weights from the fit itself and without outliers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64
from fiducial.algorithms.linearity_forms import Form

_ROUNDS = 40  # of reweighting
_CONDITION = 1e-9  # smallest singular value, of the largest, that counts as determined


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """``k_g t + offset - sum_j theta_j B_j(m) = m`` for each level; arrays are (n,)."""

    signal: Float64
    abscissa: Float64
    sigma: Float64
    group: Int64  # from 0; -1: none of those in the fit
    groups: int
    form: Form
    offset: bool
    matrix: Float64  # (n, unknowns): columns k of each group, offset, coefficients

    @classmethod
    def of(
        cls,
        signal: Float64,
        abscissa: Float64,
        sigma: Float64,
        group: Int64,
        usable: Flags,
        form: Form,
        offset: bool,
    ) -> Equations:
        """Set them up for the groups of usable levels, in the order of their labels."""
        labels = np.unique(group[usable])
        where = np.clip(np.searchsorted(labels, group), 0, len(labels) - 1)
        where = np.where(labels[where] == group, where, -1)
        light = np.where(usable, abscissa, 0.0)
        scales = np.where(where[:, None] == np.arange(len(labels)), light[:, None], 0.0)
        curves = -form.design(np.where(usable, signal, 0.0))
        constant = np.ones((len(signal), int(offset)))
        matrix = np.concatenate([scales, constant, curves], axis=1)
        return cls(signal, abscissa, sigma, where, len(labels), form, offset, matrix)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Unknowns in the order of the matrix's columns, their covariance, and how well they fit."""

    values: Float64
    covariance: Float64
    pull: Float64  # (n,) studentised residuals of the levels used; NaN of others
    outlier: Flags
    stability: float
    chi2: float
    freedom: int


def solve(equations: Equations, usable: Flags, stability: float | None, kappa: float) -> Solution | None:
    """Solve, reject the worst, and again until nothing changes; None where the matrix is singular."""
    outlier = np.zeros(len(usable), np.bool_)
    light = _first_guess(equations, usable)
    scatter = 1e-3 if stability is None else stability
    solution: Solution | None = None
    most = 0.5 * usable.sum()  # beyond that there is no telling which levels are wrong
    for _ in range(len(usable) + _ROUNDS):
        used = usable & ~outlier
        solution = _weighted(equations, used, outlier, light, scatter)
        if solution is None:
            return None
        size = np.where(used, np.abs(solution.pull), 0.0)
        robust = scatter
        if stability is None:
            # While there may be outliers, the median tells an unknown scatter; afterwards all levels do.
            robust, scale = _robust_scatter(equations, used, light, solution)
            size[used] *= scale
        before, light = light, _light(equations, solution)
        if size.max() > kappa:  # one at a time: it makes its neighbours look wrong too
            outlier = outlier.copy()
            outlier[np.argmax(size)] = True
            scatter = robust
            if outlier.sum() > most:
                break
            continue
        old = scatter
        if stability is None:
            scatter = _fitted_scatter(equations, used, light, solution)
        if _settled(light[used], before[used]) and abs(scatter - old) <= 1e-3 * scatter:
            break
    return None if solution is None else replace(solution, outlier=outlier)


def _first_guess(equations: Equations, usable: Flags) -> Float64:
    """Signal expected of each level by its group's median ratio of signal to abscissa."""
    light = np.zeros(len(usable))
    for group in range(equations.groups):
        mine = usable & (equations.group == group)
        ratio = np.median(equations.signal[mine] / equations.abscissa[mine])
        light[mine] = np.abs(ratio) * equations.abscissa[mine]
    return light


def _weighted(
    equations: Equations, used: Flags, outlier: Flags, light: Float64, scatter: float
) -> Solution | None:
    """Weighted least squares by singular values; None where they do not determine all unknowns."""
    if not light[used].max() > 0:
        return None
    sigma = np.hypot(equations.sigma[used], scatter * light[used])
    smallest = 1e-9 * float(light[used].max())  # a level without any error would be all that counts
    weight = 1.0 / np.maximum(sigma, smallest)
    matrix = equations.matrix[used] * weight[:, None]
    right = equations.signal[used] * weight
    length = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    if matrix.shape[0] < matrix.shape[1] or not np.isfinite(length).all() or not (length > 0).all():
        return None
    left, singular, across = np.linalg.svd(matrix / length, full_matrices=False)
    if singular[-1] < _CONDITION * singular[0]:
        return None
    values = (across.T @ ((left.T @ right) / singular)) / length
    inverse = across.T / singular
    covariance = (inverse @ inverse.T) / np.outer(length, length)
    residual = right - matrix @ values
    freedom = len(right) - len(values)
    leverage = np.einsum("ij,ij->i", left, left)
    pull = np.full(len(used), np.nan)
    # A level that alone determines an unknown has no residual to judge.
    pull[used] = np.where(leverage < 1 - 1e-9, residual / np.sqrt(np.maximum(1 - leverage, 1e-9)), 0.0)
    return Solution(values, covariance, pull, outlier, scatter, float(residual @ residual), freedom)


def _light(equations: Equations, solution: Solution) -> Float64:
    """Signal that each level's light stands for by the fit: k t."""
    light: Float64 = np.abs(equations.matrix[:, : equations.groups] @ solution.values[: equations.groups])
    return light


def _robust_scatter(
    equations: Equations, used: Flags, light: Float64, solution: Solution
) -> tuple[float, Float64]:
    """The light's relative scatter by the median of pulls, and what pulls are with it over what they are."""
    level = np.maximum(light[used], 1e-9 * light[used].max())
    own = np.maximum(equations.sigma[used], 1e-12 * level)
    before = np.hypot(equations.sigma[used], solution.stability * light[used])
    before = np.maximum(before, 1e-9 * light[used].max())  # as in `_weighted`
    size = np.abs(solution.pull[used]) * before

    def typical(scatter: float) -> float:
        return 1.4826 * float(np.median(size / np.hypot(own, scatter * level)))

    low, high = 0.0, float(np.max(size / level)) + 1e-12
    if typical(low) > 1.0:
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if typical(middle) > 1.0 else (low, middle)
        scatter = high
    else:
        scatter = 0.0
    return scatter, before / np.hypot(own, scatter * level)


def _fitted_scatter(equations: Equations, used: Flags, light: Float64, solution: Solution) -> float:
    """The light's relative scatter with which chi squared is the degrees of freedom; 0 if none is needed."""
    if solution.freedom < 1:
        return solution.stability
    matrix = equations.matrix[used]
    squared = (equations.signal[used] - matrix @ solution.values) ** 2
    own, scale = equations.sigma[used] ** 2, np.maximum(light[used], 1e-12 * light[used].max()) ** 2

    def excess(variance: float) -> float:
        return float(np.sum(squared / np.maximum(own + variance * scale, 1e-300))) - solution.freedom

    low, high = 0.0, float(np.sum(squared / scale)) / solution.freedom + 1e-24
    if excess(1e-20) <= 0:
        return 1e-10
    while excess(high) > 0:
        high *= 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return float(np.sqrt(0.5 * (low + high)))


def _settled(one: Float64, other: Float64) -> bool:
    return bool(np.allclose(one, other, rtol=1e-6, atol=0.0))
