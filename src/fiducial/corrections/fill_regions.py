"""Bad regions filled, so that what comes after does not break on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import ChoiceField, Config, Field, RangeField

from fiducial.algorithms.typical import typical_pixel
from fiducial.corrections.base import Correction
from fiducial.corrections.whole import WholeDetector
from fiducial.products.masks import UNUSABLE

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class FillRegionsConfig(Config):
    """Settings of the filling of bad regions."""

    statistic = ChoiceField[str](
        doc="Of the good pixels of the detector.",
        default="median",
        allowed={"median": "Their median.", "mean": "Their mean."},
        optional=False,
    )
    share = RangeField(
        dtype=float,
        default=0.9,
        min=0.0,
        max=1.0,
        inclusiveMax=True,
        doc="Amplifiers of which at least this share is unusable are filled.",
    )
    everywhere = Field[bool](default=False, doc="Fill the unusable pixels of all other amplifiers too.")


class FillRegionsCorrection(Correction):
    """Give the unusable pixels of bad amplifiers the median of the detector's good pixels.

    Their variance becomes that of the good pixels about it. The mask stays: they are not to be used.
    """

    name = "fill_regions"
    whole_detector = True
    ConfigClass = FillRegionsConfig

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Fill them; where no pixel of the detector is good, nothing is done."""
        unusable = [(segment.mask & np.int32(UNUSABLE)) != 0 for segment in segments]
        chosen = [
            bool(bad.any() and (self.config.everywhere or bad.mean() >= self.config.share))
            for bad in unusable
        ]
        if not any(chosen):
            return
        whole = WholeDetector.of(segments, frame)
        good = (whole.mask & np.int32(UNUSABLE)) == 0
        found = typical_pixel(whole.image, good, "mean" if self.config.statistic == "mean" else "median")
        if found is None:
            return
        for segment, bad, fill in zip(segments, unusable, chosen, strict=True):
            if not fill:
                continue
            segment.image[bad] = found.value
            if segment.variance is not None:
                segment.variance[bad] = found.variance
                if segment.shared_variance is not None:
                    segment.shared_variance[bad] = 0.0

    def notes(self) -> dict[str, str | int | float | bool]:
        """What is filled, and with what."""
        return {
            "STATISTIC": str(self.config.statistic),
            "SHARE": float(self.config.share),
            "EVERYWHERE": bool(self.config.everywhere),
        }
