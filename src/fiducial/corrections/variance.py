"""Variance: the noise that a pixel's own electrons, the read-out and the overscan model give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, Field

from fiducial.corrections.base import Correction

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Segment, World


class VarianceConfig(Config):
    """Settings of the variance."""

    poisson = Field[bool](
        default=True, doc="Add the signal's own noise; off for frames without signal (biases)."
    )


class VarianceCorrection(Correction):
    """Set the variance plane; stands after bias and before dark, whose charge has shot noise too.

    max(S, 0) + RN^2 + what the overscan models add, with the signal S in electrons; in adu S and
    RN are divided by the gain, and S by it once more (Janesick 2001, Scientific Charge-Coupled
    Devices, chapter 2).
    """

    name = "variance"
    ConfigClass = VarianceConfig

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Set it from the image as it is now."""
        variance = np.empty(segment.image.shape, np.float32)
        if self.config.poisson:
            np.maximum(segment.image, np.float32(0.0), out=variance)
            variance *= np.float32(signal_factor(segment.amplifier, segment.world))
        else:
            variance[:] = 0.0
        variance += (read_variance(segment.amplifier, segment.world) + segment.row_variance).astype(
            np.float32
        )[:, np.newaxis]
        if segment.column_variance.any():
            variance += segment.column_variance.astype(np.float32)
        segment.variance = variance


def read_variance(amplifier: Amplifier, world: World) -> float:
    """Read noise squared of a pixel, in the world's unit squared."""
    noise = amplifier.read_noise if world == "electron" else amplifier.read_noise / amplifier.gain
    return noise**2


def signal_factor(amplifier: Amplifier, world: World) -> float:
    """Variance per signal: 1 in electrons, 1 / gain in adu."""
    return 1.0 if world == "electron" else 1.0 / amplifier.gain


def expected_variance(signal: Float32, amplifier: Amplifier, world: World, added: float = 0.0) -> Float32:
    """Variance of pixels of a known signal (dark charge included), in the world's unit squared.

    Parameters
    ----------
    signal
        Any shape; negative counts as none, NaN stays NaN.
    amplifier, world
        Of whom, and in which unit.
    added
        Variance that the overscan model adds.
    """
    factor = np.float32(signal_factor(amplifier, world))
    base = np.float32(read_variance(amplifier, world) + added)
    return np.maximum(signal, np.float32(0.0)) * factor + base
