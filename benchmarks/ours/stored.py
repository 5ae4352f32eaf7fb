"""The rows of a frame as they are stored."""

from __future__ import annotations

from pathlib import Path

from fiducial.frames.raw import RawFrame
from fiducial.frames.stored import StoredRows


def stored_rows(path: Path) -> StoredRows:
    """The rows of a file's first image, which has integers of 16 bits."""
    frame = RawFrame.open(path)
    rows = frame.stored_rows(frame.images[0].index)
    if rows is None:
        raise RuntimeError(f"{path} has no image of 16-bit integers")
    return rows
