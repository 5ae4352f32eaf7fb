"""Differences of pairs of frames, and sums of products of their pixels at lags, by the compiled kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels
from fiducial.kernels.checks import require_clipping

type Float32 = npt.NDArray[np.float32]
type Float64 = npt.NDArray[np.float64]
type Int64 = npt.NDArray[np.int64]
type Bytes = npt.NDArray[np.uint8]
type Flags = npt.NDArray[np.bool_]

PAIR_TYPES = tuple(np.dtype(t) for t in (np.uint16, np.int32, np.float32))
"""Types of pixels that `pair_products` takes as they are; others are rounded to float32."""


@dataclass(frozen=True, slots=True, eq=False)
class PairProducts:
    """What the difference of two frames holds without its outliers.

    Attributes
    ----------
    number, clipped : int
        Pixels kept, and usable ones rejected.
    first, second : float
        Mean of each frame over the pixels kept; NaN without any.
    difference, variance : float
        Mean of first - second over the pixels kept, and its variance (divided by their number).
    lowest, highest : float
        Differences kept lie within.
    sums : (max_lag + 1, 2 * max_lag + 1) float64
        ``sums[dy, dx + max_lag]`` is the sum of ``d[y, x] * d[y + dy, x + dx]`` over pairs of pixels kept,
        d being the difference less its mean. (max_lag + 1, max_lag + 1) from dx = 0 on with one side only.
    counts : the same, int64
        Pairs of pixels kept.
    """

    number: int
    clipped: int
    first: float
    second: float
    difference: float
    variance: float
    lowest: float
    highest: float
    sums: Float64
    counts: Int64


def pair_products(
    first: npt.NDArray[Any],
    second: npt.NDArray[Any],
    usable: Flags | None = None,
    *,
    max_lag: int | None,
    kappa: float = 5.0,
    rounds: int = 20,
    both_sides: bool = True,
    threads: int = 1,
) -> PairProducts:
    """Clipped mean and variance of a difference, and the products of its pixels at lags, in one go.

    From all usable pixels, rounds of rejecting what is further than kappa sigma from the mean of what was
    kept before, until a round keeps as many as the one before. All sums are exact for uint16 whose
    differences kept lie within 5,792 of their mean. Otherwise the statistics are sums in double, and
    products are summed in float over 512 columns and then in double: sums are off by at most 2.3e-6 of the
    sum of the products' magnitudes.

    Parameters
    ----------
    first, second : (ny, nx), of one of `PAIR_TYPES`
        Rows may lie anywhere, the columns of a row side by side. Pixels that are not finite in either
        are not used.
    usable : (ny, nx) bool, optional
        Which pixels may be used.
    max_lag : int, optional
        Largest lag in rows and columns; it may exceed the image. None: no products.
    kappa : float
        Clipping limit in sigmas, at least 1.
    rounds : int
        Most rounds of clipping.
    both_sides : bool
        Whether products at dx < 0 are wanted.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    PairProducts

    Raises
    ------
    ValueError
        Shapes do not agree, or a parameter is out of range.
    """
    if first.ndim != 2 or first.shape != second.shape or first.size == 0:
        raise ValueError(f"frames {first.shape} and {second.shape} are not two images of one shape")
    if usable is not None and usable.shape != first.shape:
        raise ValueError(f"usable {usable.shape} and frames {first.shape} differ in shape")
    if max_lag is not None and max_lag < 0:
        raise ValueError(f"the largest lag is {max_lag}")
    require_clipping(kappa, rounds)
    dtype = first.dtype if first.dtype == second.dtype and first.dtype in PAIR_TYPES else np.dtype(np.float32)
    lags = 0 if max_lag is None else max_lag + 1
    shape = (lags, max(2 * lags - 1, 0))
    sums, counts = np.empty(shape), np.empty(shape, np.int64)
    number, there, mean, other, difference, variance, low, high = _kernels.pair_products(
        _rows(first.astype(dtype, copy=False)),
        _rows(second.astype(dtype, copy=False)),
        None if usable is None else _rows(usable.view(np.uint8)),
        kappa,
        rounds,
        both_sides,
        sums,
        counts,
        threads,
    )
    if not both_sides:
        sums, counts = sums[:, lags - 1 :], counts[:, lags - 1 :]
    return PairProducts(number, there - number, mean, other, difference, variance, low, high, sums, counts)


def lag_products(
    values: Float32, usable: Bytes | None, max_lag: int, *, threads: int = 1
) -> tuple[Float64, Int64]:
    """Sums of products of an image with itself at all lags of a half plane.

    Products are summed in float over 512 columns and then in double: sums are off by at most 2.3e-6 of
    the sum of the products' magnitudes.

    Parameters
    ----------
    values : (ny, nx) float32, C-contiguous
        Masked pixels must be 0.
    usable : (ny, nx) uint8, C-contiguous, optional
        1 where a pixel counts, else 0.
    max_lag : int
        Largest lag in rows and columns.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    sums : (max_lag + 1, 2 * max_lag + 1) float64
        ``sums[dy, dx + max_lag]`` is the sum of ``values[y, x] * values[y + dy, x + dx]``.
    counts : the same, int64
        Pairs in which both pixels count.

    Raises
    ------
    ValueError
        Shapes do not agree, or the lag is negative.
    """
    if max_lag < 0:
        raise ValueError(f"the largest lag is {max_lag}")
    if values.ndim != 2 or (usable is not None and usable.shape != values.shape):
        raise ValueError(f"values {values.shape} and usable must be one image each")
    shape = (max_lag + 1, 2 * max_lag + 1)
    sums, counts = np.empty(shape), np.empty(shape, np.int64)
    _kernels.lag_products(np.ascontiguousarray(values), usable, sums, counts, threads)
    return sums, counts


def _rows(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An image whose columns lie side by side, in the machine's order of bytes."""
    if not image.dtype.isnative or (image.shape[1] > 1 and image.strides[1] != image.itemsize):
        return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))
    return image
