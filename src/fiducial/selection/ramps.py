"""The plan of a ramp: flats of many exposure times, of one camera state and filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fiducial.algorithms.ptc_curve import LEAST_LEVELS
from fiducial.cameras.facts import StateValue
from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.frames.records import FrameRecord
from fiducial.selection.exposures import Exposure, gather
from fiducial.selection.limits import ContentLimits, default_limits
from fiducial.selection.missing import no_frames, no_such_state, number_of
from fiducial.selection.model import Choice, KindPlan
from fiducial.selection.ramp_lamp import lamp_notes
from fiducial.selection.ramp_missing import too_few_levels
from fiducial.selection.ramp_needs import RAMPS, PairingRule, ramp_settings
from fiducial.selection.ramp_survey import RampCandidate, RampSurvey, survey_ramps
from fiducial.selection.state import StateGroup, describe_state, differences, in_state


def plan_ramp(
    kind: str,
    records: Iterable[FrameRecord],
    camera: Camera,
    *,
    settings: SelectionDefaults | None = None,
    state: Mapping[str, StateValue] | None = None,
    physical_filter: str | None = None,
    night: int | None = None,
    limits: ContentLimits | None = None,
    pairing: PairingRule | None = None,
) -> KindPlan:
    """Plan which flats measure photon transfer or linearity.

    Parameters
    ----------
    kind
        One of `RAMPS`.
    records
        Frames of any type; flats (of the filter asked for) are offered, biases give the level without light
        where there is no overscan.
    camera
        The camera.
    settings
        How many first exposures of a series do not count, how many flats of one exposure time are wanted at
        most, and how many exposure times are needed; None: `ramp_settings`.
    state
        Camera state asked for; None: that with most exposure times.
    physical_filter
        None: the one with most exposure times.
    night
        Observing day, YYYYMMDD; None: that with most exposure times.
    limits
        Of the frames' content; None: the package's.
    pairing
        How flats are paired, where the kind needs pairs; None: by time.

    Returns
    -------
    KindPlan
        With every flat offered exactly once among its choices.

    Raises
    ------
    NothingToDo
        There are no flats, or of too few exposure times; the message says what there is and what is needed.
    UsageError
        A key of the state is not known.
    """
    needs = RAMPS[kind]
    settings = settings or ramp_settings(camera, kind)
    everything = [e for e in gather(records) if night in (None, e.night)]
    flats = [e for e in everything if e.facts.frame_type == "flat"]
    offered = [e for e in flats if physical_filter in (None, e.facts.filter)]
    if not offered:
        mine = frozenset(e.id for e in everything)
        raise no_frames("flat", everything, mine, night, physical_filter)
    rule = (pairing or PairingRule()) if needs.pairs else None
    found = survey_ramps(offered, everything, camera, settings, limits or default_limits(), rule)
    candidates = found.candidates
    if state:
        candidates = [c for c in candidates if in_state(c.group, state, camera)]
        if not candidates:
            raise no_such_state("flat", state, found.groups)
    best = min(candidates, key=lambda candidate: candidate.rank)
    if len(best.levels) < settings.minimum:
        raise too_few_levels(needs, best, found, settings)
    group_of = {e.id: group for group in found.groups for e in group.exposures}
    choices = tuple(_choice(e, group_of[e.id], best, found, camera) for e in offered)
    return KindPlan(
        kind=kind,
        filter=best.filter,
        night=best.night,
        state=best.group.state,
        generate=tuple(sorted(exposure.id for exposure in best.used)),
        verify=(),
        first=(),
        choices=choices,
        notes=(*_notes(best, found), *([] if needs.pairs else lamp_notes(best, limits or default_limits()))),
    )


def _choice(
    exposure: Exposure, group: StateGroup, best: RampCandidate, found: RampSurvey, camera: Camera
) -> Choice:
    """Say what a flat serves for; the first reason that holds decides."""
    if (finding := found.aside.get(exposure.id)) is not None:
        return Choice(
            exposure.id, finding.detector, "set_aside", finding.reason, finding.value, finding.limit
        )
    if group is not best.group:
        apart = differences(camera, best.group.facts, group.facts)
        asked = describe_state({key: theirs for key, (_, theirs) in apart.items()})
        return _plain(exposure, f"another camera state, ask with --state {asked}")
    if exposure.facts.filter != best.filter:
        return _plain(exposure, f"filter {exposure.facts.filter}, not {best.filter}")
    if exposure.night != best.night:
        return _plain(exposure, f"of another date, {exposure.night}")
    if (size := found.first.get(exposure.id)) is not None:
        return _plain(exposure, f"among the first of its series of {size}")
    if (reason := best.spare.get(exposure.id)) is not None:
        return _plain(exposure, reason)
    partner = best.partner.get(exposure.id)
    with_ = f", paired with {partner}" if partner is not None else ""
    return Choice(exposure.id, None, "generate", f"{exposure.facts.exposure_time:g} s{with_}")


def _plain(exposure: Exposure, reason: str) -> Choice:
    return Choice(exposure.id, None, "left_out", reason)


def _notes(best: RampCandidate, found: RampSurvey) -> tuple[str, ...]:
    """Tell what the ramp is, and what else there is."""
    times = [level[0].facts.exposure_time for level in best.levels]
    pairs = len(best.partner) // 2
    of_pairs = f", {number_of(pairs, 'pair')}" if best.partner else ""
    notes = [f"{number_of(len(times), 'exposure time')} from {times[0]:g} to {times[-1]:g} s{of_pairs}"]
    if best.partner and pairs < LEAST_LEVELS:
        notes.append(
            f"below {LEAST_LEVELS} pairs no gain is fitted: there are means and covariances of pairs only"
        )
    notes += [_other(other, found) for other in found.candidates if other is not best and other.levels]
    return tuple(notes)


def _other(other: RampCandidate, found: RampSurvey) -> str:
    where = f" with {describe_state(other.group.state)}" if len(found.groups) > 1 else ""
    return f"there are {len(other.levels)} in {other.filter} on {other.night}{where}, too"
