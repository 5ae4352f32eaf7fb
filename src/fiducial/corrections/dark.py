"""Dark: the charge that gathers without light, subtracted."""

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


class DarkCorrection(MasterCorrection):
    """Subtract the master dark rate times the frame's dark time.

    The frame's own variance keeps the shot noise of the dark charge (``variance`` comes before); the
    variance of the master, times the time squared, is shared by all frames.
    """

    name = "dark"
    master = "dark"

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Subtract rate times dark time."""
        dark = cut(self.found, segment.place)
        segment.image -= dark.image * np.float32(frame.facts.dark_time)
        segment.mask |= dark.mask

    def share(
        self, variance: Float32 | None, image: Float32, window: Region, weights: Weights
    ) -> Float32 | None:
        """(sum c t)^2 times the master's variance."""
        own = cut(self.found, window).variance * np.float32(weights.time**2)
        return own if variance is None else variance + own
