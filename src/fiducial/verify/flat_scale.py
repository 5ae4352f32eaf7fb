"""The scale E of a flat: its level by the master, fitted to one amplifier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.window import SAMPLE, Z_LIMIT


def fit_level(signal: NDArray[np.float32], master: NDArray[np.float32], usable: NDArray[np.bool_]) -> float:
    """A first level of a flat: the median of S / M over the better lit half of the usable pixels."""
    lit = usable & (master > 0)
    if not lit.any():
        return 0.0
    response, light = master[lit], signal[lit]
    step = (response.size // SAMPLE) | 1
    response, light = response[::step], light[::step]
    bright = response >= np.median(response)
    return float(np.median(light[bright] / response[bright]))


def refine_level(
    signal: NDArray[np.float32],
    master: NDArray[np.float32],
    variance: NDArray[np.float32],
    usable: NDArray[np.bool_],
    level: float,
) -> float:
    """The level by weighted least squares, sum(S M / V) / sum(M^2 / V), over pixels within 5 sigma."""
    z = (signal - np.float32(level) * master) / np.sqrt(variance)
    kept = usable & (np.abs(z) <= Z_LIMIT)
    m, v = master[kept].astype(np.float64), variance[kept]
    norm = float(np.sum(m * m / v))
    return float(np.sum(signal[kept] * m / v)) / norm if norm > 0 else level
