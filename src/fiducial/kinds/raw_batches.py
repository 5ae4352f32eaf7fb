"""Batches of frames as they were read: where no more than overscan and gain is to be corrected.

The combination takes both off as it reads the pixels, so the corrected frames are never in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.nan import NanCorrection
from fiducial.corrections.strips import plan_strips, strip_windows
from fiducial.kinds.budget import strip_height
from fiducial.kinds.setting_aside import naming
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.cameras.regions import Region
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import Cut, DetectorFrame
    from fiducial.corrections.raw_stage import RawStage
    from fiducial.corrections.strips import Strip
    from fiducial.kinds.engine import Means, Run

_INTEGERS = tuple(np.dtype(name) for name in ("uint16", "int16", "int32"))


@dataclass(slots=True, eq=False)
class RawBatch:
    """One amplifier's raw pixels of all frames within a strip, in the orientation of the file.

    Attributes
    ----------
    amplifier : Amplifier
        Whose.
    window : Region
        Where on the detector.
    stack : (n, ny, nx) of integers
        As read, frames by exposure id.
    levels : (n, ny) float64
        What is taken off each row of each frame.
    gain : float
        What is then multiplied with.
    usable : (n, ny, nx) bool or None
        False where saturated; None: nothing is.
    noted : (ny, nx) int32
        SUSPECT and SAT of any frame.
    added : (n,) float64
        Mean variance that the overscan model of each frame adds.
    """

    amplifier: Amplifier
    window: Region
    stack: NDArray[Any]
    levels: NDArray[np.float64]
    gain: float
    usable: NDArray[np.bool_] | None
    noted: NDArray[np.int32]
    added: NDArray[np.float64]

    def turned[T: np.generic](self, plane: NDArray[T]) -> NDArray[T]:
        """A plane of the batch as it lies on the detector."""
        place = self.amplifier.detector
        return plane[:: -1 if place.flip_y else 1, :: -1 if place.flip_x else 1]


def raw_stage_of(chain: Chain, frames: Sequence[DetectorFrame]) -> RawStage | None:
    """What the chain does to the raw pixels, if that is all and a combination of integers can do it."""
    stage, rest = chain.raw_stage
    if stage is None or stage.of_pixels or (stage.overscan and stage.overscan.parallel):
        return None
    types = {frame.raw.find(amp.hdu).dtype for frame in frames for amp in frame.amplifiers}
    integers = len(types) == 1 and types <= set(_INTEGERS)  # which are never NaN
    return stage if integers and all(isinstance(one, NanCorrection) for one in rest) else None


def raw_batches(
    frames: Sequence[DetectorFrame], stage: RawStage, means: Means, run: Run
) -> Iterator[RawBatch]:
    """All pixels of prepared frames: strip by strip, amplifier by amplifier, each read once.

    A batch is valid until the next strip: its memory is used again.
    """
    amplifiers = frames[0].amplifiers
    free = means.memory - sum(frame.kept_bytes for frame in frames)
    # Raw rows with their overscan take no more than corrected pixels, if a pixel has two bytes.
    extra = frames[0].raw.find(amplifiers[0].hdu).dtype.itemsize - 2
    height = strip_height(amplifiers, len(frames), free, extra, means.threads)
    memory: dict[int, NDArray[Any]] = {}
    for strip in plan_strips(amplifiers, height):
        spans = _spans(strip, frames, memory)
        found = _batches(strip, frames[0], stage, spans)
        _fill(found, frames, stage, strip, spans, run)
        yield from found


def _spans(
    strip: Strip, frames: Sequence[DetectorFrame], memory: dict[int, NDArray[Any]]
) -> list[NDArray[Any]]:
    """Memory for all frames of each span of a strip, that of the last strip where it is large enough."""
    found = []
    for index, span in enumerate(strip.spans):
        x0, x1 = frames[0].columns(span)
        shape = len(frames), span.y1 - span.y0, x1 - x0
        size = int(np.prod(shape))
        if index not in memory or memory[index].size < size:
            memory[index] = np.empty(size, frames[0].raw.find(span.hdu).dtype)
        found.append(memory[index][:size].reshape(shape))
    return found


def _batches(
    strip: Strip, frame: DetectorFrame, stage: RawStage, spans: Sequence[NDArray[Any]]
) -> list[RawBatch]:
    stacks = {}
    for span, pixels in zip(strip.spans, spans, strict=True):
        x0, _ = frame.columns(span)
        for index in span.amplifiers:
            data = frame.amplifiers[index].data
            stacks[index] = pixels[:, :, data.x0 - x0 : data.x1 - x0]
    windows = strip_windows(frame.amplifiers, strip)
    return [
        RawBatch(
            amp,
            window,
            stacks[index],
            np.zeros(stacks[index].shape[:2]),
            amp.gain if stage.gain else 1.0,
            None,
            np.zeros(window.shape, np.int32),
            np.zeros(len(stacks[index])),
        )
        for index, (amp, window) in zip(sorted(stacks), windows, strict=True)
    ]


def _fill(
    found: Sequence[RawBatch],
    frames: Sequence[DetectorFrame],
    stage: RawStage,
    strip: Strip,
    spans: Sequence[NDArray[Any]],
    run: Run,
) -> None:
    lock = Lock()

    def fill(index: int) -> None:
        with naming(frames[index]):
            cuts = frames[index].cuts(strip, [span[index] for span in spans])
            for batch, cut in zip(found, cuts, strict=True):
                if stage.overscan is not None:
                    serial, _ = stage.overscan.levels(cut, frames[index])
                    if serial is not None:
                        batch.levels[index] = serial.level
                        batch.added[index] = float(serial.variance.mean()) * batch.gain**2
                        if not np.isfinite(batch.levels[index]).all():
                            with lock:
                                _leave_out(batch, index)
                limits = stage.limits(batch.amplifier.saturation)
                if cut.raw.max() >= limits.suspect:
                    with lock:
                        _mark(batch, index, cut, limits.suspect, limits.saturation)

    run(fill, len(frames))


def _leave_out(batch: RawBatch, index: int) -> None:
    """Rows whose level nothing tells are not used."""
    unknown = ~np.isfinite(batch.levels[index])
    batch.levels[index, unknown] = 0.0
    _usable(batch)[index, unknown] = False


def _usable(batch: RawBatch) -> NDArray[np.bool_]:
    if batch.usable is None:
        batch.usable = np.ones(batch.stack.shape, np.bool_)
    return batch.usable


def _mark(batch: RawBatch, index: int, cut: Cut, suspect: float, saturation: float) -> None:
    """Note what is near saturation; what is saturated is not used."""
    high = cut.raw >= suspect
    saturated = high & (cut.raw >= saturation)
    batch.noted[high] |= np.int32(Plane.SUSPECT)
    batch.noted[saturated] |= np.int32(Plane.SAT)
    if saturated.any():
        _usable(batch)[index] &= ~saturated
