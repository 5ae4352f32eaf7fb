"""Memory for whole frames that are corrected one after the other: the system hands it out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Int32
    from fiducial.corrections.strips import Strip

    type Memory = tuple[Float32, Float32, Int32]


class FrameMemory:
    """Image, variance, mask and raw rows of one frame; those of the next frame overwrite them."""

    def __init__(self) -> None:
        self._planes: dict[bool, Memory] = {}
        self._rows: dict[int, NDArray[Any]] = {}

    def planes(self, frame: DetectorFrame, *, variance: bool = True) -> Memory:
        """Memory for image, variance and mask; without a variance that is NaN and takes none."""
        shape = frame.camera.layout(frame.detector).shape
        found = self._planes.get(variance)
        if found is None or found[0].shape != shape:
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


def new_planes(frame: DetectorFrame, *, variance: bool = True) -> Memory:
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
    return image, noise, mask


def for_each[Item, Result](
    work: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> list[Result]:
    """Results of some work on each of some items, in their order, by several threads."""
    if threads <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(work, items))
