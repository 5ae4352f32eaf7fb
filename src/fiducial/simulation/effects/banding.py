"""Banding: slow noise along the readout that all amplifiers of a detector share."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.simulation.settings import Strict


class Banding(Strict):
    """Row offsets, the same in image and overscan: an autoregressive process of first order."""

    sigma: float = Field(default=1.0, gt=0)  # adu
    rows: float = Field(default=5.0, gt=0)  # over which the correlation falls to 1 / e
    own: float = Field(default=0.0, ge=0, le=1)  # part of the variance that is each amplifier's own


def bands(settings: Banding, rows: int, rng: np.random.Generator) -> np.ndarray:
    """One process: (rows,) float32 in readout order, of unit variance."""
    kept = float(np.exp(-1.0 / settings.rows))
    value = float(rng.standard_normal())
    wave = np.empty(rows, np.float32)
    for row, step in enumerate(np.sqrt(1.0 - kept**2) * rng.standard_normal(rows)):
        value = kept * value + step
        wave[row] = value
    return wave


def shared(settings: Banding, common: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Bands of one amplifier (adu) from the detector's common process and its own."""
    weights = np.sqrt([1.0 - settings.own, settings.own]) * settings.sigma
    result: np.ndarray = (weights[0] * common + weights[1] * own).astype(np.float32)
    return result
