"""A frame that fails somewhere within a stack: named, so that the stack can go on without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fiducial.errors import CalibrationMismatch, FrameError
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame


class FrameFailed(Exception):
    """A frame could not be read or corrected; its cause says why."""

    def __init__(self, frame: DetectorFrame, reason: str) -> None:
        super().__init__(reason)
        self.frame = frame
        self.reason = reason


@contextmanager
def naming(frame: DetectorFrame) -> Iterator[None]:
    """Turn errors about a frame, raised within, into `FrameFailed`."""
    try:
        yield
    except (FrameError, CalibrationMismatch) as error:
        raise FrameFailed(frame, error.message) from error


def fitting(
    frames: Sequence[DetectorFrame], check: Callable[[DetectorFrame], None]
) -> tuple[list[DetectorFrame], list[AsideNote]]:
    """Frames that a check lets pass, and notes of the others.

    Raises
    ------
    CalibrationMismatch
        None is left, since none belongs to a master.
    """
    left: list[DetectorFrame] = []
    aside: list[AsideNote] = []
    mismatch = None
    for frame in frames:
        try:
            with naming(frame):
                check(frame)
        except FrameFailed as failure:
            aside.append(AsideNote(frame.exposure, failure.reason))
            if isinstance(failure.__cause__, CalibrationMismatch):
                mismatch = failure.__cause__
        else:
            left.append(frame)
    if not left and mismatch is not None:
        raise mismatch
    return left, aside
