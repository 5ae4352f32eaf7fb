"""Calibrations generated and verified, kind by kind, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.errors import NothingToDo
from fiducial.service.before import Before
from fiducial.service.planner import prepared
from fiducial.service.planning import plan_in
from fiducial.service.plans import Impossible, Planned, Plans
from fiducial.service.progress import Progress, Silent
from fiducial.service.request import Request
from fiducial.service.verdicts import read_verdict

if TYPE_CHECKING:
    from fiducial.execution.job import Failure, Outcome
    from fiducial.repository import Repository


@dataclass(frozen=True)
class Made:
    """One product: where it is, what its verification said, what was left out."""

    planned: Planned
    run: str
    verify_run: str
    verdict: str  # pass, warn, fail, or "not made"
    reasons: tuple[str, ...]
    failures: tuple[Failure, ...]
    missing: tuple[str, ...]
    set_aside: int
    seconds: float


@dataclass(frozen=True)
class Production:
    """All that came of a request."""

    products: tuple[Made, ...]
    impossible: tuple[Impossible, ...]

    @property
    def verdict(self) -> str:
        """The worst of all verdicts."""
        order = ("not made", "fail", "warn", "pass")
        return min((p.verdict for p in self.products), key=order.index, default="not made")


def make(
    root: str | Path, kinds: Sequence[str], request: Request, *, progress: Progress | None = None
) -> Production:
    """Generate and verify calibrations.

    Parameters
    ----------
    root
        Folder of the repository.
    kinds
        Any of bias, dark, flat, defects, linearizer, ptc, or all. Later ones use those made before them in
        the same production, then what is certified.
    request
        Which frames, under which names, and with which settings.
    progress
        Told of each step.

    Returns
    -------
    Production
        One entry for each product, and one for each kind that could not be made.
    """
    from fiducial.repository import Repository

    with Repository.open(root, writeable=True, instrument=request.instrument) as repository:
        plans: Plans = plan_in(repository, kinds, request)
        if not plans.planned:
            first = plans.impossible[0]
            raise NothingToDo(first.reason, hint=first.hint)
        products: list[Made] = []
        impossible = list(plans.impossible)
        before = Before(lost=frozenset(one.kind for one in impossible))
        for planned in plans.planned:
            product = planned.plan.kind
            try:
                made = _make_one(repository, planned, before, request, progress or Silent())
            except NothingToDo as error:
                if len(plans.planned) == 1:
                    raise
                impossible.append(Impossible(product, error.message, error.hint))
                before = before.without(product)
                continue
            products.append(made)
            if made.verdict == "not made":
                before = before.without(product)
            else:
                before = before.with_run(product, made.run, made.verdict)
        return Production(tuple(products), tuple(impossible))


def _make_one(
    repository: Repository, planned: Planned, before: Before, request: Request, progress: Progress
) -> Made:
    product, runs = planned.plan.kind, before.runs
    adapted = prepared(repository, planned.plan, planned.detectors, planned.step, before, request)
    job = generation(repository, planned, runs, request, adapted.overrides)
    generated = _run(repository, job, request, planned, progress)
    verdict, verified = "not made", None
    reasons: tuple[str, ...] = ()
    aside = _set_aside_on_the_way(repository, planned.plan.kind, generated.run)
    if not generated.missing:
        job = verification(repository, planned, (generated.run, *runs), request)
        verified = _run(repository, job, request, planned, progress)
        found = read_verdict(repository, planned.plan.kind, verified.run)
        verdict, reasons = found.word, found.reasons
    made = Made(
        planned=planned,
        run=generated.run,
        verify_run=verified.run if verified else "",
        verdict=verdict,
        reasons=(
            *adapted.notes,
            *before.warnings_for(product),
            *(words for _, words in aside),
            *reasons,
        ),
        failures=generated.failures + (verified.failures if verified else ()),
        missing=generated.missing + (verified.missing if verified else ()),
        set_aside=sum(choice.use == "set_aside" for choice in planned.plan.choices)
        + len({exposure for exposure, _ in aside}),
        seconds=generated.seconds + (verified.seconds if verified else 0.0),
    )
    _note(repository, made)
    return made


def _note(repository: Repository, made: Made) -> None:
    """Put it on the ledger."""
    plan = made.planned.plan
    repository.ledger.append(
        "make",
        instrument=repository.instrument,
        inputs={
            "kind": plan.kind,
            "filter": plan.filter,
            "exposures": list(plan.generate),
            "verdict": made.verdict,
        },
        run=made.run,
        outcome=made.verdict,
    )


def _set_aside_on_the_way(repository: Repository, kind: str, run: str) -> list[tuple[int, str]]:
    """Name the frames that were planned for but turned out unusable, as the products' headers tell."""
    from fiducial.products.metadata import read_aside
    from fiducial.repository.lookup import datasets

    found = []
    for ref in datasets(repository.butler, kind, run):
        detector = ref.dataId["detector"]
        found += [
            (note.exposure, f"exposure {note.exposure} detector {detector} was set aside: {note.reason}")
            for note in read_aside(_metadata_of(repository, ref))
        ]
    return found


def _metadata_of(repository: Repository, ref: Any) -> Mapping[str, Any]:
    """The header of an image; that of another product has no room for long texts, so its own metadata."""
    from astropy.io import fits

    from fiducial.repository.lookup import IMAGE_STORAGE

    if ref.datasetType.storageClass_name != IMAGE_STORAGE:
        return dict(repository.butler.get(ref).metadata)
    with repository.butler.getURI(ref).as_local() as local:
        return dict(fits.getheader(local.ospath))


def _run(repository: Repository, job: Any, request: Request, planned: Planned, progress: Progress) -> Outcome:
    from fiducial.execution.run import run_job

    try:
        return run_job(
            repository,
            job,
            processes=request.processes,
            threads=request.threads,
            settings={**asdict(planned.plan), "request": asdict(request)},
            begin=lambda total: progress.begin(job.output.rsplit("/", 1)[-1], total),
            step=progress.step,
        )
    finally:
        progress.end()


def generation(
    repository: Repository,
    planned: Planned,
    runs: tuple[str, ...],
    request: Request,
    overrides: tuple[str, ...] = (),
) -> Any:
    """Write the job that makes a product."""
    from fiducial.execution.job import Job
    from fiducial.execution.pipelines import generation_of
    from fiducial.execution.settings import settings_for
    from fiducial.selection import data_query

    camera, pipeline = repository.instrument, generation_of(planned.plan.kind)
    return Job(
        pipeline=pipeline,
        inputs=(*runs, f"{camera}/calib", f"{camera}/raw/all"),
        output=planned.names.gen,
        where=data_query(camera, planned.plan.generate, request.detectors),
        overrides=(*overrides, *settings_for(pipeline, request.overrides)),
    )


def verification(repository: Repository, planned: Planned, runs: tuple[str, ...], request: Request) -> Any:
    """Write the job that verifies a product with the frames that went in and those kept for it."""
    from fiducial.execution.job import Job
    from fiducial.execution.pipelines import verification_of
    from fiducial.execution.settings import settings_for
    from fiducial.selection import data_query

    camera, pipeline = repository.instrument, verification_of(planned.plan.kind)
    exposures = planned.plan.measured
    return Job(
        pipeline=pipeline,
        inputs=(*runs, f"{camera}/calib", f"{camera}/raw/all"),
        output=planned.names.verify,
        # Frames of other dates may have detectors of which nothing was made.
        where=data_query(camera, exposures, planned.detectors),
        overrides=settings_for(pipeline, request.overrides),
    )
