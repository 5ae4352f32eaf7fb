"""Science frames corrected with the calibrations certified for their dates."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import NothingToDo
from fiducial.service.chains import Adapted, adapt_chain
from fiducial.service.progress import Progress, Silent

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef

    from fiducial.execution.job import Outcome
    from fiducial.repository import Repository

_SUSPECT = "detrend:corrections.suspect.source=ptc"
"""Who asks for turn-offs of photon transfer has the correction in the chain."""


@dataclass(frozen=True)
class DetrendedFrame:
    """One frame: where it is now, or why it is not."""

    exposure: int
    detector: int
    file: str = ""
    reason: str = ""
    error: str = ""  # id of the error; empty where it is not one of ours


@dataclass(frozen=True)
class Detrended:
    """What came of a request to detrend."""

    run: str
    frames: tuple[DetrendedFrame, ...]
    notes: tuple[str, ...] = ()  # corrections that were left out or put in

    @property
    def complete(self) -> bool:
        """Whether every frame was corrected."""
        return all(frame.file for frame in self.frames)


def detrend(
    root: str | Path,
    exposures: str,
    *,
    output: str | Path | None = None,
    collections: str | None = None,
    detectors: Sequence[int] = (),
    overrides: Sequence[str] = (),
    processes: int = 1,
    instrument: str | None = None,
    progress: Progress | None = None,
) -> Detrended:
    """Correct frames with the calibrations certified for their dates.

    Parameters
    ----------
    root
        Folder of the repository.
    exposures
        Ids as in a data query: ``12,14..20``.
    output
        Folder for copies of the files; None: they stay in the repository only.
    collections
        Where calibrations are looked for, comma separated; None: ``CAMERA/calib``.
    detectors
        Ids; empty: all.
    overrides
        Settings of the task, ``detrend:field=value``.

    Raises
    ------
    NothingToDo
        No such frames, or no calibrations for their dates.
    """
    from fiducial.execution.job import PIPELINES, Job
    from fiducial.execution.run import run_job
    from fiducial.repository import Repository
    from fiducial.selection import data_query
    from fiducial.selection.ranges import parse_ids

    told = progress or Silent()
    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        camera = repository.instrument
        ids = parse_ids(exposures)
        adapted = _adapted(repository, ids, detectors, overrides)
        job = Job(
            pipeline=PIPELINES / "Detrend.yaml",
            inputs=(*(collections or f"{camera}/calib").split(","), f"{camera}/raw/all"),
            output=f"{camera}/detrended",
            where=data_query(camera, ids, detectors),
            overrides=(*adapted.overrides, *overrides),
        )
        outcome = run_job(
            repository,
            job,
            processes=processes,
            begin=lambda total: told.begin("detrending", total),
            step=told.step,
        )
        told.end()
        repository.ledger.append(
            "detrend", instrument=camera, inputs={"exposures": exposures}, run=outcome.run
        )
        return Detrended(outcome.run, tuple(_frames(repository, outcome, output)), adapted.notes)


def _adapted(
    repository: Repository, exposures: Sequence[int], detectors: Sequence[int], overrides: Sequence[str]
) -> Adapted:
    """Fit the chain to what is certified; a frame without any calibration is left to the graph."""
    from fiducial.kinds.defaults import default_chain

    chosen = [r for r in repository.records() if r.exposure in set(exposures)]
    if detectors:
        chosen = [r for r in chosen if r.detector in detectors]
    if not chosen:
        raise NothingToDo(
            f"{repository.root} holds none of the exposures asked for",
            hint=f"`butler query-dimension-records {repository.root} exposure` lists those there are",
        )
    first = min(chosen, key=lambda r: r.exposure)
    return adapt_chain(
        repository,
        "detrend",
        default_chain("detrend"),
        exposure=first.exposure,
        detectors=sorted({r.detector for r in chosen}),
        physical_filter=first.facts.filter,
        wished=overrides,
        added=("linearity", *(["suspect"] if _SUSPECT in overrides else [])),
        state=first.facts.state,
    )


def _frames(repository: Repository, outcome: Outcome, output: str | Path | None) -> list[DetrendedFrame]:
    from fiducial.repository.lookup import datasets

    refs = datasets(repository.butler, "detrended", outcome.run)
    done = [_delivered(repository, ref, output) for ref in refs]
    failed = [
        DetrendedFrame(
            int(f.data.get("exposure", 0)), int(f.data.get("detector", 0)), reason=f.message, error=f.error
        )
        for f in outcome.failures
    ]
    return sorted([*done, *failed], key=lambda frame: (frame.exposure, frame.detector))


def _delivered(repository: Repository, ref: DatasetRef, output: str | Path | None) -> DetrendedFrame:
    exposure, detector = int(ref.dataId["exposure"]), int(ref.dataId["detector"])
    file = Path(repository.butler.getURI(ref).ospath)
    if output is not None:
        from fiducial.frames.atomic import atomic_write

        folder = Path(output)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"detrended_{repository.instrument}_{exposure}_{detector}.fits"
        with atomic_write(target) as unfinished:
            shutil.copyfile(file, unfinished)
        file = target
    return DetrendedFrame(exposure, detector, str(file))
