"""Bias: what the electronics add to every pixel, subtracted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fiducial.corrections.masters import cut
from fiducial.corrections.with_master import MasterCorrection

if TYPE_CHECKING:
    from fiducial.cameras.regions import Region
    from fiducial.corrections.base import Weights
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Segment


class BiasCorrection(MasterCorrection):
    """Subtract the master bias; its bad pixels become the frame's, its variance is shared by all frames."""

    name = "bias"
    master = "bias"

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Subtract it."""
        bias = cut(self.found, segment.place)
        segment.image -= bias.image
        segment.mask |= bias.mask

    def share(
        self, variance: Float32 | None, image: Float32, window: Region, weights: Weights
    ) -> Float32 | None:
        """(sum c)^2 times the master's variance."""
        own = cut(self.found, window).variance * np.float32(weights.total**2)
        return own if variance is None else variance + own
