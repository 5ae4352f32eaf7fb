"""Statistics: level, noise and masked pixels of each amplifier, for the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.pixel_noise import pixel_noise
from fiducial.corrections.base import Correction
from fiducial.kernels import quantiles
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class StatisticsCorrection(Correction):
    """Measure each amplifier of the corrected frame, and change nothing; stands last.

    The header has ``FID AMP {name} LEVEL``, the median of usable pixels, ``PIXEL NOISE``, by differences of
    neighbours, and ``PIXELS {plane}``, how many pixels have that mask plane, for every plane.
    """

    name = "statistics"
    whole_detector = True

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Measure."""
        usable = (segment.mask & np.int32(UNUSABLE)) == 0
        image = np.ascontiguousarray(segment.image)
        start = f"FID AMP {segment.amplifier.name}"
        (level,), count = quantiles(image, usable, [0.5])
        if count:
            frame.notes[f"{start} LEVEL"] = float(level)
        noise = pixel_noise(image, usable)
        if np.isfinite(noise):
            frame.notes[f"{start} PIXEL NOISE"] = noise
        present = int(np.bitwise_or.reduce(segment.mask, axis=None))
        for plane in Plane:
            number = np.count_nonzero(segment.mask & np.int32(plane)) if present & plane else 0
            frame.notes[f"{start} PIXELS {plane.name}"] = int(number)
