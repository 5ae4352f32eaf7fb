"""A whole detector put together from the segments of its amplifiers, and given back to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.products.masks import Plane

if TYPE_CHECKING:
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
        With that of the masters; NaN where there is none, before the correction ``variance`` everywhere.
    """

    image: Float32
    mask: Int32
    variance: Float32

    @classmethod
    def of(cls, segments: Sequence[Segment], frame: DetectorFrame) -> WholeDetector:
        """Put together the segments of one frame."""
        shape = frame.camera.layout(frame.detector).shape
        image, variance = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        mask = np.full(shape, np.int32(Plane.NO_DATA), np.int32)
        for segment in segments:
            where = segment.place.slices
            image[where], mask[where] = segment.image, segment.mask
            if segment.variance is not None:
                variance[where] = segment.total_variance()
        return cls(image, mask, variance)

    def give_back(self, segments: Sequence[Segment]) -> None:
        """Give the segments their pixels; the masters' share becomes part of the variance."""
        for segment in segments:
            where = segment.place.slices
            segment.image[...], segment.mask[...] = self.image[where], self.mask[where]
            if segment.variance is not None:
                segment.variance[...] = self.variance[where]
                segment.shared_variance = None


def whole_mask(segments: Sequence[Segment], frame: DetectorFrame) -> Int32:
    """Put together the masks alone; 0 where no amplifier is."""
    mask = np.zeros(frame.camera.layout(frame.detector).shape, np.int32)
    for segment in segments:
        mask[segment.place.slices] = segment.mask
    return mask
