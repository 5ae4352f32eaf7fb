"""Memory for whole frames: segments lie in it while they are corrected; the next frame may take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Int32, Planes, Segment
    from fiducial.corrections.strips import Strip

_BAND = 64  # rows


@dataclass(frozen=True, slots=True, eq=False)
class FramePlanes:
    """Image, variance and mask of a detector: (ny, nx) each."""

    image: Float32
    variance: Float32
    mask: Int32

    def of_file(self, amp: Amplifier) -> Planes:
        """Image and mask of an amplifier as it is in the file: assembly turns them to where they belong."""
        place = amp.detector
        turn = slice(None, None, -1 if place.flip_y else 1), slice(None, None, -1 if place.flip_x else 1)
        return self.image[place.slices][turn], self.mask[place.slices][turn]

    def take_in(self, segment: Segment) -> None:
        """See that the planes of an assembled segment lie in these, where a correction made others."""
        where = segment.place.slices
        segment.image = _within(self.image[where], segment.image)
        segment.mask = _within(self.mask[where], segment.mask)
        if segment.variance is not None:
            segment.variance = _within(self.variance[where], segment.variance)

    def add_up(self, segment: Segment) -> None:
        """Make the masters' share a part of the variance; NaN where there is none."""
        if segment.variance is None:
            self.variance[segment.place.slices] = np.nan
        elif segment.shared_variance is not None:
            segment.variance += segment.shared_variance
            segment.shared_variance = None


def _within[Plane: (Float32, Int32)](memory: Plane, found: Plane) -> Plane:
    """The memory, with what was found in it."""
    if found.ctypes.data != memory.ctypes.data or found.strides != memory.strides:
        np.copyto(memory, found)
    return memory


class FrameMemory:
    """Image, variance, mask and raw rows of one frame; those of the next frame overwrite them."""

    def __init__(self) -> None:
        self._planes: dict[bool, FramePlanes] = {}
        self._rows: dict[int, NDArray[Any]] = {}

    def planes(self, frame: DetectorFrame, *, variance: bool = True) -> FramePlanes:
        """Memory for image, variance and mask; without a variance that is NaN and takes none."""
        shape = frame.camera.layout(frame.detector).shape
        found = self._planes.get(variance)
        if found is None or found.image.shape != shape:
            found = self._planes[variance] = new_planes(frame, variance=variance)
        return found

    def rows(self, frame: DetectorFrame, strip: Strip) -> list[NDArray[Any]]:
        """Memory for the raw rows of a strip, one piece for each of its spans."""
        found = []
        for index, span in enumerate(strip.spans):
            x0, x1 = frame.columns(span)
            shape, dtype = (span.y1 - span.y0, x1 - x0), frame.raw.find(span.hdu).dtype
            kept = self._rows.get(index)
            if kept is None or kept.shape != shape or kept.dtype != dtype:
                kept = self._rows[index] = np.empty(shape, dtype)
            found.append(kept)
        return found


def new_planes(frame: DetectorFrame, *, variance: bool = True) -> FramePlanes:
    """Memory for image, variance and mask, filled only if amplifiers leave some of it out."""
    shape = frame.camera.layout(frame.detector).shape
    image, mask, covered = np.empty(shape, np.float32), np.empty(shape, np.int32), np.zeros(shape, np.bool_)
    noise = np.empty(shape, np.float32) if variance else np.broadcast_to(np.float32(np.nan), shape)
    for amp in frame.amplifiers:
        covered[amp.detector.slices] = True
    if not covered.all():
        image.fill(np.nan)
        mask.fill(np.int32(Plane.NO_DATA))
        if variance:
            noise.fill(np.nan)
    return FramePlanes(image, noise, mask)


def for_each[Item, Result](
    work: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> list[Result]:
    """Results of some work on each of some items, in their order, by several threads."""
    if threads <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(work, items))


def for_each_band(work: Callable[[slice], object], rows: int, threads: int) -> None:
    """Do some work on bands of rows that stay in the cache, by several threads."""
    for_each(work, [slice(y, min(y + _BAND, rows)) for y in range(0, rows, _BAND)], threads)
