"""A whole detector put together from the segments of its amplifiers, and given back to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.corrections.memory import for_each, for_each_band
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Int32, Segment


@dataclass(frozen=True, slots=True, eq=False)
class WholeDetector:
    """Planes of a detector.

    Attributes
    ----------
    image : (ny, nx) float32
        NaN where no amplifier is.
    mask : (ny, nx) int32
        NO_DATA there.
    variance : (ny, nx) float32
        With that of the masters (of planes that hold the segments: after `add_up`); NaN where there is none,
        before the correction ``variance`` everywhere.
    """

    image: Float32
    mask: Int32
    variance: Float32

    @classmethod
    def of(cls, segments: Sequence[Segment], frame: DetectorFrame) -> WholeDetector:
        """Put together the segments of one frame, or take the planes that hold them."""
        if (planes := frame.planes) is not None:
            return cls(planes.image, planes.mask, planes.variance)
        shape = frame.camera.layout(frame.detector).shape
        image, variance = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        mask = np.full(shape, np.int32(Plane.NO_DATA), np.int32)
        for segment in segments:
            where = segment.place.slices
            image[where], mask[where] = segment.image, segment.mask
            if segment.variance is not None:
                variance[where] = segment.total_variance()
        return cls(image, mask, variance)

    def add_up(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Make the masters' share a part of the variance."""
        if frame.planes is not None:
            for_each(frame.planes.add_up, segments, frame.threads)

    def give_back(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Give the segments their pixels; the masters' share becomes part of the variance."""
        if frame.planes is not None:
            return
        for segment in segments:
            where = segment.place.slices
            segment.image[...], segment.mask[...] = self.image[where], self.mask[where]
            if segment.variance is not None:
                segment.variance[...] = self.variance[where]
                segment.shared_variance = None


def flagged(mask: Int32, bits: np.int32, threads: int) -> NDArray[np.bool_]:
    """(ny, nx): where a mask has any of some bits."""
    found = np.empty(mask.shape, np.bool_)
    for_each_band(lambda rows: np.not_equal(mask[rows] & bits, 0, out=found[rows]), len(mask), threads)
    return found


def whole_mask(segments: Sequence[Segment], frame: DetectorFrame) -> Int32:
    """Put together the masks alone; where no amplifier is, nothing is saturated."""
    if frame.planes is not None:
        return frame.planes.mask
    mask = np.zeros(frame.camera.layout(frame.detector).shape, np.int32)
    for segment in segments:
        mask[segment.place.slices] = segment.mask
    return mask
