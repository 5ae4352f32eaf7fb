"""The mean light on an amplifier, whatever its gradient, and whichever few pixels are saturated or hit."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32
from fiducial.algorithms.local_background import local_level
from fiducial.algorithms.statistics import clipped_mean

_BLOCK = 128  # pixels of a side, within which light has no structure that matters
_LEAST_BLOCKS = 3  # along each side: a gradient needs several


@dataclass(frozen=True, slots=True)
class LightLevel:
    """A mean level.

    Attributes
    ----------
    mean : float
        Of all pixels that are counted; NaN without any.
    error : float
        Standard error by the scatter about the local level. It holds the pixels' unequal response too
        (`fiducial.algorithms.fixed_pattern` takes that off, where there are many flats).
    pixels : int
        Whose own value counts.
    """

    mean: float
    error: float
    pixels: int


def light_level(image: Float32, counted: Flags, usable: Flags, *, kappa: float = 5.0) -> LightLevel:
    """Measure the mean level of an amplifier.

    The mean over always the same pixels: one that is counted but not usable in this frame (saturated, hit by
    a cosmic ray), or further from the local level than ``kappa`` standard deviations, stands in by the local
    level. A mean over what is left would change with the pixels left out, where the light has a gradient:
    the brightest saturate first.

    Parameters
    ----------
    image : (ny, nx)
    counted : (ny, nx) bool
        Pixels that the mean is of, the same in all frames that are compared.
    usable : (ny, nx) bool
        Those of them whose value can be used; others, and NaN, are passed over.
    kappa : float
        Limit of rejection.

    Returns
    -------
    LightLevel

    References
    ----------
    Local level: `fiducial.algorithms.local_background`; clipping and its error:
    `fiducial.algorithms.statistics.clipped_mean`.
    """
    good = counted & usable & np.isfinite(image)
    surface = local_level(image, good, _BLOCK, least=_LEAST_BLOCKS)
    if surface is None:
        return LightLevel(nan, nan, 0)
    rest = clipped_mean((image - surface)[good], kappa=kappa)
    base = float(np.mean(surface, where=counted, dtype=np.float64))
    return LightLevel(base + rest.mean, rest.error, rest.used)
