"""A pedestal: a constant that electronics without overscan add to every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, Field

from fiducial.corrections.base import Correction

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class PedestalConfig(Config):
    """Settings of the pedestal."""

    level = Field[float](doc="What is subtracted from every pixel (adu).", default=0.0)


class PedestalCorrection(Correction):
    """Subtract a constant (adu) from raw amplifiers, before or after the gain."""

    name = "pedestal"
    stage = "raw"
    ConfigClass = PedestalConfig

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Subtract it."""
        factor = segment.amplifier.gain if segment.world == "electron" else 1.0
        segment.image -= np.float32(factor * self.config.level)

    def notes(self) -> dict[str, str | int | float | bool]:
        """What was subtracted."""
        return {"LEVEL": float(self.config.level)}
