"""Saturation: pixels at or near the level where the camera stops counting are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.corrections.base import Correction
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class SaturationConfig(Config):
    """Settings of the saturation masks."""

    suspect = RangeField(
        dtype=float,
        default=0.9,
        min=0.0,
        max=1.0,
        inclusiveMax=True,
        doc="Fraction of the saturation level from which pixels are SUSPECT.",
    )


class SaturationCorrection(Correction):
    """Mark raw pixels at or above the amplifier's saturation as SAT, those near it as SUSPECT.

    Judged on the pixels as they are in the file (adu, overscan not yet subtracted), wherever it
    stands in the chain before assembly.
    """

    name = "saturation"
    stage = "raw"
    ConfigClass = SaturationConfig

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Set the bits."""
        saturation = segment.amplifier.saturation
        suspect = segment.raw >= self.config.suspect * saturation
        if suspect.any():
            segment.mask[suspect] |= np.int32(Plane.SUSPECT)
            segment.mask[segment.raw >= saturation] |= np.int32(Plane.SAT)
