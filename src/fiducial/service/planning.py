"""What would be made from which frames, and the plain commands that would do the same; nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.errors import NothingToDo
from fiducial.service.before import Before, require_masters
from fiducial.service.chains import Adapted, adapt_product
from fiducial.service.planning_masters import FROM_MASTERS, forecast_from_masters, plan_from_masters
from fiducial.service.planning_ramps import forecast_ramp, plan_from_ramp
from fiducial.service.request import Request
from fiducial.service.steps import ALL, KINDS, RAMPED, Step, frames_needed, steps_of

if TYPE_CHECKING:
    from fiducial.cameras import Camera
    from fiducial.frames.records import FrameRecord
    from fiducial.kinds.budget import Forecast
    from fiducial.repository import Repository
    from fiducial.selection import DateRow, KindPlan, Names


@dataclass(frozen=True)
class Planned:
    """One product to make: its frames, its names, what it will cost, the commands that do the same."""

    plan: KindPlan
    detectors: tuple[int, ...]
    names: Names
    forecast: Forecast
    commands: tuple[str, ...]
    step: Step
    notes: tuple[str, ...] = ()  # of the choice, and of the chain


@dataclass(frozen=True)
class Impossible:
    """A product that cannot be made, why, and which frames it would need."""

    kind: str
    reason: str
    hint: str
    needed: str = ""


@dataclass(frozen=True)
class Plans:
    """All that a request comes to."""

    night: int | None
    planned: tuple[Planned, ...]
    impossible: tuple[Impossible, ...]
    everything: bool = False  # whether whatever the frames allow was asked for

    @property
    def asked(self) -> tuple[str, ...]:
        """The kinds to ask for, so that the same is made: ``all``, or those that can be made."""
        if self.everything:
            return (ALL,)
        return tuple(dict.fromkeys(one.step.kind for one in self.planned))


def plan(root: str | Path, kinds: Sequence[str], request: Request) -> Plans:
    """Say what would be made from which frames; change nothing.

    Parameters
    ----------
    root
        Folder of the repository.
    kinds
        Any of bias, dark, flat, defects, linearizer, ptc, or all; they are planned in the order in which they
        need each other (`fiducial.service.steps.steps_of`).
    request
        Night, state, names and settings.
    """
    from fiducial.repository import Repository

    with Repository.open(root, instrument=request.instrument) as repository:
        return plan_in(repository, kinds, request)


def plan_in(repository: Repository, kinds: Sequence[str], request: Request) -> Plans:
    """Plan in a repository that is open already."""
    steps = steps_of(kinds, request.world)
    check_settings([step.product for step in steps], request.overrides)
    camera = repository.camera()
    records = repository.records(where=request.where)
    planned: list[Planned] = []
    impossible: list[Impossible] = []
    rerun = request.rerun or next_rerun(repository, request, records)
    for step in steps:
        own = replace(request, world=step.world, state=_state(kinds, request, planned))
        for physical_filter in filters_of(step.kind, records, request):
            try:
                one = _plan_one(
                    repository,
                    camera,
                    records,
                    step,
                    physical_filter,
                    rerun,
                    own,
                    coming=[p.plan for p in planned],
                    # Of single kinds that were asked for, the job's graph says what is missing.
                    lost=frozenset(one.kind for one in impossible) if ALL in kinds else frozenset(),
                )
            except NothingToDo as error:
                needed = frames_needed(step, request.settings_for(camera, step.kind))
                impossible.append(Impossible(step.product, error.message, error.hint, needed))
            else:
                planned.append(one)
    return Plans(request.night, tuple(planned), tuple(impossible), ALL in kinds)


def _state(kinds: Sequence[str], request: Request, planned: Sequence[Planned]) -> dict[str, Any]:
    """The camera state asked for; where everything is wanted, that of what comes first serves for all."""
    if request.state or ALL not in kinds or not planned:
        return request.state
    return planned[0].plan.state


def check_settings(products: Sequence[str], settings: Sequence[str]) -> None:
    """Refuse settings that none of the products' pipelines takes, before anything is made.

    Raises
    ------
    UsageError, ConfigurationError
        A setting is not of the form of one, its task or field is not there, or its value does not fit.
    """
    if not settings:
        return
    from fiducial.execution.pipelines import generation_of, verification_of
    from fiducial.execution.run import load_pipeline
    from fiducial.execution.settings import require_known, settings_for

    pipelines = [path for product in products for path in (generation_of(product), verification_of(product))]
    require_known(pipelines, settings)
    for pipeline in pipelines:
        load_pipeline(pipeline, settings_for(pipeline, settings))


def filters_of(kind: str, records: Sequence[FrameRecord], request: Request) -> list[str | None]:
    """List the filters a kind is made for: those of the night's frames for flats, None for the others."""
    if kind != "flat":
        return [None]
    if request.physical_filter:
        return [request.physical_filter]
    seen = {r.facts.filter for r in records if r.facts.frame_type == kind and _that_night(r, request)}
    return [*sorted(seen)] or [None]


def next_rerun(repository: Repository, request: Request, records: Sequence[FrameRecord]) -> str:
    """Name a new run: the date of its frames and the next letter that is free."""
    from fiducial.repository.lookup import collections_below
    from fiducial.selection import free_rerun

    days = [r.facts.day_obs for r in records if _that_night(r, request)]
    day = request.night or (max(days) if days else 0)
    prefix = f"{repository.instrument}/calib/{request.ticket_for(day)}/{request.tag}/"
    return free_rerun(day, collections_below(repository.butler, prefix))


def _that_night(record: FrameRecord, request: Request) -> bool:
    return request.night is None or record.facts.day_obs == request.night


def _plan_one(
    repository: Repository,
    camera: Camera,
    records: Sequence[FrameRecord],
    step: Step,
    physical_filter: str | None,
    rerun: str,
    request: Request,
    coming: Sequence[KindPlan],
    lost: frozenset[str],
) -> Planned:
    from fiducial.selection import production_names

    offered = [r for r in records if _that_night(r, request)]
    others = [r for r in records if not _that_night(r, request)]
    if request.detectors:
        offered = [r for r in offered if r.detector in request.detectors]
    chosen = _choose(repository, camera, step, offered, others, physical_filter, request, coming)
    day = request.night or max(r.facts.day_obs for r in offered)
    names = production_names(
        repository.instrument, request.ticket_for(day), request.tag, chosen.kind, physical_filter, rerun
    )
    detectors = detectors_of(chosen, offered)
    before = Before(
        coming=tuple(plan.kind for plan in coming),
        lost=lost,
        states={plan.kind: plan.state for plan in coming},
    )
    require_masters(
        repository,
        step.product,
        exposure=chosen.generate[0],
        detectors=detectors,
        before=before,
        request=request,
    )
    adapted = adapt_product(
        repository,
        chosen.kind,
        exposure=chosen.generate[0],
        detectors=detectors,
        wished=request.overrides,
        before=before,
        world=request.world,
        state=chosen.state,
    )
    return Planned(
        chosen,
        detectors,
        names,
        whole_forecast(chosen, camera, detectors, request),
        _commands(repository, chosen, names, detectors, request, adapted),
        step,
        (*chosen.notes, *adapted.notes),
    )


def _choose(
    repository: Repository,
    camera: Camera,
    step: Step,
    offered: Sequence[FrameRecord],
    others: Sequence[FrameRecord],
    physical_filter: str | None,
    request: Request,
    coming: Sequence[KindPlan],
) -> KindPlan:
    """Choose the frames: from masters only the date counts, from ramps all exposure times, else one set."""
    from fiducial.selection import plan_kind

    if step.kind in FROM_MASTERS:
        return plan_from_masters(repository, step.kind, offered, request, coming)
    if step.kind in RAMPED:
        return plan_from_ramp(step.kind, offered, camera, request)
    return plan_kind(
        step.product,
        offered,
        camera,
        settings=request.settings_for(camera, step.kind),
        state=request.state or None,
        physical_filter=physical_filter,
        night=request.night,
        other_records=others,
    )


def _commands(
    repository: Repository,
    chosen: KindPlan,
    names: Names,
    detectors: tuple[int, ...],
    request: Request,
    adapted: Adapted,
) -> tuple[str, ...]:
    """Write the plain commands, with the settings that the same request would be made with."""
    from fiducial.execution.pipelines import generation_of, verification_of
    from fiducial.execution.settings import settings_for
    from fiducial.selection import commands

    return tuple(
        commands(
            chosen,
            names,
            repo=repository.root,
            instrument=repository.instrument,
            detectors=detectors,
            processes=request.processes,
            overrides=(*adapted.overrides, *settings_for(generation_of(chosen.kind), request.overrides)),
            verify_overrides=settings_for(verification_of(chosen.kind), request.overrides),
        )
    )


def whole_forecast(chosen: KindPlan, camera: Camera, detectors: Sequence[int], request: Request) -> Forecast:
    """Add up what the products of all detectors cost; memory is what one process needs for one of them.

    One process makes and verifies them, one after the other.
    """
    from fiducial.kinds.budget import LIBRARIES, Forecast, forecast
    from fiducial.verify.budget import measuring_bytes

    if chosen.kind in FROM_MASTERS:
        return forecast_from_masters(camera, detectors, request.processes)
    n_frames, kind = len(chosen.generate), chosen.kind
    if kind in RAMPED:
        return forecast_ramp(camera, detectors, n_frames, request.processes)
    each = [
        forecast(kind, n_frames=n_frames, camera=camera, detector=detector, threads=request.threads)
        for detector in detectors
    ]
    measuring = max(
        LIBRARIES + measuring_bytes(kind, camera.layout(detector).shape, len(chosen.measured))
        for detector in detectors
    )
    return Forecast(
        memory=max(measuring, *(one.memory for one in each)) * request.processes,
        read_bytes=sum(one.read_bytes for one in each),
        disk_bytes=sum(one.disk_bytes for one in each),
        seconds=sum(one.seconds for one in each) / request.processes,
    )


def detectors_of(chosen: KindPlan, records: Sequence[FrameRecord]) -> tuple[int, ...]:
    """List the detectors that the frames chosen for generation have."""
    wanted = set(chosen.generate)
    return tuple(sorted({r.detector for r in records if r.exposure in wanted}))


def find_dates(root: str | Path, kinds: Sequence[str], request: Request) -> list[DateRow]:
    """List the nights that have enough usable exposures of all the kinds asked for, or of each.

    Parameters
    ----------
    root
        Folder of the repository.
    kinds
        Any of bias, dark, flat; a night must have all of them. None: each kind is listed by itself.
    request
        State, filter and minimum asked for.
    """
    from fiducial.repository import Repository
    from fiducial.selection import find_dates as find
    from fiducial.selection.model import BASE_KINDS

    with Repository.open(root, instrument=request.instrument) as repository:
        records = repository.records(where=request.where)
        # Asked for by name, a night must have all kinds; else each kind is listed by itself.
        rows = [
            row
            for wanted in ([tuple(kinds)] if kinds else [(kind,) for kind in BASE_KINDS])
            for row in find(
                records,
                repository.camera(),
                kinds=wanted,
                minimum=request.minimum,
                physical_filter=request.physical_filter,
                state=request.state or None,
            )
        ]
    return sorted(rows, key=lambda row: (row.night, KINDS.index(row.kind)))
