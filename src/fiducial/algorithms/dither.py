"""Uniform noise that makes rounded values continuous, the same whichever rows are asked for at a time."""

from __future__ import annotations

import hashlib

import numpy as np

from fiducial.algorithms.arrays import Float32

VARIANCE = 1.0 / 12.0
"""Of the noise, in steps squared."""

_AT_A_TIME = 4  # numbers that one step of the counter gives


def uniform_rows(key: str, first: int, shape: tuple[int, int]) -> Float32:
    """Uniform noise between -0.5 and 0.5 for some rows of an image.

    The generator counts: the numbers of a row follow from the key and the row alone.

    Parameters
    ----------
    key : str
        What the noise is for; other keys give independent noise.
    first : int
        The first row, from 0.
    shape : (ny, nx)
        Rows wanted, and pixels of a row.

    Returns
    -------
    (ny, nx) float32

    References
    ----------
    Generator: Salmon et al. 2011 (SC '11, Parallel random numbers: as easy as 1, 2, 3), Philox 4x64. Noise:
    Widrow & Kollar 2008, Quantization Noise, chapter 4: it has the density of the rounding, and its
    variance, 1/12.
    """
    ny, nx = shape
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "little")
    steps, ahead = divmod(first * nx, _AT_A_TIME)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=steps))
    values = generator.random(ahead + ny * nx)[ahead:]
    values -= 0.5
    return values.astype(np.float32).reshape(shape)
