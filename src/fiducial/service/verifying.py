"""Verification of calibrations against frames of any date, to know whether the camera is what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.service.progress import Progress, Silent
from fiducial.service.verdicts import read_verdict

if TYPE_CHECKING:
    from fiducial.execution.job import Failure
    from fiducial.repository import Repository

_SHOWN = 10  # rows


@dataclass(frozen=True)
class Verification:
    """What a verification says, and the tests that were nearest to their limits."""

    kind: str
    verdict: str
    reasons: tuple[str, ...]
    run: str
    worst: tuple[Mapping[str, Any], ...]
    failures: tuple[Failure, ...] = ()


def verify(
    root: str | Path,
    kind: str,
    exposures: str,
    *,
    run: str = "",
    output: str | None = None,
    detectors: Sequence[int] = (),
    instrument: str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Verify a calibration against frames that went in, or that did not.

    Parameters
    ----------
    root
        Folder of the repository.
    kind
        bias, dark or flat.
    exposures
        Ids as in a data query: ``12,14..20``.
    run
        Collection of the calibration; empty: what is certified for the dates of the frames.
    output
        Chain for the result; None: ``CAMERA/verify/KIND``.
    detectors
        Ids; empty: all.

    Raises
    ------
    NothingToDo
        No such frames, or no calibration that is valid for all of them.
    """
    from fiducial.execution.job import Job
    from fiducial.execution.pipelines import verification_of
    from fiducial.execution.run import run_job
    from fiducial.repository import Repository
    from fiducial.selection import data_query
    from fiducial.selection.ranges import parse_ids

    told = progress or Silent()
    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        camera = repository.instrument
        job = Job(
            pipeline=verification_of(kind),
            inputs=(*([run] if run else []), f"{camera}/calib", f"{camera}/raw/all"),
            output=output or f"{camera}/verify/{kind}",
            where=data_query(camera, parse_ids(exposures), detectors),
        )
        try:
            outcome = run_job(
                repository, job, begin=lambda total: told.begin(f"verifying {kind}", total), step=told.step
            )
        finally:
            told.end()
        found = read_verdict(repository, kind, outcome.run)
        repository.ledger.append(
            "verify",
            instrument=camera,
            inputs={"kind": kind, "exposures": exposures, "calibration": run},
            run=outcome.run,
            outcome=found.word,
        )
        worst = nearest_to_limits(repository, kind, outcome.run)
        return Verification(kind, found.word, found.reasons, outcome.run, worst, outcome.failures)


def nearest_to_limits(repository: Repository, kind: str, run: str) -> tuple[Mapping[str, Any], ...]:
    """List the judged rows with the smallest margins, the smallest first."""
    from fiducial.repository.lookup import datasets

    rows: list[Mapping[str, Any]] = []
    for ref in datasets(repository.butler, f"verify{kind[0].upper()}{kind[1:]}Results", run):
        rows += repository.butler.get(ref, storageClass="ArrowTable").to_pylist()
    judged = [row for row in rows if row["outcome"] in ("pass", "warn", "fail") and row["margin"] is not None]
    return tuple(sorted(judged, key=lambda row: row["margin"])[:_SHOWN])
