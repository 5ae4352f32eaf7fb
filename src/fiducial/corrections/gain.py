"""Gain: from adu to electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fiducial.corrections.base import Correction

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class GainCorrection(Correction):
    """Multiply by each amplifier's gain (electron/adu). A chain with it works in electrons."""

    name = "gain"
    stage = "raw"

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Multiply the image by the gain, and variances by its square."""
        gain = segment.amplifier.gain
        segment.image *= np.float32(gain)
        segment.row_variance = segment.row_variance * gain**2
        segment.column_variance = segment.column_variance * gain**2
        if segment.variance is not None:
            segment.variance *= np.float32(gain**2)
        segment.world = "electron"
