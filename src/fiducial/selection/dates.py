"""Nights that have enough frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fiducial.cameras.facts import StateValue
from fiducial.cameras.model import Camera
from fiducial.frames.records import FrameRecord
from fiducial.selection.content import content_of, nanmedian
from fiducial.selection.exposures import gather
from fiducial.selection.limits import ContentLimits, default_limits
from fiducial.selection.model import BASE_KINDS, base_kind
from fiducial.selection.sets import same_time
from fiducial.selection.state import in_state
from fiducial.selection.survey import Candidate, survey


@dataclass(frozen=True, slots=True)
class DateRow:
    """What one night has for one kind, in one camera state and filter."""

    night: int
    kind: str
    filter: str | None  # of flats
    state: dict[str, StateValue]
    frames: int  # of the type, state and filter
    usable: int  # of them, in the sets that would be chosen
    set_aside: int
    sets: int  # that would be chosen
    exposure_times: tuple[float, ...]  # of the usable ones, s
    signal: float  # adu above the level without light, median of the usable ones


def find_dates(
    records: Iterable[FrameRecord],
    camera: Camera,
    *,
    kinds: Sequence[str] = BASE_KINDS,
    minimum: Mapping[str, int] | int | None = None,
    physical_filter: str | None = None,
    exposure_time: float | None = None,
    state: Mapping[str, StateValue] | None = None,
    limits: ContentLimits | None = None,
) -> list[DateRow]:
    """List the nights that have enough usable frames of every kind asked for.

    Usable means what it means for a plan: no first exposures, nothing set aside, one set or
    several that agree.

    Parameters
    ----------
    records
        Of any nights and types.
    camera
        The camera.
    kinds
        All of them must be there.
    minimum
        Usable frames needed, of each kind or of all; None: the camera's.
    physical_filter
        Of flats; None: any.
    exposure_time
        Of darks and flats, s; None: any.
    state
        Camera state asked for; None: any.
    limits
        Of the frames' content; None: the package's.

    Returns
    -------
    list of DateRow
        By night, kind, and number of usable frames, most first; only rows that have enough.
    """
    everything = gather(records)
    rows: list[DateRow] = []
    for kind in kinds:
        base = base_kind(kind)
        settings = camera.defaults.selection_of(kind if kind in camera.defaults.selection else base)
        needed = minimum.get(kind) if isinstance(minimum, Mapping) else minimum
        offered = [
            e
            for e in everything
            if e.facts.frame_type == base
            and (base != "flat" or physical_filter in (None, e.facts.filter))
            and (base == "bias" or exposure_time is None or same_time(e.facts.exposure_time, exposure_time))
        ]
        found = survey(
            offered,
            everything,
            camera,
            settings,
            limits or default_limits(),
            frozenset(exposure.id for exposure in offered),
        )
        rows += [
            _row(kind, candidate, found.aside.keys(), camera)
            for candidate in found.candidates
            if len(candidate.usable) >= (settings.minimum if needed is None else needed)
            and (not state or in_state(candidate.group, state, camera))
        ]
    complete = {row.night for row in rows}
    for kind in kinds:
        complete &= {row.night for row in rows if row.kind == kind}
    order = {kind: i for i, kind in enumerate(kinds)}
    return sorted(
        (row for row in rows if row.night in complete),
        key=lambda row: (row.night, order[row.kind], -row.usable, row.filter or ""),
    )


def _row(kind: str, candidate: Candidate, aside: Iterable[int], camera: Camera) -> DateRow:
    here = [
        exposure
        for exposure in candidate.group.exposures
        if exposure.night == candidate.night and candidate.filter in (None, exposure.facts.filter)
    ]
    out = set(aside)
    signal = nanmedian(content_of(candidate.usable, camera).corrected.reshape(-1, 1))
    return DateRow(
        night=candidate.night,
        kind=kind,
        filter=candidate.filter,
        state=candidate.group.state,
        frames=len(here),
        usable=len(candidate.usable),
        set_aside=sum(exposure.id in out for exposure in here),
        sets=len(candidate.sets),
        exposure_times=tuple(sorted({e.facts.exposure_time for e in candidate.usable})),
        signal=float(signal[0]),
    )
