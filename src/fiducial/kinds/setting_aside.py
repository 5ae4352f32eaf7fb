"""A frame that fails somewhere within a stack: named, so that the stack can go on without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fiducial.errors import CalibrationMismatch, FrameError

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
