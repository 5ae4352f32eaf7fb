"""Frames read and corrected strip by strip, by several threads; frames that fail are set aside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, get_ident
from typing import TYPE_CHECKING

import numpy as np

from fiducial.corrections.frame import WholeImages
from fiducial.corrections.strips import plan_strips, strip_windows
from fiducial.errors import CalibrationMismatch
from fiducial.kinds.budget import kept_bytes, strip_height
from fiducial.kinds.inputs import require_enough
from fiducial.kinds.setting_aside import FrameFailed, naming
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.cameras.regions import Region
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Planes, Segment
    from fiducial.corrections.strips import Strip

_LOG = logging.getLogger(__name__)
_UNUSABLE = np.int32(UNUSABLE)
_NOTED = np.int32(Plane.SUSPECT | Plane.SAT)

type Offsets = Callable[[Amplifier], NDArray[np.float64] | None]
"""(n,) levels to take off each frame of an amplifier; None: none."""

type Run = Callable[[Callable[[int], None], int], None]
"""Calls a function for 0 to n - 1, here or by threads."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a stack may use.

    ``minimum`` frames are needed at least; ``memory`` is what the working arrays may take, bytes;
    ``threads`` frames are corrected at a time, and the result does not depend on it; ``what`` the
    stack is of, for messages.
    """

    minimum: int
    memory: float
    threads: int = 1
    what: str = "this stack"


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


class _Buffers:
    """Memory of batches, used again by the next strip: fresh pages cost as much as the corrections."""

    def __init__(self) -> None:
        self._values: dict[str, NDArray[np.float32]] = {}
        self._flags: dict[str, NDArray[np.bool_]] = {}
        self._masks: dict[tuple[int, str], NDArray[np.int32]] = {}

    def batch(self, amplifier: Amplifier, window: Region, count: int) -> Batch:
        """A batch for an amplifier, its pixels not yet filled in."""
        shape = (count, *window.shape)
        size = int(np.prod(shape))
        if self._values.get(amplifier.name, np.empty(0)).size < size:
            self._values[amplifier.name] = np.empty(size, np.float32)
            self._flags[amplifier.name] = np.empty(size, np.bool_)
        return Batch(
            amplifier,
            window,
            self._values[amplifier.name][:size].reshape(shape),
            self._flags[amplifier.name][:size].reshape(shape),
            np.zeros(window.shape, np.int32),
            np.zeros(count),
        )

    def planes(self, batch: Batch, index: int) -> Planes:
        """Memory for one frame's pixels: their place in the batch, and a mask that each thread has one of."""
        shape = batch.window.shape
        size = shape[0] * shape[1]
        key = get_ident(), batch.amplifier.name
        if self._masks.get(key, np.empty(0)).size < size:
            self._masks[key] = np.empty(size, np.int32)
        return batch.stack[index], self._masks[key][:size].reshape(shape)


def with_usable_frames[Result](
    frames: Sequence[DetectorFrame],
    aside: Sequence[AsideNote],
    means: Means,
    work: Callable[[list[DetectorFrame], list[AsideNote], Run], Result],
) -> Result:
    """Do some work on frames; if one of them fails, again without it.

    So no product holds a part of a frame.

    Parameters
    ----------
    frames
        By exposure id.
    aside
        Frames that were set aside before.
    means
        What may be used.
    work
        Is given the frames, those set aside so far, and how to run things in parallel. It raises
        `FrameFailed` for a frame that cannot be read, or does not fit the masters.

    Raises
    ------
    NothingToDo
        Too few frames are left.
    CalibrationMismatch
        Too few frames are left because they do not fit the masters.
    """
    left, out = list(frames), list(aside)
    for note in out:
        _LOG.warning("exposure %d is set aside: %s", note.exposure, note.reason)
    require_enough(len(left), means.minimum, out, means.what)
    while True:
        try:
            with _workers(means.threads) as run:
                return work(left, out, run)
        except FrameFailed as failure:
            _LOG.warning("exposure %d is set aside: %s", failure.frame.exposure, failure.reason)
            left.remove(failure.frame)
            out.append(AsideNote(failure.frame.exposure, failure.reason))
            if isinstance(failure.__cause__, CalibrationMismatch) and len(left) < means.minimum:
                raise failure.__cause__ from None
        require_enough(len(left), means.minimum, out, means.what)


def prepare(frames: Sequence[DetectorFrame], chain: Chain, memory: float, run: Run) -> None:
    """Check all frames against the chain, and fit what needs whole frames."""
    _keep_images(frames, chain, memory)

    def one(index: int) -> None:
        with naming(frames[index]):
            chain.prepare(frames[index])

    run(one, len(frames))


def batches(
    frames: Sequence[DetectorFrame], chain: Chain, offsets: Offsets, extra: int, means: Means, run: Run
) -> Iterator[Batch]:
    """All pixels of prepared frames: strip by strip, amplifier by amplifier, each read once.

    ``extra`` bytes are needed for each pixel of each frame beside the batch. A batch is valid until the
    next strip: its memory is used again.
    """
    amplifiers = frames[0].amplifiers
    free = means.memory - sum(frame.kept_bytes for frame in frames)
    height = strip_height(amplifiers, len(frames), free, extra, means.threads)
    buffers = _Buffers()
    for strip in plan_strips(amplifiers, height):
        yield from _read(frames, chain, strip, offsets, run, buffers)


def _keep_images(frames: Sequence[DetectorFrame], chain: Chain, memory: float) -> None:
    """Keep the frames' images where that saves reading or decoding them twice, and memory allows it."""
    camera, detector = chain.context.camera, chain.context.detector
    twice = chain.whole_frame or any(frame.compressed for frame in frames)
    if kept_bytes(camera, detector, len(frames), memory, twice=twice):
        for frame in frames:
            if not isinstance(frame.pixels, WholeImages):
                frame.pixels = WholeImages(frame.raw)


def _read(
    frames: Sequence[DetectorFrame],
    chain: Chain,
    strip: Strip,
    offsets: Offsets,
    run: Run,
    buffers: _Buffers,
) -> list[Batch]:
    windows = strip_windows(frames[0].amplifiers, strip)
    found = [buffers.batch(amp, window, len(frames)) for amp, window in windows]
    shifts = [offsets(batch.amplifier) for batch in found]
    lock = Lock()

    def fill(index: int) -> None:
        with naming(frames[index]):
            planes = [buffers.planes(batch, index) for batch in found]
            segments = chain.run(frames[index], strip, planes)
        for batch, shift, segment in zip(found, shifts, segments, strict=True):
            _fill(batch, index, segment, None if shift is None else float(shift[index]), lock)

    run(fill, len(frames))
    return found


def _fill(batch: Batch, index: int, segment: Segment, shift: float | None, lock: Lock) -> None:
    if segment.image.ctypes.data != batch.stack[index].ctypes.data:
        batch.stack[index] = segment.image
    if shift is not None:
        batch.stack[index] -= np.float32(shift)
    batch.added[index] = float(segment.row_variance.mean() + segment.column_variance.mean())
    bits = np.bitwise_or.reduce(segment.mask, axis=None)
    if bits & _UNUSABLE:
        np.equal(segment.mask & _UNUSABLE, 0, out=batch.usable[index])
    else:
        batch.usable[index] = True
    if bits & _NOTED:
        with lock:
            np.bitwise_or(batch.noted, segment.mask & _NOTED, out=batch.noted)


@contextmanager
def _workers(threads: int) -> Iterator[Run]:
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
