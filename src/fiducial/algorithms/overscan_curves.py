"""Smooth curves through the levels of overscan rows, with the variance of the fitted curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legvander

from fiducial.algorithms.arrays import Flags, Float64, Integers
from fiducial.algorithms.statistics import robust_sigma, scatter_inflation
from fiducial.errors import AlgorithmError

_ROUNDS = 10

# The rows kept -> the curve and its variance at every row.
type _Fit = Callable[[Flags], tuple[Float64, Float64]]


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
    basis = legvander(np.linspace(-1.0, 1.0, len(rows.level)), order)
    weight = rows.weight

    def fit(kept: Flags) -> tuple[Float64, Float64]:
        # einsum, not BLAS, whose last bits may depend on its number of threads.
        weighted = basis[kept] * weight[kept, None]
        covariance = np.linalg.inv(np.einsum("ij,ik->jk", weighted, basis[kept]))
        coefficients = np.einsum("jk,ik,i->j", covariance, weighted, rows.level[kept])
        curve = np.einsum("ij,j->i", basis, coefficients)
        return curve, np.einsum("ij,jk,ik->i", basis, covariance, basis)

    return *_without_outlier_rows(fit, rows, order + 1, kappa), order + 1


def spline_curve(method: str, order: int, rows: Rows, kappa: float) -> tuple[Float64, Float64, int]:
    """A spline through the means of ``order`` groups of rows: as `polynomial_curve`."""
    if order < 2:
        raise AlgorithmError(
            f"a spline needs at least 2 groups of rows, not {order}", hint="raise the overscan's order"
        )
    y = np.arange(len(rows.level), dtype=np.float64)
    group = np.minimum((y * order / len(y)).astype(np.intp), order - 1)
    weight = rows.weight

    def fit(kept: Flags) -> tuple[Float64, Float64]:
        w = np.where(kept, weight, 0.0)
        total = np.bincount(group, w, order)
        there = total > 0
        node = np.bincount(group, w * y, order)[there] / total[there]
        value = np.bincount(group, np.where(kept, w * rows.level, 0.0), order)[there] / total[there]
        if len(node) < 2:
            raise _too_few(len(node), 2)
        return _spline(method, node, value, y), _spline_variance(method, node, value, 1.0 / total[there], y)

    return *_without_outlier_rows(fit, rows, order, kappa), order


def _spline(method: str, node: Float64, value: Float64, y: Float64) -> Float64:
    from scipy.interpolate import Akima1DInterpolator, CubicSpline  # long to import, seldom needed

    if method == "akima_spline":
        return np.asarray(Akima1DInterpolator(node, value, extrapolate=True)(y), dtype=np.float64)
    ends = "natural" if method == "natural_spline" else "not-a-knot"
    return np.asarray(CubicSpline(node, value, bc_type=ends)(y), dtype=np.float64)


def _spline_variance(method: str, node: Float64, value: Float64, variance: Float64, y: Float64) -> Float64:
    # Each node moved by one sigma to both sides: exact for cubic splines, which are linear in the
    # values, and the first order for Akima's, which is not.
    out = np.zeros_like(y)
    for j, sigma in enumerate(np.sqrt(variance)):
        step = np.zeros_like(value)
        step[j] = sigma
        out += np.square(_spline(method, node, value + step, y) - _spline(method, node, value - step, y))
    return 0.25 * out


def _without_outlier_rows(fit: _Fit, rows: Rows, parameters: int, kappa: float) -> tuple[Float64, Float64]:
    """Fit, leave out rows that are kappa sigma off, and again until the same rows are kept."""
    there = np.isfinite(rows.level) & (rows.count > 0)
    root = np.sqrt(rows.weight)
    rounding = 1e-10 * float(np.max(root[there] * np.abs(rows.level[there]), initial=0.0))
    kept = there
    curve, variance = _fit_if_enough(fit, kept, parameters)
    for _ in range(_ROUNDS):
        scaled = np.where(there, root * (rows.level - curve), np.nan)
        left = there & (np.abs(scaled) <= kappa * robust_sigma(scaled[kept]) + rounding)
        if np.array_equal(left, kept):
            break
        try:
            curve, variance = _fit_if_enough(fit, left, parameters)
        except AlgorithmError:
            break  # of rows that are equal but for a few, clipping would leave none
        kept = left
    scaled = np.where(there, root * (rows.level - curve), np.nan)
    freedom = int(np.count_nonzero(kept)) - parameters
    chi2 = float(np.sum(np.square(scaled[kept])))
    if not rows.noise_is_known:
        return curve, variance * (chi2 / max(freedom, 1))
    return curve, variance * scatter_inflation(chi2, freedom) ** 2


def _fit_if_enough(fit: _Fit, kept: Flags, parameters: int) -> tuple[Float64, Float64]:
    if (number := int(np.count_nonzero(kept))) < parameters:
        raise _too_few(number, parameters)
    return fit(kept)


def _too_few(rows: int, parameters: int) -> AlgorithmError:
    return AlgorithmError(
        f"{rows} rows of overscan cannot determine a curve of {parameters} parameters",
        hint="lower the overscan's order, or use a method per row",
    )
