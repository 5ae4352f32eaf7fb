"""Dither: integers made continuous where the read noise does not do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.algorithms.dither import VARIANCE, uniform_rows
from fiducial.corrections.base import Context, Correction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class DitherConfig(Config):
    """Settings of the dithering."""

    below = RangeField(
        dtype=float,
        default=0.5,
        min=0.0,
        doc="Amplifiers whose read noise is below this many adu are dithered.",
    )


class DitherCorrection(Correction):
    """Add uniform noise of one adu to integers, for amplifiers whose read noise is below half an adu.

    So medians and clipping limits do not stick to integers; what rounding has done to means stays done.
    Exposure, detector and amplifier give the noise: it is the same in every run. Its variance, 1/12 adu^2,
    counts as that of the overscan. Overscan pixels of the same rows are dithered too (by other noise), unless
    they are saturated; models fitted to the whole overscan see it as it is in the file.
    """

    name = "dither"
    stage = "raw"
    ConfigClass = DitherConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        self.amplifiers = tuple(
            amp.name
            for amp in context.camera.amplifiers(context.detector)
            if amp.read_noise / amp.gain < config.below
        )

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Add it."""
        amp = segment.amplifier
        if amp.name not in self.amplifiers or segment.raw.dtype.kind not in "iu":
            return
        key = f"{frame.exposure} {frame.detector} {amp.name}"
        first = segment.rows[0] - amp.data.y0
        segment.image += uniform_rows(key, first, segment.raw.shape)
        segment.row_variance = segment.row_variance + VARIANCE
        if segment.overscan is not None:
            noise = uniform_rows(f"{key} overscan", first, segment.overscan.shape)
            segment.overscan = _unless_saturated(segment.overscan, noise, amp.saturation)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The amplifiers that are dithered."""
        return {"AMPLIFIERS": ",".join(self.amplifiers)}


def _unless_saturated(
    pixels: NDArray[Any], noise: NDArray[np.float32], saturation: float
) -> NDArray[np.float32]:
    values = pixels.astype(np.float32)
    np.add(values, noise, out=values, where=pixels < saturation)
    return values
