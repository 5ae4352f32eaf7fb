"""The plan of one production: from the frames there are to the use of each one, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import nan
from statistics import median

from fiducial.cameras.facts import StateValue
from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.frames.records import FrameRecord
from fiducial.selection.choose import choose_frames
from fiducial.selection.exposures import Exposure, gather
from fiducial.selection.limits import ContentLimits, default_limits
from fiducial.selection.missing import no_frames, no_such_state, too_few
from fiducial.selection.model import KindPlan, base_kind
from fiducial.selection.reasons import Chosen, ask_for, choice_of
from fiducial.selection.state import in_state
from fiducial.selection.survey import Candidate, Survey, survey


def plan_kind(
    kind: str,
    records: Iterable[FrameRecord],
    camera: Camera,
    *,
    settings: SelectionDefaults | None = None,
    state: Mapping[str, StateValue] | None = None,
    physical_filter: str | None = None,
    night: int | None = None,
    other_records: Iterable[FrameRecord] = (),
    limits: ContentLimits | None = None,
) -> KindPlan:
    """Plan which exposures generate and which verify one product.

    Parameters
    ----------
    kind
        ``bias``, ``dark``, ``flat``, or one of them with ``Bootstrap`` behind it.
    records
        Frames of any type; those of the kind's type (and filter) are offered. The others help: biases give
        the level without light where there is no overscan, and messages say what there is.
    camera
        The camera.
    settings
        How many first exposures, how many wanted, how many at least; None: the camera's for the kind.
    state
        Camera state asked for (`parse_state`); None: the one with most usable frames.
    physical_filter
        Of flats; None: the one with most usable frames. Other kinds are made from all filters.
    night
        Observing day, YYYYMMDD, whose frames generate; None: the night with most usable frames. Frames of
        other nights only verify.
    other_records
        Frames that only verify, whatever their night, if they are not among ``records``.
    limits
        Of the frames' content; None: the package's.

    Returns
    -------
    KindPlan
        With every exposure offered exactly once among its choices.

    Raises
    ------
    NothingToDo
        If there are no frames, or too few of them; the message says what there is.
    UsageError
        If the kind, or a key of the state, is not known.
    """
    base = base_kind(kind)
    settings = settings or camera.defaults.selection_of(kind if kind in camera.defaults.selection else base)
    own = gather(records)
    ids = {exposure.id for exposure in own}
    everything = gather(
        [r for e in own for r in e.records] + [r for r in other_records if r.exposure not in ids]
    )
    mine = frozenset(e.id for e in own if night is None or e.night == night)
    if base != "flat":
        physical_filter = None
    offered = [
        e for e in everything if e.facts.frame_type == base and physical_filter in (None, e.facts.filter)
    ]
    if not any(e.id in mine for e in offered):
        raise no_frames(base, everything, mine, night, physical_filter)
    limits = limits or default_limits()
    found = survey(offered, everything, camera, settings, limits, mine)
    candidates = found.candidates
    if state:
        candidates = [c for c in candidates if in_state(c.group, state, camera)]
        if not candidates:
            raise no_such_state(base, state, found.groups)
    best = min(candidates, key=lambda candidate: candidate.rank)
    if len(best.usable) < settings.minimum:
        raise too_few(base, found, best, settings)
    used = choose_frames(best.usable, settings.wanted)
    chosen = Chosen(
        best=best,
        found=found,
        camera=camera,
        settings=settings,
        light=median(exposure.signal() for exposure in used) if base == "flat" else nan,
        verifying_light=limits.verifying_light,
        generate=frozenset(exposure.id for exposure in used),
        sampled=_sample(best, found, settings),
        detectors=frozenset[int]().union(*(exposure.detectors for exposure in used)),
    )
    return _plan(kind, offered, chosen)


def _plan(kind: str, offered: Sequence[Exposure], chosen: Chosen) -> KindPlan:
    best = chosen.best
    choices = tuple(choice_of(exposure, chosen) for exposure in offered)
    generate, verify, first = (
        tuple(sorted(choice.exposure for choice in choices if choice.use == use))
        for use in ("generate", "verify", "first")
    )
    return KindPlan(
        kind=kind,
        filter=best.filter,
        night=best.night,
        state=best.group.state,
        generate=generate,
        verify=verify,
        first=first,
        choices=choices,
        notes=_notes(chosen, offered),
    )


def _sample(best: Candidate, found: Survey, settings: SelectionDefaults) -> frozenset[int]:
    """Choose each n-th usable exposure of other dates, the nearest dates first, up to a number."""
    dates: dict[int, list[int]] = {}
    out = found.aside.keys() | found.first
    for exposure in best.group.exposures:
        right_filter = best.filter in (None, exposure.facts.filter)
        if exposure.night != best.night and right_filter and exposure.id not in out:
            dates.setdefault(exposure.night, []).append(exposure.id)
    nearest = sorted(dates, key=lambda night: abs(_day(night) - _day(best.night)))
    sampled = [one for night in nearest for one in dates[night][:: settings.other_days_every]]
    return frozenset(sampled[: settings.other_days_most])


def _day(night: int) -> int:
    """Count days, so that the last of a month and the first of the next are neighbours."""
    return date(night // 10000, night // 100 % 100, night % 100).toordinal()


def _notes(chosen: Chosen, offered: Sequence[Exposure]) -> tuple[str, ...]:
    """Tell what else there is, and how to ask for it."""
    found, best = chosen.found, chosen.best
    notes = []
    for group in found.groups:
        count = sum(exposure.id in found.mine for exposure in group.exposures)
        if group is not best.group and count:
            notes.append(f"{count} more in another camera state; for them ask with {ask_for(group, chosen)}")
    filters = {e.facts.filter for e in offered if e.id in found.mine} - {best.filter}
    if best.filter is not None and filters:
        notes.append(f"there are other filters, too: {', '.join(sorted(filters))}")
    return tuple(notes)
