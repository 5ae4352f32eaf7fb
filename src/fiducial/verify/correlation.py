"""How far the noise of neighbouring pixels is correlated, and what that does to the errors of means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

MAX_LAG = 8
LARGEST_SIDE = 512
"""The correlation is taken from a central section of at most so many rows and columns: 144 lags of
262,144 pixels leave 0.2 per cent each, and the cost does not grow with the amplifier."""

SIGNIFICANT = 4.0
"""Lags below so many standard errors count as uncorrelated: the noise of 144 lags would else dominate."""

HIGH_PASS_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Correlation:
    """Factors by which correlated noise changes variances; all 1 for white noise.

    Parameters
    ----------
    c1
        1 + 2 sum(rho): of the variance of a mean over an area.
    c2
        1 + 2 sum(rho^2): of the variance of a variance.
    c1_row, c1_column
        As c1, along rows and along columns only: of means over one row or one column.
    """

    c1: float = 1.0
    c2: float = 1.0
    c1_row: float = 1.0
    c1_column: float = 1.0


def correlation_of(z: NDArray[np.float32], kept: NDArray[np.bool_]) -> Correlation:
    """Correlation factors of the noise of a residual.

    Means of blocks of 64 pixels, of rows and of columns are taken out before, so that structure (a glow,
    stripes), which has a test of its own, does not pass for correlated noise; what this takes from white
    noise is put back.

    Parameters
    ----------
    z
        Shape (ny, nx): residual in units of its expected sigma.
    kept
        Pixels that count; the others are as if they were not there.

    Returns
    -------
    Correlation
        From lags to 8 in both directions. Factors are at least 1: errors are never made smaller.

    References
    ----------
    Priestley 1981, Spectral Analysis and Time Series, eqs. 5.3.5 (mean) and 5.3.23 (variance).
    """
    window = _central(z.shape)
    inside = kept[window]
    n = int(np.count_nonzero(inside))
    ny, nx = inside.shape
    if n < 4 * (2 * MAX_LAG + 1) ** 2 or min(ny, nx) <= 2 * MAX_LAG:
        return Correlation()
    values = _high_pass(np.where(inside, z[window], np.float32(0)), inside)
    covariance, pairs = _covariances(values, inside)
    variance = covariance[0, MAX_LAG]
    if not variance > 0:
        return Correlation()
    rho = covariance / variance + _taken_out(ny, nx)
    rho[np.abs(rho) * np.sqrt(np.maximum(pairs, 1.0)) < SIGNIFICANT] = 0.0
    rho[0, : MAX_LAG + 1] = 0.0  # a half plane: the columns right of the pixel, and all of the rows above
    return Correlation(
        c1=max(1.0, 1.0 + 2.0 * float(rho.sum())),
        c2=1.0 + 2.0 * float(np.square(rho).sum()),
        c1_row=max(1.0, 1.0 + 2.0 * float(rho[0].sum())),
        c1_column=max(1.0, 1.0 + 2.0 * float(rho[1:, MAX_LAG].sum())),
    )


def _central(shape: tuple[int, ...]) -> tuple[slice, slice]:
    y, x = (max(0, (side - LARGEST_SIDE) // 2) for side in shape)
    return slice(y, y + LARGEST_SIDE), slice(x, x + LARGEST_SIDE)


def _block_edges(length: int) -> NDArray[np.intp]:
    blocks = max(1, length // HIGH_PASS_BLOCK)
    return np.arange(blocks) * length // blocks


def _subtract_means(
    values: NDArray[np.float32], inside: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    total = np.add.reduceat(np.add.reduceat(values, columns, axis=1, dtype=np.float64), rows, axis=0)
    count = np.add.reduceat(np.add.reduceat(inside, columns, axis=1, dtype=np.int64), rows, axis=0)
    mean = (total / np.maximum(count, 1)).astype(np.float32)
    ny, nx = values.shape
    tall = np.repeat(mean, np.diff(rows, append=ny), axis=0)
    full = np.repeat(tall, np.diff(columns, append=nx), axis=1)
    return np.where(inside, values - full, np.float32(0))


def _high_pass(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    ny, nx = values.shape
    one = np.zeros(1, dtype=np.intp)
    values = _subtract_means(values, inside, _block_edges(ny), _block_edges(nx))
    values = _subtract_means(values, inside, np.arange(ny), one)
    return _subtract_means(values, inside, one, np.arange(nx))


def _taken_out(ny: int, nx: int) -> NDArray[np.float64]:
    """What the high pass takes from the correlation of white noise, by lag."""
    block_y, block_x = ny / len(_block_edges(ny)), nx / len(_block_edges(nx))
    lag_y = np.arange(MAX_LAG + 1)[:, None]
    lag_x = np.abs(np.arange(-MAX_LAG, MAX_LAG + 1))[None, :]
    taken = (1 - lag_y / block_y) * (1 - lag_x / block_x) / (block_y * block_x)
    taken[0] += 1.0 / nx
    taken[:, MAX_LAG] += 1.0 / ny
    return np.asarray(taken, dtype=np.float64)


def _covariances(
    values: NDArray[np.float32], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean products at lags (dy, dx), 0 <= dy <= 8, -8 <= dx <= 8, and the number of pairs of each."""
    ny, nx = values.shape
    shape = (next_fast_len(ny + MAX_LAG, real=True), next_fast_len(nx + MAX_LAG, real=True))

    def lagged(array: NDArray[np.float32]) -> NDArray[np.float64]:
        spectrum = rfft2(array, shape)
        products = irfft2(spectrum * np.conj(spectrum), shape)
        columns = np.arange(-MAX_LAG, MAX_LAG + 1)
        return np.asarray(products[: MAX_LAG + 1][:, columns], dtype=np.float64)

    if inside.all():
        lag_y, lag_x = np.arange(MAX_LAG + 1), np.abs(np.arange(-MAX_LAG, MAX_LAG + 1))
        pairs = np.outer(ny - lag_y, nx - lag_x).astype(np.float64)
    else:
        pairs = np.rint(lagged(inside.astype(np.float32)))
    return lagged(values) / np.maximum(pairs, 1.0), pairs
