"""What making a product costs: memory, bytes read and written, time. Numbers only; nothing is opened.

A stack's memory is that of the process with its libraries, the product and the masters as whole images, and
the strips, whose height is chosen so that all frames of a strip stay within the bound of the task's
``memory``. Forecasts are upper limits of the resident memory of one process that makes one product at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier, Camera

MEGABYTE = 1e6
STRIPS = 256 * MEGABYTE
"""Default bound of what the strips of a stack take."""

LIBRARIES = 340 * MEGABYTE  # interpreter, astropy, lsst.*, scipy, a graph, a query's caches
_PLANES = 12  # bytes a pixel: image and variance (float32), mask (int32)
_MASTER = 20  # bytes a pixel of a master that is in use: its planes, and a mask and a variance of our own
_READING = 54  # bytes a pixel while a master is read, on top of those read before
_WRITING = 16  # bytes a pixel while a product is written, on top of its planes
_STACK = 5  # bytes a pixel and frame: corrected value (float32) and flag
_WORK = 28  # bytes a pixel and thread, while one frame's strip is corrected
_COMBINED = 20  # bytes a pixel, of what a combination gives
_EXPECTED_LIGHT, _FEW = 16, 10  # bytes a pixel and frame, where few flats are combined by expected noise
_RAW = 2  # bytes a raw pixel
_SMALLEST = 8  # readout rows

_SECONDS_PER_PIXEL = {"bias": 20e-9, "dark": 30e-9, "flat": 60e-9}  # a frame's, one thread
_SECONDS_PER_QUANTUM = 0.5


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one product is expected to cost."""

    memory: float  # bytes, most, of the process that makes it
    read_bytes: float
    disk_bytes: float
    seconds: float  # on one core of the machine this was measured on: an order of magnitude


def strip_bytes(
    amplifiers: Sequence[Amplifier], rows: int, n_frames: int, extra: int = 0, threads: int = 1
) -> int:
    """Memory that strips of some readout rows take.

    Parameters
    ----------
    amplifiers
        Of the detector.
    rows
        Readout rows of a strip.
    n_frames
        Frames stacked.
    extra
        Bytes a pixel and frame that the combination needs beside the stack.
    threads
        Frames that are corrected at the same time.
    """
    row = sum(amp.data.shape[1] for amp in amplifiers)
    return rows * row * (n_frames * (_STACK + extra) + threads * _WORK + _COMBINED)


def strip_height(
    amplifiers: Sequence[Amplifier], n_frames: int, memory: float, extra: int = 0, threads: int = 1
) -> int:
    """Readout rows of the highest strips that stay within ``memory`` bytes; 8 at least."""
    one = strip_bytes(amplifiers, 1, n_frames, extra, threads)
    tallest = max(amp.data.shape[0] for amp in amplifiers)
    return min(max(_SMALLEST, int(memory // one)), max(tallest, _SMALLEST))


def raw_bytes(camera: Camera, detector: int) -> int:
    """Bytes of the raw pixels of one frame of a detector, uncompressed."""
    rows, columns = camera.layout(detector).raw_shape
    return len({repr(amp.hdu) for amp in camera.amplifiers(detector)}) * rows * columns * _RAW


def kept_bytes(camera: Camera, detector: int, n_frames: int, memory: float, *, twice: bool) -> int:
    """Memory for whole images of all frames, where it saves reading twice and half of ``memory`` does."""
    needed = n_frames * raw_bytes(camera, detector)
    return needed if twice and needed <= memory / 2 else 0


def forecast(
    kind: str,
    *,
    n_frames: int,
    camera: Camera,
    detector: int,
    strips: float = STRIPS,
    threads: int = 1,
    compressed: bool = False,
    masters: int | None = None,
) -> Forecast:
    """What making one product will cost at most.

    Parameters
    ----------
    kind
        ``bias``, ``dark`` or ``flat``.
    n_frames
        Frames that go in.
    camera, detector
        Of which detector.
    strips
        The task's ``memory``, in bytes.
    threads
        Cores of the quantum.
    compressed
        Whether the raw files are compressed.
    masters
        How many masters its chain uses; None: as many as the kind's default chain.
    """
    amplifiers = camera.amplifiers(detector)
    ny, nx = camera.layout(detector).shape
    product = ny * nx * _PLANES
    passes = 2 if kind == "flat" else 1
    if masters is None:
        masters = {"bias": 0, "dark": 1, "flat": 2}.get(kind, 0)
    kept = kept_bytes(camera, detector, n_frames, strips, twice=compressed)
    extra = _EXPECTED_LIGHT if kind == "flat" and n_frames < _FEW else 0
    height = strip_height(amplifiers, n_frames, strips - kept, extra, threads)
    working = kept + strip_bytes(amplifiers, height, n_frames, extra, threads)
    reading = ny * nx * (_READING + _MASTER * (masters - 1)) if masters else 0
    making = ny * nx * _MASTER * masters + product + max(working, ny * nx * _WRITING)
    pixels = n_frames * ny * nx
    return Forecast(
        memory=LIBRARIES + max(reading, making),
        read_bytes=1.05 * passes * n_frames * raw_bytes(camera, detector) + masters * product,
        disk_bytes=product + 2_000_000,
        seconds=passes * _SECONDS_PER_QUANTUM
        + _SECONDS_PER_PIXEL.get(kind, 20e-9) * pixels / max(threads, 1),
    )
