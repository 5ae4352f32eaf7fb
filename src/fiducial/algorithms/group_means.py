"""Means of groups of pixels (blocks, rows, columns) with their errors: structure, apart from noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from fiducial.algorithms.arrays import Float64, Int32, Numbers
from fiducial.algorithms.statistics import robust_sigma


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Means of groups of pixels: of blocks, rows or columns.

    Attributes
    ----------
    mean : float64
        One a group: (by, bx) of blocks, (ny,) of rows, (nx,) of columns; NaN where fewer than half of the
        group's pixels are finite.
    error : float64
        Standard errors, sqrt(c1 sigma^2 / n).
    count : int32
        Finite pixels.
    """

    mean: Float64
    error: Float64
    count: Int32


def block_means(image: Numbers, *, size: int = 32, sigma: float | None = None, c1: float = 1.0) -> Means:
    """Means of square blocks, with their errors.

    Parameters
    ----------
    image : (ny, nx)
        Pixels that are not finite are passed over.
    size : int
        Least side of a block; the image is divided evenly, so sides are below twice that.
    sigma : float, optional
        Standard deviation of a pixel; by default the robust sigma of the image.
    c1 : float
        Of `fiducial.algorithms.statistics.autocorrelation_factors`, for correlated noise.

    Returns
    -------
    Means
        (by, bx)

    References
    ----------
    Errors of means of correlated pixels: as of
    `fiducial.algorithms.statistics.autocorrelation_factors`.
    """
    rows, columns = (_edges(length, size) for length in image.shape)
    return _group_means(image, rows, columns, sigma, c1)


def row_means(image: Numbers, *, sigma: float | None = None, c1: float = 1.0) -> Means:
    """Means of rows (ny,), with their errors; parameters and reference as of `block_means`."""
    means = _group_means(image, np.arange(image.shape[0]), np.zeros(1, np.intp), sigma, c1)
    return Means(means.mean[:, 0], means.error[:, 0], means.count[:, 0])


def column_means(image: Numbers, *, sigma: float | None = None, c1: float = 1.0) -> Means:
    """Means of columns (nx,), with their errors; parameters and reference as of `block_means`."""
    means = _group_means(image, np.zeros(1, np.intp), np.arange(image.shape[1]), sigma, c1)
    return Means(means.mean[0], means.error[0], means.count[0])


def excess_variance(means: Means) -> tuple[float, float]:
    """Variance of means beyond their errors, and its uncertainty: the square of the structure.

    ``Var(means) - mean(error^2)`` with uncertainty ``mean(error^2) sqrt(2 / n)``, n the groups with a
    mean; NaN for fewer than two.

    References
    ----------
    The moment estimate of a variance component: Searle, Casella & McCulloch 1992, Variance Components,
    section 3.5.
    """
    known = np.isfinite(means.mean)
    n = int(np.count_nonzero(known))
    if n < 2:
        return nan, nan
    expected = float(np.mean(np.square(means.error[known])))
    return float(np.var(means.mean[known], ddof=1)) - expected, expected * sqrt(2.0 / n)


def _edges(length: int, size: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    blocks = max(length // size, 1)
    return (np.arange(blocks) * length) // blocks


def _group_means(
    image: Numbers,
    rows: np.ndarray[tuple[int], np.dtype[np.intp]],
    columns: np.ndarray[tuple[int], np.dtype[np.intp]],
    sigma: float | None,
    c1: float,
) -> Means:
    finite = np.isfinite(image)
    everywhere = bool(finite.all())
    pixels = image if everywhere else np.where(finite, image, 0)
    sums = np.add.reduceat(np.add.reduceat(pixels, columns, axis=1, dtype=np.float64), rows, axis=0)
    areas = np.outer(np.diff(rows, append=image.shape[0]), np.diff(columns, append=image.shape[1]))
    if everywhere:
        count = areas
    else:
        count = np.add.reduceat(np.add.reduceat(finite, columns, axis=1, dtype=np.int64), rows, axis=0)
    enough = 2 * count >= areas
    if sigma is None:
        sigma = robust_sigma(image)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(enough, sums / count, nan)
        error = np.where(enough, sigma * np.sqrt(c1 / count), nan)
    return Means(mean, error, count.astype(np.int32))
