"""Camera files: drafted from raw frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import FrameError, NothingToDo
from fiducial.service.ingesting import found
from fiducial.service.progress import Progress, Silent

if TYPE_CHECKING:
    from fiducial.cameras import Draft


def draft_camera(
    files: Iterable[str | Path], *, progress: Progress | None = None
) -> tuple[Draft, tuple[FrameError, ...]]:
    """Draft a camera file from the headers and pixels of raw frames.

    Parameters
    ----------
    files
        Raw frames of one camera, of as many types as there are; folders are searched.
    progress
        Told of each file.

    Returns
    -------
    draft
        The camera, its YAML with the evidence of each guess, and the evidence by itself.
    refused
        One error for each file that could not be read.
    """
    from fiducial.cameras import DraftInput
    from fiducial.cameras import draft_camera as draft
    from fiducial.frames.raw import RawFrame

    told, inputs, refused = progress or Silent(), [], []
    paths = found(files)
    told.begin("reading frames", len(paths))
    for path in paths:
        try:
            with RawFrame.open(path) as raw:
                hdus = [(i.name or i.index, raw.header(i.index), raw.read(i.index)) for i in raw.images]
                inputs.append(DraftInput(raw.path, raw.header(), hdus))
        except FrameError as error:
            refused.append(error)
        told.step(path.name)
    told.end()
    if not inputs:
        raise NothingToDo("none of the files can be read as a raw frame", hint=str(refused[0]))
    return draft(inputs), tuple(refused)
