"""What the results should be, in float64 numpy, by each program's own definition of clipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import (
    EXPOSURE,
    GAIN,
    GRID,
    KAPPA,
    LAGS,
    PAIR_KAPPA,
    PAIR_ROUNDS,
    READ_NOISE,
    SATURATION,
    Size,
)

FIXED_LEVEL = 1050.0  # adu; what is taken off by programs that know no overscan

type Float64 = NDArray[np.float64]
type Pixels = NDArray[Any]


@dataclass(frozen=True)
class Clipping:
    """How values are rejected: beyond 3 standard deviations from the centre, until none is left to reject."""

    centre: str  # "median", "integer median" (rounded down) or "mean" of the values still in
    ddof: int  # of the standard deviation
    about: str = "mean"  # what the standard deviation is about: "mean" or "centre"
    rounds: int | None = None  # most rounds; None: until nothing changes

    def __str__(self) -> str:
        spread = "" if self.about == "mean" or self.centre == "mean" else " about it"
        rounds = f", {self.rounds} round" if self.rounds else ""
        return f"{self.centre}, σ{spread} with ddof = {self.ddof}{rounds}"


def clipped_mean(stack: Pixels, clipping: Clipping, kappa: float = KAPPA) -> Float64:
    """Mean of (n, npix) values over n after clipping."""
    values = np.sort(stack.astype(np.float64), axis=0)
    kept = np.ones(values.shape, bool)
    active = np.arange(values.shape[1])
    done = 0
    while active.size and done != clipping.rounds:
        done += 1
        v, k = values[:, active], kept[:, active]
        n = k.sum(axis=0)
        mean = np.where(k, v, 0).sum(axis=0) / n
        centre = mean if clipping.centre == "mean" else _median(v, k, n)
        if clipping.centre == "integer median":
            centre = np.floor(centre)
        about = centre if clipping.about == "centre" else mean
        square = np.where(k, np.square(v - about), 0).sum(axis=0)
        sigma = np.sqrt(square / np.maximum(n - clipping.ddof, 1))
        now = k & (np.abs(v - centre) <= kappa * sigma)
        changed = now.sum(axis=0) != n
        kept[:, active] = now
        active = active[changed]
    return np.asarray(np.where(kept, values, 0).sum(axis=0) / kept.sum(axis=0), np.float64)


def _median(values: Float64, kept: NDArray[np.bool_], number: NDArray[np.int_]) -> Float64:
    """Median of what is kept of sorted values: a run of neighbours."""
    first = kept.argmax(axis=0)
    low = np.take_along_axis(values, (first + (number - 1) // 2)[None], axis=0)[0]
    high = np.take_along_axis(values, (first + number // 2)[None], axis=0)[0]
    return np.asarray(0.5 * (low + high), np.float64)


@dataclass(frozen=True)
class Masters:
    """Master bias (adu), dark (adu per second) and flat, trimmed, and the mask of bad pixels."""

    bias: Pixels
    dark: Pixels
    flat: Pixels
    mask: Pixels


def without_overscan(raw: Pixels, size: Size, model: str = "amplifier") -> Float64:
    """Trim a raw frame and take its level off.

    The level is the median of each row's overscan of each "amplifier", that of the "first" amplifier for all
    (of the first columns, whatever amplifier they are of), or `FIXED_LEVEL` for "level".
    """
    if model == "first":
        overscan = raw[:, size.bias_columns[0]]
        return np.asarray(raw[:, : size.columns] - np.median(overscan, axis=1, keepdims=True), np.float64)
    out = np.empty((len(raw), size.columns))
    for k in range(2):
        own = np.median(raw[:, size.bias_columns[k]], axis=1, keepdims=True)
        out[:, size.detector[k]] = raw[:, size.data[k]] - (FIXED_LEVEL if model == "level" else own)
    return out


def detrended(
    raw: Pixels, masters: Masters, size: Size, model: str = "amplifier"
) -> tuple[Float64, Float64, NDArray[np.uint8]]:
    """Image (adu, flat-fielded), variance and mask (1 bad, 2 saturated) of a raw science frame."""
    signal = without_overscan(raw, size, model) - masters.bias
    flat = np.asarray(masters.flat, np.float64)
    variance = np.maximum(signal, 0)
    saturated = np.empty(flat.shape, bool)
    for k in range(2):
        columns = size.detector[k]
        variance[:, columns] = variance[:, columns] / GAIN[k] + (READ_NOISE[k] / GAIN[k]) ** 2
        saturated[:, columns] = raw[:, size.data[k]] >= SATURATION
    image = (signal - EXPOSURE * np.asarray(masters.dark, np.float64)) / flat
    mask = np.where(saturated, np.uint8(2), np.uint8(0)) | masters.mask.astype(np.uint8)
    return image, variance / flat**2, mask.astype(np.uint8)


def amplifiers(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Regions of the amplifiers of a flat pair, row by row."""
    rows, columns = shape[0] // GRID[0], shape[1] // GRID[1]
    return [
        (slice(i * rows, (i + 1) * rows), slice(j * columns, (j + 1) * columns))
        for i in range(GRID[0])
        for j in range(GRID[1])
    ]


def covariances(first: Pixels, second: Pixels) -> Float64:
    """Half the covariances of the difference of two flats at lags 0..7 in rows and columns, 5-sigma clipped.

    The clipping starts from all pixels and has three rounds about the mean (ddof = 0); the mean of the
    pixels that stay is taken off, and a product counts if both its pixels stayed.
    """
    difference = first.astype(np.float64) - second.astype(np.float64)
    kept = np.ones(difference.shape, bool)
    for _ in range(PAIR_ROUNDS):
        values = difference[kept]
        kept = np.abs(difference - values.mean()) < PAIR_KAPPA * values.std()
    centred = np.where(kept, difference - difference[kept].mean(), 0)
    rows, columns = centred.shape
    out = np.empty((LAGS, LAGS))
    for i in range(LAGS):
        for j in range(LAGS):
            near = slice(0, rows - i), slice(0, columns - j)
            far = slice(i, rows), slice(j, columns)
            pairs = np.count_nonzero(kept[near] & kept[far])
            out[i, j] = np.sum(centred[near] * centred[far]) / pairs / 2
    return out
