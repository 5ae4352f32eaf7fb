"""Flat: the response of each pixel, divided out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Field

from fiducial.corrections.masters import MasterCut, cut
from fiducial.corrections.with_master import MasterConfig, MasterCorrection
from fiducial.errors import CalibrationMismatch
from fiducial.products import metadata as meta
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.cameras.regions import Region
    from fiducial.corrections.base import Weights
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Segment

NO_RESPONSE = np.int32(Plane.BAD | Plane.NO_DATA)


class FlatConfig(MasterConfig):
    """Settings of the flat."""

    minimum = Field[float](
        default=0.01, doc="Pixels whose flat is not above this are BAD and NO_DATA, and NaN."
    )


class FlatCorrection(MasterCorrection):
    """Divide by the master flat, variances by its square.

    Where the flat is not above ``minimum``, or not a number, pixels become NaN, BAD and NO_DATA.
    """

    name = "flat"
    master = "flat"
    ConfigClass = FlatConfig

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame of another filter or camera state than the flat's."""
        physical_filter = self.found.metadata.get(meta.FILTER, frame.facts.filter)
        if str(physical_filter) != frame.facts.filter:
            raise CalibrationMismatch(
                f"master flat is of filter {physical_filter}, "
                f"exposure {frame.exposure} of {frame.facts.filter}",
                hint="Give the collection that holds a flat of this filter.",
            )
        super().check(frame)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Divide by it."""
        flat = cut(self.found, segment.place)
        inverse = self._inverse(flat)
        segment.image *= inverse
        if segment.variance is not None:
            segment.variance *= inverse * inverse
        segment.mask |= flat.mask
        segment.mask[np.isnan(inverse)] |= NO_RESPONSE

    def share(
        self, variance: Float32 | None, image: Float32, window: Region, weights: Weights
    ) -> Float32 | None:
        """V / F^2 + image^2 V_F / F^2."""
        flat = cut(self.found, window)
        inverse = self._inverse(flat)
        inverse *= inverse
        own = np.square(image) * flat.variance
        return (own if variance is None else variance + own) * inverse

    def _inverse(self, flat: MasterCut) -> Float32:
        good = flat.image > np.float32(self.config.minimum)
        return np.divide(np.float32(1.0), flat.image, out=np.full_like(flat.image, np.nan), where=good)
