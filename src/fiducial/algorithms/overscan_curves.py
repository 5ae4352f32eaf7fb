"""Smooth curves through the levels of overscan rows, with the variance of the fitted curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander

from fiducial.algorithms.arrays import Flags, Float64, Integers
from fiducial.algorithms.statistics import robust_sigma, scatter_inflation
from fiducial.errors import AlgorithmError

_ROUNDS = 10


class _Fit(NamedTuple):
    """From the rows that are kept: the curve at every row, and, wanted at the end only, its variance."""

    curve: Callable[[Flags], Float64]
    variance: Callable[[Flags], Float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Levels of rows, as a curve is drawn through them.

    Attributes
    ----------
    level : (ny,) float64
        NaN where a row has no pixel.
    count : (ny,) int
        Pixels that a level rests on.
    pixel_variance : float
        Variance of one pixel.
    """

    level: Float64
    count: Integers
    pixel_variance: float

    @property
    def noise_is_known(self) -> bool:
        """Whether the rows' variances follow from that of a pixel; otherwise from their own scatter."""
        return bool(np.isfinite(self.pixel_variance) and self.pixel_variance > 0)

    @property
    def weight(self) -> Float64:
        """1 / variance of the rows' levels; in proportion to it where no noise is known."""
        return self.count / (self.pixel_variance if self.noise_is_known else 1.0)


def polynomial_curve(order: int, rows: Rows, kappa: float) -> tuple[Float64, Float64, int]:
    """A polynomial of degree ``order``: curve and variance at each row, and its number of parameters.

    Fitted in Legendre polynomials, nearly orthogonal on even rows, whatever the basis it is named by.
    """
    basis, weight = _legendre(len(rows.level), order), rows.weight

    def solve(kept: Flags) -> tuple[Float64, Float64]:
        # einsum, not BLAS, whose last bits may depend on its number of threads.
        weighted = basis[kept] * weight[kept, None]
        return weighted, np.linalg.inv(np.einsum("ij,ik->jk", weighted, basis[kept]))

    def curve(kept: Flags) -> Float64:
        weighted, covariance = solve(kept)
        coefficients = np.einsum("jk,ik,i->j", covariance, weighted, rows.level[kept])
        return np.asarray(np.einsum("ij,j->i", basis, coefficients))

    def variance(kept: Flags) -> Float64:
        return np.asarray(np.einsum("ij,jk,ik->i", basis, solve(kept)[1], basis))

    return *_without_outlier_rows(_Fit(curve, variance), rows, order + 1, kappa), order + 1


@lru_cache(maxsize=8)
def _legendre(number: int, order: int) -> Float64:
    """Legendre polynomials at even steps: (number, order + 1)."""
    basis: Float64 = legvander(np.linspace(-1.0, 1.0, number), order).astype(np.float64)
    basis.flags.writeable = False
    return basis


def spline_curve(method: str, order: int, rows: Rows, kappa: float) -> tuple[Float64, Float64, int]:
    """A spline through the means of ``order`` groups of rows: as `polynomial_curve`."""
    if order < 2:
        raise AlgorithmError(
            f"a spline needs at least 2 groups of rows, not {order}", hint="raise the overscan's order"
        )
    y = np.arange(len(rows.level), dtype=np.float64)
    group = np.minimum((y * order / len(y)).astype(np.intp), order - 1)
    weight = rows.weight

    def nodes(kept: Flags) -> tuple[Float64, Float64, Float64]:
        w = np.where(kept, weight, 0.0)
        total = np.bincount(group, w, order)
        there = total > 0
        node = np.bincount(group, w * y, order)[there] / total[there]
        value = np.bincount(group, np.where(kept, w * rows.level, 0.0), order)[there] / total[there]
        if len(node) < 2:
            raise _too_few(len(node), 2)
        return node, value, 1.0 / total[there]

    def curve(kept: Flags) -> Float64:
        node, value, _ = nodes(kept)
        return _spline(method, node, value, y)

    def variance(kept: Flags) -> Float64:
        return _spline_variance(method, *nodes(kept), y)

    return *_without_outlier_rows(_Fit(curve, variance), rows, order, kappa), order


def _spline(method: str, node: Float64, value: Float64, y: Float64) -> Float64:
    """The spline through values (nodes, ...) at y: (len(y), ...)."""
    from scipy.interpolate import Akima1DInterpolator, CubicSpline  # long to import, seldom needed

    if method == "akima_spline":
        return np.asarray(Akima1DInterpolator(node, value, extrapolate=True)(y), dtype=np.float64)
    ends = "natural" if method == "natural_spline" else "not-a-knot"
    return np.asarray(CubicSpline(node, value, bc_type=ends)(y), dtype=np.float64)


def _spline_variance(method: str, node: Float64, value: Float64, variance: Float64, y: Float64) -> Float64:
    # Each node moved by one sigma to both sides, all of them in one go: exact for cubic splines, which are
    # linear in the values, and the first order for Akima's, which is not.
    steps = np.diag(np.sqrt(variance))
    moved = _spline(method, node, np.concatenate([value[:, None] + steps, value[:, None] - steps], axis=1), y)
    up, down = np.split(moved, 2, axis=1)
    return np.asarray(0.25 * np.square(up - down).sum(axis=1))


def _without_outlier_rows(fit: _Fit, rows: Rows, parameters: int, kappa: float) -> tuple[Float64, Float64]:
    """Fit, leave out rows that are kappa sigma off, and again until the same rows are kept."""
    there = np.isfinite(rows.level) & (rows.count > 0)
    root = np.sqrt(rows.weight)
    rounding = 1e-10 * float(np.max(root[there] * np.abs(rows.level[there]), initial=0.0))
    kept = there
    curve = _fit_if_enough(fit, kept, parameters)
    for _ in range(_ROUNDS):
        scaled = np.where(there, root * (rows.level - curve), np.nan)
        left = there & (np.abs(scaled) <= kappa * robust_sigma(scaled[kept]) + rounding)
        if np.array_equal(left, kept):
            break
        try:
            curve = _fit_if_enough(fit, left, parameters)
        except AlgorithmError:
            break  # of rows that are equal but for a few, clipping would leave none
        kept = left
    scaled = np.where(there, root * (rows.level - curve), np.nan)
    freedom = int(np.count_nonzero(kept)) - parameters
    chi2 = float(np.sum(np.square(scaled[kept])))
    variance = fit.variance(kept)
    if not rows.noise_is_known:
        return curve, variance * (chi2 / max(freedom, 1))
    return curve, variance * scatter_inflation(chi2, freedom) ** 2


def _fit_if_enough(fit: _Fit, kept: Flags, parameters: int) -> Float64:
    if (number := int(np.count_nonzero(kept))) < parameters:
        raise _too_few(number, parameters)
    return fit.curve(kept)


def _too_few(rows: int, parameters: int) -> AlgorithmError:
    return AlgorithmError(
        f"{rows} rows of overscan cannot determine a curve of {parameters} parameters",
        hint="lower the overscan's order, or use a method per row",
    )
