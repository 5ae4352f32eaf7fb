"""The engine of every stack: frames corrected and combined strip by strip, nothing kept on disk between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fiducial.corrections.frame import WholeImages
from fiducial.corrections.strips import Strip, plan_strips, strip_windows
from fiducial.errors import CalibrationMismatch
from fiducial.kinds.inputs import require_enough
from fiducial.kinds.budget import kept_bytes, strip_height
from fiducial.kinds.setting_aside import FrameFailed, naming
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.combine import Combined
    from fiducial.cameras.model import Amplifier
    from fiducial.cameras.regions import Region
    from fiducial.corrections.base import Weights
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment

_LOG = logging.getLogger(__name__)
_UNUSABLE = np.int32(UNUSABLE)
_NOTED = np.int32(Plane.SUSPECT | Plane.SAT)


@dataclass(slots=True, eq=False)
class Batch:
    """One amplifier's pixels of all frames within a strip.

    Attributes
    ----------
    amplifier : Amplifier
        Whose.
    window : Region
        Where on the detector.
    stack : (n, ny, nx) float32
        Corrected pixels, frames by exposure id.
    usable : (n, ny, nx) bool
        False where masked.
    noted : (ny, nx) int32
        SUSPECT and SAT of any frame.
    added : (n,) float64
        Mean variance that the overscan model of each frame adds.
    """

    amplifier: Amplifier
    window: Region
    stack: NDArray[np.float32]
    usable: NDArray[np.bool_]
    noted: NDArray[np.int32]
    added: NDArray[np.float64]


class Combiner(Protocol):
    """How the frames of one kind are combined."""

    bytes_per_pixel: int  # of working memory for each pixel of each frame, beside stack and flags

    def prepare(self, frames: Sequence[DetectorFrame], chain: Chain) -> None:
        """Learn which frames there are; called again when one was set aside."""
        ...

    def offsets(self, amplifier: Amplifier) -> NDArray[np.float64] | None:
        """(n,) levels to take off each frame of an amplifier; None: none."""
        ...

    def combine(self, batch: Batch, threads: int) -> Combined:
        """Combine a batch."""
        ...

    def weights(self, amplifier: Amplifier) -> Weights:
        """How the frames added up, as far as errors that they share care."""
        ...


@dataclass(slots=True, eq=False)
class Stacked:
    """A master's planes, assembled, and the frames behind it.

    ``image`` and ``variance`` are NaN, and ``mask`` has NO_DATA and BAD, where no frame was usable.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    mask: NDArray[np.int32]
    frames: list[DetectorFrame]
    aside: list[AsideNote] = field(default_factory=list)


def stack_frames(
    frames: Sequence[DetectorFrame],
    chain: Chain,
    combiner: Combiner,
    *,
    aside: Sequence[AsideNote] = (),
    minimum: int,
    memory: float,
    threads: int = 1,
    what: str = "this stack",
) -> Stacked:
    """Correct and combine frames; each pixel of each frame is read once.

    A frame that turns out to be unreadable, or not to fit the masters, is set aside, and the stack
    starts again without it: no product holds a part of a frame.

    Parameters
    ----------
    frames
        By exposure id.
    chain
        The corrections.
    combiner
        How the corrected frames become one.
    aside
        Frames that were set aside before.
    minimum
        Frames that are needed at least.
    memory
        Bytes that the working arrays may take.
    threads
        Frames corrected at a time, and threads of the combination. The result does not depend on it.
    what
        What it is of, for messages.

    Raises
    ------
    NothingToDo
        Too few frames are left.
    CalibrationMismatch
        No frame fits the masters.
    """
    left, out = list(frames), list(aside)
    while True:
        require_enough(len(left), minimum, out, what)
        try:
            with _workers(threads) as run:
                _prepare(left, chain, memory, run)
                combiner.prepare(left, chain)
                return _stack(left, chain, combiner, out, memory, threads, run)
        except FrameFailed as failure:
            if isinstance(failure.__cause__, CalibrationMismatch) and len(left) <= minimum:
                raise failure.__cause__ from None
            _LOG.warning("exposure %d is set aside: %s", failure.frame.exposure, failure.reason)
            left.remove(failure.frame)
            out.append(AsideNote(failure.frame.exposure, failure.reason))


type _Run = Callable[[Callable[[int], None], int], None]


@contextmanager
def _workers(threads: int) -> Iterator[_Run]:
    """How to call a function for 0 to n - 1: by several threads, or here."""
    if threads <= 1:
        yield _run_here
        return
    with ThreadPoolExecutor(threads) as pool:

        def run(work: Callable[[int], None], count: int) -> None:
            for _ in pool.map(work, range(count)):
                pass

        yield run


def _run_here(work: Callable[[int], None], count: int) -> None:
    for index in range(count):
        work(index)


def _prepare(frames: Sequence[DetectorFrame], chain: Chain, memory: float, run: _Run) -> None:
    _keep_images(frames, chain, memory)

    def one(index: int) -> None:
        with naming(frames[index]):
            chain.prepare(frames[index])

    run(one, len(frames))


def _keep_images(frames: Sequence[DetectorFrame], chain: Chain, memory: float) -> None:
    """Keep the frames' images where that saves reading or decoding them twice, and memory allows it."""
    camera, detector = chain.context.camera, chain.context.detector
    compressed = any(frame.compressed for frame in frames)
    if kept_bytes(camera, detector, len(frames), memory, twice=compressed or chain.whole_frame):
        for frame in frames:
            if not isinstance(frame.pixels, WholeImages):
                frame.pixels = WholeImages(frame.raw)


def _stack(
    frames: list[DetectorFrame],
    chain: Chain,
    combiner: Combiner,
    aside: list[AsideNote],
    memory: float,
    threads: int,
    run: _Run,
) -> Stacked:
    camera, detector = chain.context.camera, chain.context.detector
    amplifiers = camera.amplifiers(detector)
    shape = camera.layout(detector).shape
    result = Stacked(
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.int32(Plane.NO_DATA | Plane.BAD), np.int32),
        frames,
        aside,
    )
    kept = sum(frame.kept_bytes for frame in frames)
    height = strip_height(amplifiers, len(frames), memory - kept, combiner.bytes_per_pixel, threads)
    for strip in plan_strips(amplifiers, height):
        for batch in read_batches(frames, chain, strip, combiner.offsets, run):
            combined = combiner.combine(batch, threads)
            _write(result, batch, combined, chain, combiner)
    return result


def read_batches(
    frames: Sequence[DetectorFrame],
    chain: Chain,
    strip: Strip,
    offsets: Callable[[Amplifier], NDArray[np.float64] | None],
    run: _Run,
) -> list[Batch]:
    """One strip of all frames, corrected, amplifier by amplifier."""
    amplifiers = frames[0].amplifiers
    batches = [_empty_batch(amp, window, len(frames)) for amp, window in strip_windows(amplifiers, strip)]
    shifts = [offsets(batch.amplifier) for batch in batches]
    lock = Lock()

    def fill(index: int) -> None:
        with naming(frames[index]):
            segments = chain.run(frames[index], strip)
        for batch, shift, segment in zip(batches, shifts, segments, strict=True):
            _fill(batch, index, segment, None if shift is None else float(shift[index]), lock)

    run(fill, len(frames))
    return batches


def _empty_batch(amplifier: Amplifier, window: Region, count: int) -> Batch:
    shape = window.shape
    return Batch(
        amplifier,
        window,
        np.empty((count, *shape), np.float32),
        np.empty((count, *shape), np.bool_),
        np.zeros(shape, np.int32),
        np.zeros(count),
    )


def _fill(batch: Batch, index: int, segment: Segment, shift: float | None, lock: Lock) -> None:
    if shift is None:
        batch.stack[index] = segment.image
    else:
        np.subtract(segment.image, np.float32(shift), out=batch.stack[index])
    np.equal(segment.mask & _UNUSABLE, 0, out=batch.usable[index])
    batch.added[index] = float(segment.row_variance.mean() + segment.column_variance.mean())
    noted = segment.mask & _NOTED
    if noted.any():
        with lock:
            np.bitwise_or(batch.noted, noted, out=batch.noted)


def _write(result: Stacked, batch: Batch, combined: Combined, chain: Chain, combiner: Combiner) -> None:
    where = batch.window.slices
    result.image[where] = combined.image
    shared = chain.share(combined.image, batch.window, combiner.weights(batch.amplifier))
    result.variance[where] = combined.variance if shared is None else combined.variance + shared
    empty = combined.used == 0
    mask = batch.noted & np.int32(Plane.SUSPECT)
    mask[combined.clipped > 0] |= np.int32(Plane.CLIPPED)
    if empty.any():
        mask[empty] |= np.int32(Plane.NO_DATA | Plane.BAD) | (batch.noted[empty] & np.int32(Plane.SAT))
        result.variance[where][empty] = np.nan
    result.mask[where] = mask
