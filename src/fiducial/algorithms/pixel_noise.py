"""The noise of the pixels of one image, its light taken as the same in neighbours."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32
from fiducial.kernels import quantiles

_ONE_SIGMA = (0.158655, 0.841345)  # of a Gaussian


def pixel_noise(image: Float32, usable: Flags) -> float:
    r"""Standard deviation of a pixel, from differences of neighbours in rows.

    Half the width of the central 68 per cent of :math:`(x_{i+1} - x_i) / \sqrt 2`: slopes and stars hardly
    count. Noise that neighbours share is not seen.

    Parameters
    ----------
    image : (ny, nx)
    usable : (ny, nx) bool
        Pairs with another pixel, or one that is not finite, are passed over.

    Returns
    -------
    float
        NaN where there is no pair.

    References
    ----------
    von Neumann 1941 (Ann. Math. Stat. 12, 367), with quantiles in place of squares.
    """
    pairs = usable[:, 1:] & usable[:, :-1]
    steps = np.subtract(image[:, 1:], image[:, :-1], dtype=np.float32)
    (low, high), count = quantiles(steps, pairs, _ONE_SIGMA)
    return float(high - low) / (2.0 * sqrt(2.0)) if count else nan
