"""From the middleware's handles to opened frames: what opens is used, what does not is set aside by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.frame import DetectorFrame
from fiducial.errors import FrameError, HeaderError, NothingToDo, UnreadableFrame, first_of_ours
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.frames.raw import RawFrame
    from fiducial.frames.records import FrameRecord


@dataclass(frozen=True)
class Offered:
    """One frame as it is offered to a task: its exposure, and how it is opened."""

    exposure: int
    handle: Any  # has get(): RawFrame, as the middleware's deferred handle

    def open(self) -> RawFrame:
        """Open the file.

        Raises
        ------
        FrameError
            Whatever the middleware wraps it in.
        """
        found: BaseException
        try:
            raw: RawFrame = self.handle.get()
        except Exception as error:
            found = named_error(error)
        else:
            return raw
        # Raised out here, so that it does not become its own cause.
        raise found


def named_error(error: BaseException) -> BaseException:
    """The error of ours that the middleware wrapped; its own complaints of a file become one of ours.

    Anything else comes back as it is.
    """
    if (ours := first_of_ours(error)) is not None:
        return ours
    if isinstance(error, OSError | RuntimeError):  # the file is not there, or has another size than recorded
        return UnreadableFrame(
            f"the file cannot be read: {error}", hint="Was it moved or changed since it was ingested?"
        )
    return error


def read_records(tables: Iterable[Any], detector: int, exposures: Sequence[int]) -> dict[int, FrameRecord]:
    """What ingest noted of some exposures of a detector, by exposure; nothing where it noted nothing."""
    import pyarrow.compute as pc

    from fiducial.frames.tables import records_from_arrow

    found: dict[int, FrameRecord] = {}
    for table in tables:
        wanted = pc.and_(
            pc.equal(table["detector"], detector), pc.is_in(table["exposure"], value_set=_ids(exposures))
        )
        for record in records_from_arrow(table.filter(wanted)):
            found[record.exposure] = record
    return found


def _ids(exposures: Sequence[int]) -> Any:
    import pyarrow

    return pyarrow.array(exposures, type=pyarrow.int64())


def open_frames(
    offered: Sequence[Offered], camera: Camera, detector: int, records: Mapping[int, FrameRecord]
) -> tuple[list[DetectorFrame], list[AsideNote]]:
    """Open the frames, by exposure id; those that cannot be used are named instead.

    Parameters
    ----------
    offered
        Any order.
    camera, detector
        What they are of.
    records
        What ingest noted; frames without a record have their headers read again.
    """
    frames, aside = [], []
    for one in sorted(offered, key=lambda o: o.exposure):
        try:
            frames.append(open_frame(one, camera, detector, records.get(one.exposure)))
        except FrameError as error:
            aside.append(AsideNote(one.exposure, error.message))
    return frames, aside


def open_frame(one: Offered, camera: Camera, detector: int, record: FrameRecord | None) -> DetectorFrame:
    """Open one frame; `FrameError` says why it cannot be used."""
    from fiducial.cameras import translate

    raw = one.open()
    if record is not None:
        facts = record.facts
    else:
        facts = translate(
            camera,
            raw.header(camera.headers.hdu),
            file=raw.path,
            hdu_headers=raw.hdu_headers(),
            level=lambda: float(np.median(raw.read(raw.images[0].index))),
        )
    if facts.exposure != one.exposure:
        raise HeaderError(
            f"{raw.path} says it is exposure {facts.exposure}, it was ingested as {one.exposure}",
            hint="The file was changed since, or the camera file was: ingest it again.",
            file=raw.path,
        )
    return DetectorFrame(raw, camera, detector, facts, record)


def require_enough(count: int, minimum: int, aside: Sequence[AsideNote], what: str) -> None:
    """Refuse to go on with too few frames.

    Raises
    ------
    NothingToDo
        With the reason why the first of those set aside could not be used.
    """
    if count >= minimum:
        return
    reason = (
        f"; {len(aside)} could not be used, exposure {aside[0].exposure} because {aside[0].reason}"
        if aside
        else ""
    )
    raise NothingToDo(
        f"{count} frames for {what}, at least {minimum} are needed{reason}",
        hint="Offer more frames, or lower minimumFrames.",
    )
