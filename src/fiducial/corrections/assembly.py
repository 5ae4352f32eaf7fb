"""Assembly: amplifiers turned the way the detector is looked at, and put in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fiducial.corrections.base import Correction
from fiducial.corrections.strips import detector_window

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class AssemblyCorrection(Correction):
    """Flip each segment as its ``detector`` section is written, and note where it belongs."""

    name = "assembly"
    stage = "raw"

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Flip the pixels (views, no copy) and set the segment's window."""
        place = segment.amplifier.detector
        y = slice(None, None, -1 if place.flip_y else 1)
        x = slice(None, None, -1 if place.flip_x else 1)
        segment.image = segment.image[y, x]
        segment.mask = segment.mask[y, x]
        segment.row_variance = segment.row_variance[y]
        segment.column_variance = segment.column_variance[x]
        if segment.variance is not None:
            segment.variance = segment.variance[y, x]
        segment.window = detector_window(segment.amplifier, *segment.rows)
