"""NaN: pixels that are not a number, for no reason that a mask gives, are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fiducial.corrections.base import Correction
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class NanCorrection(Correction):
    """Mark what is not finite and not masked yet as UNMASKED_NAN."""

    name = "nan"

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Mark such pixels; they become NaN, infinite ones too."""
        odd = ~np.isfinite(segment.image)
        if not odd.any():
            return
        segment.image[odd] = np.nan
        unexplained = odd & ((segment.mask & np.int32(UNUSABLE)) == 0)
        segment.mask[unexplained] |= np.int32(Plane.UNMASKED_NAN)
