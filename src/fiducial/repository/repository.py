"""The small face of a repository."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from lsst.daf.butler import Butler, DatasetRef

from fiducial.cameras import known_cameras, load_camera
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError, RepositoryError
from fiducial.frames.records import FrameRecord
from fiducial.repository import names
from fiducial.repository.client import is_repository, open_butler
from fiducial.repository.create import (
    complete_repository,
    create_repository,
    stored_camera,
)
from fiducial.repository.find import find_calibration
from fiducial.repository.ingest import IngestReport, Progress, ingest_files
from fiducial.repository.life import CalibrationLife
from fiducial.repository.records import find_records
from fiducial.repository.validity import Moment, Validity, timeline


class Repository(CalibrationLife):
    """A data repository and one camera in it.

    Make one with `create` or `open`, and use it in a ``with`` block or `close` it.

    Parameters
    ----------
    root
        Its folder.
    butler
        The middleware's client.
    instrument
        Name of the camera.
    writeable
        Whether the client may write.
    """

    def __init__(self, root: Path, butler: Butler, instrument: str, *, writeable: bool) -> None:
        self.root = root
        self.butler = butler
        self.instrument = instrument
        self.writeable = writeable

    @classmethod
    def create(cls, root: str | os.PathLike[str], camera: Camera, *, add: bool = False) -> Self:
        """Make a repository ready for a camera, and open it for writing.

        On a repository that holds this very camera it completes what is missing, and changes nothing else.

        Parameters
        ----------
        root
            Folder that does not exist, is empty, or holds a repository.
        camera
            The camera.
        add
            Whether a repository that holds other cameras may get this one too.

        Raises
        ------
        RepositoryError
            If the folder holds something else, or another camera.
        StorageError
            If it cannot be written.
        """
        create_repository(Path(root), camera, add=add)
        return cls.open(root, instrument=camera.name, writeable=True)

    @classmethod
    def open(
        cls, root: str | os.PathLike[str], *, instrument: str | None = None, writeable: bool = False
    ) -> Self:
        """Open a repository.

        Parameters
        ----------
        root
            Its folder.
        instrument
            Name of the camera; not needed where there is only one.
        writeable
            Whether it may be changed.

        Raises
        ------
        RepositoryError
            If there is none, or its cameras leave a choice.
        """
        folder = Path(root)
        if not is_repository(folder):
            raise RepositoryError(
                f"{folder} is no repository", hint=f"Make one: fiducial init {folder} --camera CAMERA"
            )
        butler = open_butler(folder, writeable=writeable)
        name = _choose(butler, folder, instrument)
        return cls(folder, butler, name, writeable=writeable)

    def close(self) -> None:
        """Let go of the registry."""
        self.butler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def camera(self) -> Camera:
        """The camera, as the repository holds it; else the packaged one of this name."""
        return self._camera

    @cached_property
    def _camera(self) -> Camera:
        stored = stored_camera(self.butler, self.instrument)
        if stored is not None:
            return stored
        for name in known_cameras():
            if (camera := load_camera(name)).name == self.instrument:
                return camera
        raise CameraError(
            f"{self.root}: the description of {self.instrument} is not in the repository",
            hint=f"Put it there: fiducial init {self.root} --camera FILE.yaml",
        )

    def ingest(
        self,
        files: Sequence[str | os.PathLike[str]],
        *,
        transfer: str = "direct",
        processes: int | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Take in raw frames.

        Each file is read once: checksum, header facts and content. A file that cannot be used stops no
        other. Files of this content that are there already change nothing; where the file itself is gone
        (moved, for one) the new place is taken instead. All of one observing day is
        visible at once, or nothing of it; an ingest that was killed is completed by running it again.

        Parameters
        ----------
        files
            Paths of the files.
        transfer
            ``direct`` (the file stays where it is), ``symlink``, ``copy`` or ``hardlink``.
        processes
            Files looked at at a time; None: as many as there are processors, at most 8.
        progress
            Called with the number of files looked at and of all.

        Returns
        -------
        report
            Every file is in it once: used, already there, or refused.
        """
        self._must_be_writeable()
        complete_repository(self.root, self.camera())
        report = ingest_files(
            self.root,
            self.butler,
            self.camera(),
            files,
            transfer=transfer,
            processes=processes,
            progress=progress,
        )
        self.ledger.append(
            "ingest",
            instrument=self.instrument,
            inputs={
                "offered": report.offered,
                "used": len(report.used),
                "already": len(report.already),
                "refused": {refusal.file: refusal.reason for refusal in report.refused},
                "exposures": list(report.exposures),
                "transfer": transfer,
            },
        )
        return report

    def records(
        self, *, night: int | None = None, frame_type: str | None = None, where: str = ""
    ) -> list[FrameRecord]:
        """What is known of the raw frames, in the order of exposure and detector.

        Parameters
        ----------
        night
            Observing day, YYYYMMDD.
        frame_type
            Such as ``bias``.
        where
            A condition as for ``butler query-dimension-records``, such as ``exposure.exposure_time > 5``.
        """
        return find_records(self.butler, self.camera(), night=night, frame_type=frame_type, where=where)

    def find_calibration(
        self,
        kind: str,
        when: int | Moment,
        detector: int | None = None,
        physical_filter: str | None = None,
        collections: str | Sequence[str] | None = None,
    ) -> DatasetRef | None:
        """The calibration that a pipeline would find, or None.

        Parameters
        ----------
        kind
            Such as ``bias``.
        when
            An exposure's id, or a moment (TAI).
        detector
            Id of the detector.
        physical_filter
            Of a flat; an exposure's own where it is not given.
        collections
            Where to look; ``<CAMERA>/calib`` where it is not given.

        Raises
        ------
        RepositoryError
            If there is no such exposure, or several calibrations are valid within it.
        """
        return find_calibration(
            self.butler, self.instrument, kind, when, detector, physical_filter, collections
        )

    def timeline(self, chain: str | None = None) -> list[Validity]:
        """What is certified for which dates, by kind, detector, filter and the order of search.

        Parameters
        ----------
        chain
            A chain or certified collection; ``<CAMERA>/calib`` where it is not given.
        """
        return timeline(self.butler, self.instrument, chain or names.calib(self.instrument))


def _choose(butler: Butler, root: Path, instrument: str | None) -> str:
    known = sorted(record.name for record in butler.query_dimension_records("instrument", explain=False))
    if instrument is None and len(known) == 1:
        return str(known[0])
    if instrument is None:
        which = f"{root} holds several cameras: {', '.join(known)}" if known else f"{root} holds no camera"
        hint = "Say which one." if known else f"Add one: fiducial init {root} --camera CAMERA"
        raise RepositoryError(which, hint=hint)
    matches = [name for name in known if name.lower() == instrument.lower()]
    if not matches:
        raise RepositoryError(
            f"{root} is a repository of {', '.join(known) or 'no camera'}, not of {instrument}",
            hint="Name one of its cameras, or make another repository.",
        )
    return str(matches[0])
