"""Edges: pixels along the sides of the detector, and of its amplifiers, are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.algorithms.edges import edge_band
from fiducial.corrections.base import Context, Correction
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class EdgesConfig(Config):
    """Settings of the edge masks."""

    detector = RangeField(
        dtype=int, default=5, min=0, doc="Pixels along each side of the detector that are marked."
    )
    amplifier = RangeField(
        dtype=int, default=0, min=0, doc="Pixels along each side of every amplifier that are marked."
    )


class EdgesCorrection(Correction):
    """Mark the pixels along the sides of the detector as EDGE; their values stay, and they can be used."""

    name = "edges"
    ConfigClass = EdgesConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        band = edge_band(context.camera.layout(context.detector).shape, config.detector)
        for amp in context.camera.amplifiers(context.detector):
            band[amp.detector.slices] |= edge_band(amp.detector.shape, config.amplifier)
        self._mask = band * np.int32(Plane.EDGE)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Mark them."""
        segment.mask |= self._mask[segment.place.slices]

    def notes(self) -> dict[str, str | int | float | bool]:
        """The widths."""
        return {"DETECTOR": int(self.config.detector), "AMPLIFIER": int(self.config.amplifier)}
