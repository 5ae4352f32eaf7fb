"""The overscan's level along the rows of one amplifier, and the variance that subtracting it adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, starmap
from math import sqrt

import numpy as np

from fiducial import kernels
from fiducial.algorithms.arrays import Flags, Float64, Int64, Integers, Numbers
from fiducial.algorithms.order_statistics import median_variance
from fiducial.algorithms.overscan_curves import Rows, polynomial_curve, spline_curve
from fiducial.algorithms.statistics import clipped_mean, robust_sigma, truncation_factor
from fiducial.errors import AlgorithmError
from fiducial.kernels import RowStatistics

METHODS = (
    "none",
    "mean",
    "clipped_mean",
    "median",
    "mean_per_row",
    "median_per_row",
    "polynomial",
    "chebyshev",
    "legendre",
    "natural_spline",
    "cubic_spline",
    "akima_spline",
)

BY_ROW = ("mean_per_row", "median_per_row")
"""Methods whose level of a row comes from that row."""

_NOTHING_FINITE = "the overscan has no finite pixel"
_LOOK_AT_MASK = "look at its mask and skipped columns"


@dataclass(frozen=True, slots=True, eq=False)
class OverscanModel:
    """The level of an amplifier's overscan, row by row.

    Attributes
    ----------
    level : (ny,) float64
        What is to be subtracted from each row, adu.
    variance : (ny,) float64
        Variance that subtracting it adds to each row, adu^2.
    noise : float
        Standard deviation of one overscan pixel about the model, adu: outliers clipped, the degrees of
        freedom of the model restored. NaN where nothing is left to measure it (one pixel a row).
    used : int
        Pixels per row that the model rests on (the median over rows), skipped columns left out.
    """

    level: Float64
    variance: Float64
    noise: float
    used: int


def fit_overscan(
    overscan: Numbers,
    *,
    method: str,
    order: int,
    skip_leading: int,
    skip_trailing: int,
    first_column_left: bool,
    kappa: float = 3.5,
) -> OverscanModel:
    r"""Model the overscan of one amplifier; on the transpose, its parallel overscan.

    Added variance, with the noise R of one overscan pixel and n pixels: :math:`R^2 / n` for a mean,
    :math:`R^2 v_n` for a median (v_n of `median_variance`, :math:`\pi / 2n` for many), of one row or of the
    whole region; for curves the variance of the fitted curve at each row.

    =============================================  ================================================
    method                                         level
    =============================================  ================================================
    none                                           0
    mean, clipped_mean, median                     one number for all rows
    mean_per_row                                   each row's mean, pixels beyond kappa R of its median out
    median_per_row                                 each row's median
    polynomial, chebyshev, legendre                curve of degree ``order`` through the rows' clipped means:
                                                   one and the same, whatever basis it is named by
    natural_spline, cubic_spline, akima_spline     curve through the clipped means of ``order`` groups of rows
    =============================================  ================================================

    Parameters
    ----------
    overscan : (ny, nx)
        Overscan pixels, adu, as in the raw frame. Pixels that are not finite are passed over; a row
        without any takes its level from its neighbours.
    method : str
        One of `METHODS`.
    order : int
        Degree of a polynomial, number of groups of a spline.
    skip_leading, skip_trailing : int
        Columns left out, in readout order: leading ones carry the trails of the signal.
    first_column_left : bool
        Whether the first column read is the leftmost.
    kappa : float
        Clipping limit, in sigmas, of pixels and of whole rows (curves leave out rows that a trail
        or a bright source lifts as a whole).

    Returns
    -------
    OverscanModel

    Raises
    ------
    AlgorithmError
        No pixel is left, or fewer rows than the curve has parameters.
    ValueError
        The method is unknown.

    References
    ----------
    Variances: Kendall & Stuart 1977, The Advanced Theory of Statistics 1, chapter 10 (mean, median), and
    Seber & Lee 2003, Linear Regression Analysis, chapter 3 (curves, by their leverage); Akima 1970
    (J. ACM 17, 589); de Boor 2001, A Practical Guide to Splines, chapter IV.
    """
    if method not in METHODS:
        raise ValueError(f"no overscan method {method!r}, only {', '.join(METHODS)}")
    pixels = _select(overscan, skip_leading, skip_trailing, first_column_left)
    finite = np.isfinite(pixels)
    if not finite.any():
        raise AlgorithmError(_NOTHING_FINITE, hint=_LOOK_AT_MASK)
    if method in ("none", "mean", "clipped_mean", "median"):
        return _constant(method, pixels, finite, kappa)
    rows = _row_statistics(pixels, kappa)
    if method in BY_ROW:
        noise = float(rows.noise[0])
        level, variance, count = _model_of_rows(method, rows, noise)
        return OverscanModel(*_fill_rows(level, variance), noise, _typical(count))
    return _curve(method, order, pixels, rows, kappa)


def fit_overscan_rows(
    overscan: Numbers,
    bounds: Int64,
    *,
    method: str,
    skip_leading: int,
    skip_trailing: int,
    first_column_left: bool,
    kappa: float = 3.5,
) -> OverscanModel:
    """Model blocks of rows, each by itself, as `fit_overscan` does; quicker than one by one.

    Parameters
    ----------
    overscan, skip_leading, skip_trailing, first_column_left, kappa
        As in `fit_overscan`.
    bounds : (blocks + 1,)
        Block b is rows ``bounds[b]`` to ``bounds[b + 1]``; from 0 to ny, rising.
    method : str
        One of `BY_ROW`.

    Returns
    -------
    OverscanModel
        Of all rows; its noise is the median of the blocks' noises, ``used`` that of the first block.

    Raises
    ------
    AlgorithmError
        A block has no pixel left.

    References
    ----------
    As of `fit_overscan`.
    """
    pixels = _select(overscan, skip_leading, skip_trailing, first_column_left)
    rows = _row_statistics(pixels, kappa, bounds)
    if not np.add.reduceat(rows.count, bounds[:-1]).all():
        raise AlgorithmError(_NOTHING_FINITE, hint=_LOOK_AT_MASK)
    level, variance, count = _model_of_rows(method, rows, np.repeat(rows.noise, np.diff(bounds)))
    if not np.isfinite(level).all():
        for span in starmap(slice, pairwise(bounds.tolist())):
            level[span], variance[span] = _fill_rows(level[span], variance[span])
    return OverscanModel(level, variance, float(np.median(rows.noise)), _typical(count[: bounds[1]]))


def _model_of_rows(
    method: str, rows: RowStatistics, noise: Float64 | float
) -> tuple[Float64, Float64, Integers]:
    """Level and its variance for each row, NaN where it has no pixel, and the pixels behind it."""
    if method == "median_per_row":
        return rows.median, np.square(noise) * _by_count(rows.count, median_variance), rows.count
    return rows.mean, np.square(noise) / np.maximum(rows.kept, 1), rows.kept


def _curve(method: str, order: int, pixels: Float64, found: RowStatistics, kappa: float) -> OverscanModel:
    rows = Rows(found.mean, found.kept.astype(np.int64), float(found.noise[0]) ** 2)
    if method.endswith("_spline"):
        level, variance, parameters = spline_curve(method, order, rows, kappa)
    else:
        level, variance, parameters = polynomial_curve(order, rows, kappa)
    freedom = 1.0 - parameters / int(found.count.sum())
    noise = robust_sigma(pixels - level[:, None], kappa=kappa) / sqrt(max(freedom, 1e-9))
    return OverscanModel(level, variance, noise, _typical(found.kept))


def _select(overscan: Numbers, leading: int, trailing: int, first_column_left: bool) -> Float64:
    in_readout_order = overscan if first_column_left else overscan[:, ::-1]
    columns = overscan.shape[1]
    if leading + trailing >= columns:
        raise AlgorithmError(
            f"the overscan has {columns} columns and {leading} + {trailing} of them are skipped",
            hint="lower skip_leading or skip_trailing",
        )
    return np.asarray(in_readout_order[:, leading : columns - trailing], dtype=np.float64)


def _constant(method: str, pixels: Float64, finite: Flags, kappa: float) -> OverscanModel:
    values = pixels[finite]
    bulk = clipped_mean(values, kappa=kappa)
    level, variance = {
        "none": (0.0, 0.0),
        "mean": (float(np.mean(values)), bulk.sigma**2 / values.size),
        "clipped_mean": (bulk.mean, bulk.sigma**2 / bulk.used),
        "median": (float(np.median(values)), bulk.sigma**2 * median_variance(values.size)),
    }[method]
    rows = np.ones(len(pixels))
    return OverscanModel(
        level * rows, variance * rows, bulk.sigma, _typical(np.count_nonzero(finite, axis=1))
    )


def _row_statistics(pixels: Float64, kappa: float, bounds: Int64 | None = None) -> RowStatistics:
    """Medians and clipped means of rows; blocks of rows between ``bounds`` are clipped by themselves."""
    if bounds is None:
        bounds = np.array([0, len(pixels)], dtype=np.int64)
    counts = np.unique(np.count_nonzero(np.isfinite(pixels), axis=1))
    table = np.full(pixels.shape[1] + 1, np.nan)
    table[counts] = [_about_median(n) for n in counts.tolist()]
    return kernels.row_statistics(pixels, bounds, table, kappa=kappa, truncation=truncation_factor(kappa))


def _about_median(n: int) -> float:
    """Variance of a value about the median of n; NaN where it has none.

    The residual about a median of n has variance 1 + v_n - 2/n: the covariance of a value and the median is
    that of mean and median, 1/n (Basu's theorem).
    """
    return 1.0 + median_variance(n) - 2.0 / n if n > 1 else np.nan


def _by_count(count: Integers, function: Callable[[int], float]) -> Float64:
    """The function of each row's number of pixels; NaN where it is none, or not positive."""
    out = np.full(len(count), np.nan)
    for n in np.unique(count[count > 0]):
        value = function(int(n))
        out[count == n] = value if value > 1e-9 else np.nan
    return out


def _fill_rows(level: Float64, variance: Float64) -> tuple[Float64, Float64]:
    """Rows without a level have that between their neighbours."""
    known = np.flatnonzero(np.isfinite(level))
    if len(known) == len(level):
        return level, variance
    rows = np.arange(len(level))
    return np.interp(rows, known, level[known]), np.interp(rows, known, variance[known])


def _typical(count: Integers) -> int:
    return round(float(np.median(count[count > 0])))
