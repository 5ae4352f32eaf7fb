"""Statistics: level, noise and masked pixels of each amplifier, for the header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.pixel_noise import pixel_noise
from fiducial.corrections.base import Correction
from fiducial.corrections.memory import for_each
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

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Measure all amplifiers, several at a time."""
        for notes in for_each(_measured, segments, frame.threads):
            frame.notes |= notes


def _measured(segment: Segment) -> dict[str, str | int | float | bool]:
    """What the header says of an amplifier."""
    bits = int(np.bitwise_or.reduce(segment.mask, axis=None))
    usable = (segment.mask & np.int32(UNUSABLE)) == 0
    image = np.ascontiguousarray(segment.image)
    start = f"FID AMP {segment.amplifier.name}"
    notes: dict[str, str | int | float | bool] = {}
    (level,), count = quantiles(image, usable, [0.5])
    if count:
        notes[f"{start} LEVEL"] = float(level)
    noise = pixel_noise(image, usable)
    if np.isfinite(noise):
        notes[f"{start} PIXEL NOISE"] = noise
    for plane in Plane:
        number = np.count_nonzero(segment.mask & np.int32(plane)) if bits & plane else 0
        notes[f"{start} PIXELS {plane.name}"] = int(number)
    return notes
