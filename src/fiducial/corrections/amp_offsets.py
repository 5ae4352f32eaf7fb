"""Amplifier offsets: steps between the amplifiers of a detector taken off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.algorithms.amp_offsets import Step, solve_offsets, step_at_edge
from fiducial.corrections.base import Correction
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.regions import Region
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment

    type Strips = tuple[NDArray[np.float32], NDArray[np.float32]]

_PASSED_OVER = np.int32(UNUSABLE | Plane.INTRP | Plane.DETECTED)
_LEAST = 1e-3  # of the largest error: no step weighs a million times another


class AmpOffsetsConfig(Config):
    """Settings of the matching of amplifiers."""

    width = RangeField(
        dtype=int, default=32, min=2, doc="Pixels on either side of an edge that the step is measured on."
    )
    inset = RangeField(dtype=int, default=2, min=0, doc="Pixels next to the edge that are left out.")
    share = RangeField(
        dtype=float,
        default=0.5,
        min=0.0,
        max=1.0,
        inclusiveMax=True,
        doc="Amplifiers with a smaller share of usable pixels are left out.",
    )
    largest = RangeField(
        dtype=float,
        doc="Steps above this, in the unit of the frame, are no offset and not used; default: all are used.",
        optional=True,
        default=None,
        min=0.0,
    )


class AmpOffsetsCorrection(Correction):
    """Take off residual offsets between amplifiers, so that there is no step along the edges they share.

    Least squares over all edges; the mean offset is zero, so the level of the detector stays. The error of
    an offset is added to the variance of the amplifier's pixels. The header has ``FID AMP {name} OFFSET``
    and ``OFFSET ERROR``; an amplifier without them was left out, and keeps its level.
    """

    name = "amp_offsets"
    whole_detector = True
    ConfigClass = AmpOffsetsConfig

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Measure all steps, solve, and subtract."""
        found = solve_offsets(self._steps(segments), len(segments))
        for index, segment in enumerate(segments):
            offset, error = float(found.offset[index]), float(found.error[index])
            if not np.isfinite(error):
                continue
            segment.image -= np.float32(offset)
            if segment.variance is not None:
                segment.variance += np.float32(error**2)
            start = f"FID AMP {segment.amplifier.name} OFFSET"
            frame.notes |= {start: offset, f"{start} ERROR": error}

    def _steps(self, segments: Sequence[Segment]) -> list[Step]:
        images = [_usable(segment, self.config.share) for segment in segments]
        steps = []
        for (i, one), (j, other) in combinations(enumerate(segments), 2):
            first, second = images[i], images[j]
            if first is None or second is None:
                continue
            for turned, strips in self._edges((first, one.place), (second, other.place)):
                measured = step_at_edge(*strips, int(self.config.inset))
                if measured is None:
                    continue
                height, error = measured
                if self.config.largest is None or abs(height) <= self.config.largest:
                    steps.append(Step(*((j, i) if turned else (i, j)), height, error))
        floor = _LEAST * max((step.error for step in steps), default=0.0) or 1.0
        return [Step(s.first, s.second, s.height, max(s.error, floor)) for s in steps]

    def _edges(
        self, one: tuple[NDArray[np.float32], Region], other: tuple[NDArray[np.float32], Region]
    ) -> Iterator[tuple[bool, Strips]]:
        """Strips along the edge that two amplifiers share; whether the other comes first, left of it."""
        near, far = int(self.config.inset), int(self.config.inset) + int(self.config.width)
        for turned, (a, place_a), (b, place_b) in ((False, one, other), (True, other, one)):
            y0, y1 = max(place_a.y0, place_b.y0), min(place_a.y1, place_b.y1)
            x0, x1 = max(place_a.x0, place_b.x0), min(place_a.x1, place_b.x1)
            if place_a.x1 == place_b.x0 and y0 < y1:
                left = a[y0 - place_a.y0 : y1 - place_a.y0]
                right = b[y0 - place_b.y0 : y1 - place_b.y0]
            elif place_a.y1 == place_b.y0 and x0 < x1:
                left = a[:, x0 - place_a.x0 : x1 - place_a.x0].T
                right = b[:, x0 - place_b.x0 : x1 - place_b.x0].T
            else:
                continue
            width = left.shape[1]
            strips = left[:, max(width - far, 0) : max(width - near, 0)], right[:, near:far]
            if min(strip.shape[1] for strip in strips) > 0:
                yield turned, strips

    def notes(self) -> dict[str, str | int | float | bool]:
        """The strips that are used."""
        return {"WIDTH": int(self.config.width), "INSET": int(self.config.inset)}


def _usable(segment: Segment, share: float) -> NDArray[np.float32] | None:
    """The image with NaN where it is not to be used; None: too little is left of it."""
    good = (segment.mask & _PASSED_OVER) == 0
    good &= np.isfinite(segment.image)
    if not good.any() or good.mean() < share:
        return None
    return np.where(good, segment.image, np.float32(np.nan))
