"""What a pixel of an image typically has, for pixels of which nothing is known."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32
from fiducial.kernels import quantiles

_ONE_SIGMA = (0.158655, 0.5, 0.841345)  # of a Gaussian


class Typical(NamedTuple):
    """A value, and the variance of single pixels about it."""

    value: float
    variance: float


def typical_pixel(image: Float32, usable: Flags, statistic: Literal["median", "mean"]) -> Typical | None:
    """Median, or mean, of the usable pixels, and their variance about it.

    Parameters
    ----------
    image : (ny, nx)
        Values that are not finite are passed over.
    usable : (ny, nx) bool
    statistic : {"median", "mean"}
        With the median the variance is that of the central 68 per cent, of a Gaussian as wide.

    Returns
    -------
    Typical or None
        None where no pixel is usable.

    References
    ----------
    Kendall & Stuart 1977, The Advanced Theory of Statistics 1, chapter 2.
    """
    if statistic == "median":
        (low, middle, high), count = quantiles(image, usable, _ONE_SIGMA)
        return Typical(float(middle), float(high - low) ** 2 / 4.0) if count else None
    values = image[usable & np.isfinite(image)].astype(np.float64)
    return Typical(float(np.mean(values)), float(np.var(values))) if values.size else None
