"""The level and the noise that a pixel's surroundings have, in blocks, between which is interpolated."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Float64, Numbers

_MAD = 1.482602218505602  # standard deviation of a Gaussian over its median absolute deviation
_STANDS_OUT = 3.0  # times the scatter of 3 x 3 blocks about their median
_PARABOLA = 3  # blocks along each side that it needs
_ROUNDS = 3  # of its fit
_SMALLEST = 4  # pixels of a block's side
_FEWEST = 0.1  # share of a block's pixels that have to be usable


class Surroundings(NamedTuple):
    """What a pixel is held against.

    Attributes
    ----------
    level : (ny, nx) float32
        Local background.
    sigma : (ny, nx) float32
        Local noise of one pixel, robust.
    """

    level: Float32
    sigma: Float32


def surroundings(
    image: Float32, usable: Flags, block: int, *, variance: Numbers | None = None, least: int = 1
) -> Surroundings | None:
    """Measure the local background and the local noise of an image.

    A parabola in x and y through the medians of blocks is taken off first, so that the light's fall towards
    the corners does not bend within a block. What is left has, block by block, its median and 1.4826 times
    the median absolute deviation about the bilinear surface through the medians. Blocks that stand out
    among their eight neighbours take the median of the nine, so that a group of bad pixels as large as a
    block does not become background. Outside the outermost centres the surface goes on straight.

    Parameters
    ----------
    image : (ny, nx)
    usable : (ny, nx) bool
        Other pixels are passed over.
    block : int
        Side of a block, pixels. Blocks are made a little larger or smaller so that they fill the image.
    variance : (ny, nx), optional
        Of the image: the square root of a block's median is a floor of its noise (where integers or
        clipping leave none).
    least : int
        Blocks along each side, at least, if they can have four pixels each: a background that is not flat
        needs several, however small the image.

    Returns
    -------
    Surroundings or None
        None where no pixel is usable.

    References
    ----------
    The mesh of Bertin & Arnouts 1996 (A&AS 117, 393), section 3, with medians in place of modes.
    """
    surface = local_level(image, usable, block, least=least)
    if surface is None:
        return None
    rows, columns = (_edges(length, block, least) for length in image.shape)
    noise = _MAD * _per_block(np.abs(image - surface), usable, rows, columns)
    if variance is not None:
        finite = usable & np.isfinite(variance)
        floor = np.sqrt(np.maximum(_per_block(variance, finite, rows, columns), 0.0))
        noise = np.fmax(noise, floor)
    return Surroundings(surface, np.maximum(_surface(_smooth(noise), rows, columns), np.float32(0)))


def local_level(image: Float32, usable: Flags, block: int, *, least: int = 1) -> Float32 | None:
    """Measure the background alone, as `surroundings` does: (ny, nx), None where no pixel is usable."""
    rows, columns = (_edges(length, block, least) for length in image.shape)
    medians = _per_block(image, usable, rows, columns)
    if not np.isfinite(medians).any():
        return None
    trend = _trend(_smooth(medians), rows, columns)
    return trend + _surface(_smooth(_per_block(image - trend, usable, rows, columns)), rows, columns)


def _edges(length: int, block: int, least: int) -> list[int]:
    count = max(1, round(length / block), min(least, length // _SMALLEST))
    return [int(edge) for edge in np.linspace(0, length, count + 1).round()]


def _per_block(values: Numbers, usable: Flags, rows: list[int], columns: list[int]) -> Float64:
    """Median of each block; NaN where less than a tenth of it is usable."""
    everywhere = bool(usable.all())
    out = np.full((len(rows) - 1, len(columns) - 1), np.nan)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            where = (slice(rows[i], rows[i + 1]), slice(columns[j], columns[j + 1]))
            part = values[where]
            kept = part.ravel() if everywhere else part[usable[where]]
            if kept.size and kept.size >= _FEWEST * part.size:
                out[i, j] = np.median(kept)
    return out


def _trend(cells: Float64, rows: list[int], columns: list[int]) -> Float32:
    """The parabola in x and y through blocks, those that stand out left out; 0 with fewer than 3 x 3."""
    ny, nx = rows[-1], columns[-1]
    if min(cells.shape) < _PARABOLA:
        return np.zeros((ny, nx), np.float32)
    v, u = (np.array([(a + b) / side - 1 for a, b in pairwise(e)]) for e, side in ((rows, ny), (columns, nx)))
    terms = np.stack(
        [
            np.outer(a, b).ravel()
            for a, b in ((v**0, u**0), (v**0, u), (v, u**0), (v**0, u**2), (v, u), (v**2, u**0))
        ],
        axis=1,
    )
    values, kept = cells.ravel(), np.ones(cells.size, dtype=bool)
    for _ in range(_ROUNDS):
        found, *_ = np.linalg.lstsq(terms[kept], values[kept], rcond=None)
        off = np.abs(values - terms @ found)
        kept = off <= max(_STANDS_OUT * _MAD * float(np.median(off)), float(np.sort(off)[terms.shape[1]]))
    c, x, y, xx, xy, yy = found
    py, px = ((2 * np.arange(side) + 1) / side - 1 for side in (ny, nx))
    along = (c + x * px + xx * px**2).astype(np.float32)
    across = (y * py + yy * py**2).astype(np.float32)
    trend: Float32 = along[None, :] + across[:, None]
    trend += np.outer((xy * py).astype(np.float32), px.astype(np.float32))
    return trend


def _smooth(cells: Float64) -> Float64:
    """Blocks that stand out take the median of 3 x 3, those that are missing that of their neighbours.

    Beyond the border the blocks are continued straight, so a plane stays what it is.
    """
    full = cells.copy()
    while np.isnan(full).any():
        padded = np.pad(full, 1, constant_values=np.nan)
        around = np.stack([padded[i : i + full.shape[0], j : j + full.shape[1]] for i, j in _NINE])
        missing = np.isnan(full)
        known = missing & np.isfinite(around).any(axis=0)
        full[known] = np.nanmedian(around[:, known], axis=0)
    padded = full
    for axis in range(2):
        width = [(int(axis == own), int(axis == own)) for own in range(2)]
        if full.shape[axis] > 1:
            padded = np.pad(padded, width, mode="reflect", reflect_type="odd")
        else:
            padded = np.pad(padded, width, mode="edge")
    around = np.stack([padded[i : i + full.shape[0], j : j + full.shape[1]] for i, j in _NINE])
    smooth: Float64 = np.median(around, axis=0)
    scatter = _MAD * np.median(np.abs(around - smooth), axis=0)
    return np.where(np.abs(full - smooth) > _STANDS_OUT * scatter, smooth, full)


_NINE = [(i, j) for i in range(3) for j in range(3)]


def _surface(cells: Float64, rows: list[int], columns: list[int]) -> Float32:
    """Bilinear between the blocks' centres, straight beyond the outermost."""
    low, high, weight = _weights(rows)
    along = cells[low] * (1 - weight)[:, None] + cells[high] * weight[:, None]
    low, high, weight = _weights(columns)
    narrow = weight.astype(np.float32)
    found = along.astype(np.float32)
    surface: Float32 = found[:, low] * (1 - narrow) + found[:, high] * narrow
    return surface


def _weights(edges: list[int]) -> tuple[np.ndarray, np.ndarray, Float64]:
    """Of each pixel: the two blocks it lies between, and the weight of the second."""
    bounds = np.array(edges, dtype=np.float64)
    centres = (bounds[:-1] + bounds[1:] - 1) / 2
    pixels = np.arange(edges[-1], dtype=np.float64)
    if len(centres) == 1:
        zeros = np.zeros(len(pixels), dtype=np.intp)
        return zeros, zeros, np.zeros(len(pixels))
    low = np.clip(np.searchsorted(centres, pixels) - 1, 0, len(centres) - 2)
    weight = (pixels - centres[low]) / (centres[low + 1] - centres[low])
    return low, low + 1, weight
