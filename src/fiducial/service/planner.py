"""One product planned after another: its frames, its names, what it costs, the commands that do the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fiducial.errors import NothingToDo
from fiducial.service.before import Before, require_masters
from fiducial.service.chains import Adapted, adapt_product
from fiducial.service.forecasts import whole_forecast
from fiducial.service.planning_masters import FROM_MASTERS, plan_from_masters
from fiducial.service.planning_ramps import plan_from_ramp
from fiducial.service.plans import Impossible, Planned
from fiducial.service.request import Request
from fiducial.service.steps import RAMPED, Step, frames_needed

if TYPE_CHECKING:
    from fiducial.frames.records import FrameRecord
    from fiducial.repository import Repository
    from fiducial.selection import KindPlan, Names


class Planner:
    """Plans one product after another in a repository; what was planned before counts as there."""

    def __init__(self, repository: Repository, request: Request) -> None:
        self._repository, self._request = repository, request
        self._camera = repository.camera()
        self._records = repository.records(where=request.where)
        self._rerun = request.rerun or next_rerun(repository, request, self._records)
        self.planned: list[Planned] = []
        self.impossible: list[Impossible] = []

    def add(self, step: Step, *, everything: bool) -> None:
        """Plan a kind, for each of its filters; where everything is wanted, in one camera state."""
        request = replace(self._request, world=step.world)
        if everything and self.planned and not request.state:
            request = replace(request, state=self.planned[0].plan.state)
        # Of single kinds that were asked for, the job's graph says what is missing.
        lost = frozenset(one.kind for one in self.impossible) if everything else frozenset[str]()
        for physical_filter in filters_of(step.kind, self._records, request):
            try:
                self.planned.append(self._one(step, physical_filter, request, lost))
            except NothingToDo as error:
                needed = frames_needed(step, request.settings_for(self._camera, step.kind))
                self.impossible.append(Impossible(step.product, error.message, error.hint, needed))

    def _one(
        self, step: Step, physical_filter: str | None, request: Request, lost: frozenset[str]
    ) -> Planned:
        from fiducial.selection import production_names

        repository, camera = self._repository, self._camera
        offered = [r for r in self._records if _that_night(r, request)]
        if request.detectors:
            offered = [r for r in offered if r.detector in request.detectors]
        chosen = self._choose(step, offered, physical_filter, request)
        day = request.night or max(r.facts.day_obs for r in offered)
        names = production_names(
            repository.instrument,
            request.ticket_for(day),
            request.tag,
            chosen.kind,
            physical_filter,
            self._rerun,
        )
        detectors = detectors_of(chosen, offered)
        plans = [one.plan for one in self.planned]
        coming, states = tuple(plan.kind for plan in plans), {plan.kind: plan.state for plan in plans}
        before = Before(coming=coming, lost=lost, states=states)
        adapted = prepared(repository, chosen, detectors, step, before, request)
        return Planned(
            chosen,
            detectors,
            names,
            whole_forecast(chosen, camera, detectors, request),
            plain_commands(repository, chosen, names, detectors, request, adapted),
            step,
            (*chosen.notes, *adapted.notes),
        )

    def _choose(
        self, step: Step, offered: Sequence[FrameRecord], physical_filter: str | None, request: Request
    ) -> KindPlan:
        """Choose the frames: of masters only the date counts, of ramps all exposure times, else one set."""
        from fiducial.selection import plan_kind

        if step.kind in FROM_MASTERS:
            coming = [one.plan for one in self.planned]
            return plan_from_masters(self._repository, step.kind, offered, request, coming)
        if step.kind in RAMPED:
            return plan_from_ramp(step.kind, offered, self._camera, request)
        return plan_kind(
            step.product,
            offered,
            self._camera,
            settings=request.settings_for(self._camera, step.kind),
            state=request.state or None,
            physical_filter=physical_filter,
            night=request.night,
            other_records=[r for r in self._records if not _that_night(r, request)],
        )


def prepared(
    repository: Repository,
    chosen: KindPlan,
    detectors: tuple[int, ...],
    step: Step,
    before: Before,
    request: Request,
) -> Adapted:
    """Fit a product's chain to the masters there are.

    Raises
    ------
    NothingToDo
        A master that it cannot do without is neither made before nor certified.
    """
    exposure = chosen.generate[0]
    require_masters(
        repository, chosen.kind, exposure=exposure, detectors=detectors, before=before, request=request
    )
    return adapt_product(
        repository,
        chosen.kind,
        exposure=exposure,
        detectors=detectors,
        wished=request.overrides,
        before=before,
        world=step.world,
        state=chosen.state,
    )


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


def plain_commands(
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


def detectors_of(chosen: KindPlan, records: Sequence[FrameRecord]) -> tuple[int, ...]:
    """List the detectors that the frames chosen for generation have."""
    wanted = set(chosen.generate)
    return tuple(sorted({r.detector for r in records if r.exposure in wanted}))
