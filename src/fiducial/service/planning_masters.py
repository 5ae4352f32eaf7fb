"""Plans of what is made from masters instead of raw frames: defects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.errors import NothingToDo
from fiducial.service.masters import has_master
from fiducial.service.request import Request

if TYPE_CHECKING:
    from fiducial.cameras import Camera
    from fiducial.frames.records import FrameRecord
    from fiducial.kinds.budget import Forecast
    from fiducial.repository import Repository
    from fiducial.selection import KindPlan

FROM_MASTERS = ("defects",)
"""Kinds that are made from masters; which ones are valid says an exposure's date."""

_NEEDED = ("flat", "dark")  # one of them at least; the bias is used where there is one


def plan_from_masters(
    repository: Repository,
    kind: str,
    records: Sequence[FrameRecord],
    request: Request,
    coming: Sequence[KindPlan],
) -> KindPlan:
    """Plan a kind that is made from masters: those that are coming in this production, or are certified.

    Parameters
    ----------
    repository
        Where masters are.
    kind
        One of `FROM_MASTERS`.
    records
        Frames of the night and the detectors asked for.
    request
        What the user asks for.
    coming
        Plans of what is made before.

    Raises
    ------
    NothingToDo
        There is no frame in that night, or no master.
    """
    from fiducial.selection import Choice, KindPlan

    if not records:
        raise NothingToDo(
            f"no frame of that night tells for when {kind} are wanted", hint="`fiducial plan --find-dates`"
        )
    stage = "Bootstrap" if request.world == "adu" else ""
    made = {plan.kind: plan for plan in coming if plan.kind.removesuffix(stage) in (*_NEEDED, "bias")}
    exposure, night, state = _when(records, made, stage)
    detectors = sorted({r.detector for r in records if r.exposure == exposure})
    filters = sorted({r.facts.filter for r in records if r.facts.filter})
    there = [
        name
        for name in _NEEDED
        if f"{name}{stage}" in made
        or any(
            has_master(repository, f"{name}{stage}", exposure, detectors[0], (), band)
            for band in (filters if name == "flat" else [None])
        )
    ]
    if not there:
        raise NothingToDo(
            f"no dark{stage} and no flat{stage} is there for exposure {exposure}: "
            f"{kind} are found in one of them at least",
            hint=f"fiducial make REPO bias dark flat {kind} --night {night}"
            + (" --bootstrap" if stage else ""),
        )
    why = "its date says which masters are valid"
    return KindPlan(
        kind=kind,
        filter=None,
        night=night,
        state=dict(state),
        generate=(exposure,),
        verify=(),
        first=(),
        choices=(Choice(exposure, None, "generate", why),),
        notes=(f"made from masters: {', '.join(there)}, and what else is there for that date",),
    )


def _when(
    records: Sequence[FrameRecord], made: dict[str, KindPlan], stage: str
) -> tuple[int, int, dict[str, str | float]]:
    """The exposure whose date counts: one of those that make the masters, or the last of the night."""
    for kind in (*_NEEDED, "bias"):
        plan = made.get(f"{kind}{stage}")
        if plan is not None:
            state = {key: value for key, value in plan.state.items() if isinstance(value, str | float)}
            return plan.generate[0], plan.night, state
    order = {kind: place for place, kind in enumerate(("bias", "dark", "flat"))}
    last = max(records, key=lambda r: (order.get(r.facts.frame_type, -1), r.facts.begin))
    return last.exposure, last.facts.day_obs, {}


def forecast_from_masters(camera: Camera, detectors: Sequence[int], processes: int) -> Forecast:
    """What the search costs: all masters of a detector in memory at once, three of them as a rule."""
    from fiducial.kinds.budget import LIBRARIES, Forecast

    sizes = [ny * nx for ny, nx in (camera.layout(detector).shape for detector in detectors)]
    return Forecast(
        memory=(LIBRARIES + max(sizes) * _BYTES) * processes,
        read_bytes=sum(sizes) * _MASTERS * _STORED,
        disk_bytes=2_000_000.0 * len(sizes),
        seconds=sum(sizes) * _SECONDS / processes + len(sizes),
    )


_MASTERS = 3
_STORED = 12  # bytes a pixel of a master's planes
_BYTES = 150  # bytes a pixel: up to eight masters, what reading the last one takes, one amplifier's work
_SECONDS = 0.6e-6  # a pixel
