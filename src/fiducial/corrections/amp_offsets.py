"""Amplifier offsets: steps between the amplifiers of a detector taken off."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import Config, RangeField

from fiducial.algorithms.amp_offsets import Step, solve_offsets, step_at_edge
from fiducial.cameras.regions import Region
from fiducial.corrections.base import Correction
from fiducial.corrections.memory import for_each
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        found = solve_offsets(self._steps(segments, frame), len(segments))
        for index, segment in enumerate(segments):
            offset, error = float(found.offset[index]), float(found.error[index])
            if not np.isfinite(error):
                continue
            segment.image -= np.float32(offset)
            if segment.variance is not None:
                segment.variance += np.float32(error**2)
            start = f"FID AMP {segment.amplifier.name} OFFSET"
            frame.notes |= {start: offset, f"{start} ERROR": error}

    def _steps(self, segments: Sequence[Segment], frame: DetectorFrame) -> list[Step]:
        enough = for_each(lambda segment: _enough(segment, self.config.share), segments, frame.threads)
        kept = [(index, segment) for index, segment in enumerate(segments) if enough[index]]
        found = for_each(lambda pair: self._between(*pair), list(combinations(kept, 2)), frame.threads)
        steps = [step for few in found for step in few]
        floor = _LEAST * max((step.error for step in steps), default=0.0) or 1.0
        return [Step(s.first, s.second, s.height, max(s.error, floor)) for s in steps]

    def _between(self, one: tuple[int, Segment], other: tuple[int, Segment]) -> list[Step]:
        """Steps along the edges that two amplifiers share, from the one left of it or below it."""
        steps = []
        for (i, first), (j, second) in ((one, other), (other, one)):
            strips = self._strips(first, second)
            measured = None if strips is None else step_at_edge(*strips, int(self.config.inset))
            if measured is None:
                continue
            height, error = measured
            if self.config.largest is None or abs(height) <= self.config.largest:
                steps.append(Step(i, j, height, error))
        return steps

    def _strips(self, first: Segment, second: Segment) -> Strips | None:
        """Pixels on either side of the edge that the first has on its right, or above it; lines across it."""
        a, b = first.place, second.place
        y0, y1, x0, x1 = max(a.y0, b.y0), min(a.y1, b.y1), max(a.x0, b.x0), min(a.x1, b.x1)
        inset, end = int(self.config.inset), int(self.config.inset) + int(self.config.width)
        if a.x1 == b.x0 and y0 < y1:
            areas = (
                Region(max(a.x1 - end, a.x0), max(a.x1 - inset, a.x0), y0, y1),
                Region(min(b.x0 + inset, b.x1), min(b.x0 + end, b.x1), y0, y1),
            )
        elif a.y1 == b.y0 and x0 < x1:
            areas = (
                Region(x0, x1, max(a.y1 - end, a.y0), max(a.y1 - inset, a.y0)),
                Region(x0, x1, min(b.y0 + inset, b.y1), min(b.y0 + end, b.y1)),
            )
        else:
            return None
        if min(min(area.shape) for area in areas) == 0:
            return None
        left, right = (_usable(*pair) for pair in zip((first, second), areas, strict=True))
        return (left, right) if a.x1 == b.x0 and y0 < y1 else (left.T, right.T)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The strips that are used."""
        return {"WIDTH": int(self.config.width), "INSET": int(self.config.inset)}


def _good(segment: Segment, where: tuple[slice, slice] = (slice(None), slice(None))) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = (segment.mask[where] & _PASSED_OVER) == 0
    good &= np.isfinite(segment.image[where])
    return good


def _enough(segment: Segment, share: float) -> bool:
    """Whether enough of an amplifier can be used."""
    good = _good(segment)
    return bool(good.any() and good.mean() >= share)


def _usable(segment: Segment, area: Region) -> NDArray[np.float32]:
    """The image within an area of the detector, with NaN where it is not to be used."""
    place = segment.place
    where = slice(area.y0 - place.y0, area.y1 - place.y0), slice(area.x0 - place.x0, area.x1 - place.x0)
    return np.where(_good(segment, where), segment.image[where], np.float32(np.nan))
