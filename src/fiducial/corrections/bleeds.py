"""Bleeds: what saturated pixels spill along their columns is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.algorithms.trails import grow, runs_from_edge
from fiducial.corrections.base import Correction
from fiducial.corrections.whole import flagged, whole_mask
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment

_SAT = np.int32(Plane.SAT)


class BleedsConfig(Config):
    """Settings of the masks of bleeding trails."""

    across = RangeField(
        dtype=int, default=1, min=0, doc="Columns to either side of a saturated pixel that become SAT."
    )
    along = RangeField(dtype=int, default=4, min=0, doc="Rows above and below it that become SAT.")
    trail = RangeField(
        dtype=int,
        default=50,
        min=1,
        doc="Saturated pixels without a gap from the detector's edge on, of a trail that spills there.",
    )
    edgeRows = RangeField(
        dtype=int,
        default=10,
        min=0,
        doc="Rows at that edge that become SAT in all columns of the amplifier; 0: none.",
    )


class BleedsCorrection(Correction):
    """Make saturated pixels' SAT wider, along the column more than across it.

    Where a long trail reaches the first or the last row of the detector, the charge spreads along the rows
    there, and those rows of the amplifier become SAT too.
    """

    name = "bleeds"
    whole_detector = True
    ConfigClass = BleedsConfig

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Set the bits, of all amplifiers together: charge does not stop between them."""
        saturated = flagged(whole_mask(segments, frame), _SAT, frame.threads)
        if not saturated.any():
            return
        grown = grow(saturated, across=self.config.across, along=self.config.along)
        rows = int(self.config.edgeRows)
        first, last = (runs_from_edge(turned) >= self.config.trail for turned in (saturated, saturated[::-1]))
        for amp in frame.amplifiers:
            place = amp.detector
            columns = slice(place.x0, place.x1)
            if place.y0 == 0 and first[columns].any():
                grown[: min(rows, place.y1), columns] = True
            if place.y1 == len(grown) and last[columns].any():
                grown[max(len(grown) - rows, place.y0) :, columns] = True
        y, x = np.divmod(np.flatnonzero(grown), grown.shape[1])
        if frame.planes is not None:
            frame.planes.mask[y, x] |= _SAT
            return
        for segment in segments:
            segment.mask[grown[segment.place.slices]] |= _SAT

    def notes(self) -> dict[str, str | int | float | bool]:
        """The settings in force."""
        return {
            "ACROSS": int(self.config.across),
            "ALONG": int(self.config.along),
            "TRAIL": int(self.config.trail),
            "EDGE ROWS": int(self.config.edgeRows),
        }
