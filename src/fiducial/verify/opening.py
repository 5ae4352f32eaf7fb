"""The frames that are offered for verification: opened one by one, in the order in which they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.frame import DetectorFrame
from fiducial.errors import FiducialError, HeaderError, UnreadableFrame

if TYPE_CHECKING:
    from fiducial.cameras.facts import FrameFacts
    from fiducial.cameras.model import Camera
    from fiducial.frames.raw import RawFrame
    from fiducial.frames.records import FrameRecord
    from fiducial.products.metadata import InputNote
    from fiducial.verify.rows import Role

SAME_NIGHT = timedelta(hours=18)
"""A frame within so many hours of an input is of the same observing day."""


@dataclass(frozen=True)
class Offered:
    """One frame that is offered: its exposure, when it was taken, and how it is opened.

    Parameters
    ----------
    handle
        Has ``get()`` that gives a `~fiducial.frames.raw.RawFrame`, as the middleware's deferred handle.
    begin
        TAI, as the registry says; puts frames in order before they are opened.
    """

    exposure: int
    handle: Any
    begin: datetime

    def open(self, camera: Camera, detector: int, record: FrameRecord | None) -> DetectorFrame:
        """Open the frame; what ingest noted of it serves as its facts, else its header is read again.

        Raises
        ------
        FrameError
            The file cannot be read, is another exposure, or has another layout.
        """
        raw = self._raw()
        facts = record.facts if record is not None else facts_of(raw, camera)
        if facts.exposure != self.exposure:
            raise HeaderError(
                f"{raw.path} says it is exposure {facts.exposure}, it was ingested as {self.exposure}",
                hint="The file was changed since, or the camera file was: ingest it again.",
                file=raw.path,
            )
        return DetectorFrame(raw, camera, detector, facts, record)

    def _raw(self) -> RawFrame:
        found: BaseException
        try:
            raw: RawFrame = self.handle.get()
        except Exception as error:
            found = own_error(error)
        else:
            return raw
        # Raised out here, so that it does not become its own cause.
        raise found


def own_error(error: BaseException) -> BaseException:
    """The error of ours that the middleware wrapped; its own complaints of a file become one of ours.

    Anything else comes back as it is.
    """
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        if isinstance(inner, FiducialError):
            return inner
        seen.add(id(inner))
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, OSError | RuntimeError):  # the file is not there, or has another size than recorded
        return UnreadableFrame(
            f"the file cannot be read: {error}", hint="Was it moved or changed since it was ingested?"
        )
    return error


def facts_of(raw: RawFrame, camera: Camera) -> FrameFacts:
    """The facts of a frame by its own headers."""
    from fiducial.cameras import translate

    return translate(
        camera,
        raw.header(camera.headers.hdu),
        file=raw.path,
        hdu_headers=raw.hdu_headers(),
        level=lambda: float(np.median(raw.read(raw.images[0].index))),
    )


def read_records(tables: Iterable[Any], detector: int) -> list[FrameRecord]:
    """What ingest noted of all frames of a detector."""
    import pyarrow.compute as pc

    from fiducial.frames.tables import records_from_arrow

    found: list[FrameRecord] = []
    for table in tables:
        found += records_from_arrow(table.filter(pc.equal(table["detector"], detector)))
    return found


def first_exposures_of(
    records: Sequence[FrameRecord], camera: Camera, wanted: Iterable[int] = ()
) -> frozenset[int]:
    """First exposures of their sets: those named, or what the selection finds among all frames of the day."""
    named = frozenset(wanted)
    if named or not records:
        return named
    from fiducial.selection import first_exposures

    return frozenset(first_exposures(records, camera))


def role_of(exposure: int, begin: datetime, inputs: Mapping[int, InputNote], first: frozenset[int]) -> Role:
    """What part a frame has; a first exposure that went into the master counts as input."""
    if exposure in inputs:
        return "input"
    if exposure in first:
        return "first"
    dates = [datetime.fromisoformat(note.date) for note in inputs.values()]
    if dates and min(abs(begin - date) for date in dates) > SAME_NIGHT:
        return "other_day"
    return "held_out"


def mjd_of(facts: FrameFacts) -> float:
    """Middle of an exposure as a modified Julian date (TAI)."""
    middle = facts.begin + (facts.end - facts.begin) / 2
    return (middle - datetime(1858, 11, 17)) / timedelta(days=1)
