"""Floating-point images that were stored as integers, tile by tile, most of them dithered."""

from __future__ import annotations

from functools import cache

import numpy as np

DITHERS = ("NO_DITHER", "SUBTRACTIVE_DITHER_1", "SUBTRACTIVE_DITHER_2")
_NUMBERS = 10000
_ZERO = -2147483646  # what SUBTRACTIVE_DITHER_2 stores for a value that is exactly 0


@cache
def dither_numbers() -> np.ndarray:
    """The 10,000 random numbers between 0 and 1 that all programs share, float32 (FITS 4.0, appendix I)."""
    modulus = 2147483647
    seed = 1
    numbers = np.empty(_NUMBERS, np.float32)
    for i in range(_NUMBERS):
        seed = 16807 * seed % modulus
        numbers[i] = seed / modulus
    return numbers


def dither_of(start: int, count: int) -> np.ndarray:
    """The random numbers of a tile's pixels, float64.

    Parameters
    ----------
    start
        Which number tells where the tile begins: the tile's, from 0, plus ``ZDITHER0`` less 1, modulo 10,000.
    count
        Pixels of the tile.
    """
    numbers = dither_numbers()
    parts = []
    missing = count
    start %= _NUMBERS
    while missing > 0:
        first = int(numbers[start].astype(np.float64) * 500.0)
        parts.append(numbers[first : first + missing])
        missing -= len(parts[-1])
        start = (start + 1) % _NUMBERS
    return np.concatenate(parts).astype(np.float64)


def restore(
    integers: np.ndarray, scale: float, zero: float, *, blank: int | None, method: str, start: int
) -> np.ndarray:
    """The values of a tile (FITS standard 4.0, sections 10.2.1 and 10.2.2).

    Parameters
    ----------
    integers : (pixels,) integers
        What is stored.
    scale, zero
        ``ZSCALE`` and ``ZZERO`` of the tile.
    blank
        ``ZBLANK``, the integer for NaN; None if there is none.
    method
        One of `DITHERS`.
    start
        As in `dither_of`.

    Returns
    -------
    (pixels,) float64
    """
    values = integers.astype(np.float64)
    if method != "NO_DITHER":
        values -= dither_of(start, values.size)
        values += 0.5
    with np.errstate(over="ignore", invalid="ignore"):
        values *= scale
        values += zero
    if method == "SUBTRACTIVE_DITHER_2":
        values[integers == _ZERO] = 0.0
    if blank is not None:
        values[integers == blank] = np.nan
    return values
