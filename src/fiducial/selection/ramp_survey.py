"""All flats surveyed for ramps: camera states, nights and filters, and the exposure times that each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.selection.choose import choose_frames
from fiducial.selection.content import Finding
from fiducial.selection.exposures import Exposure
from fiducial.selection.judge import of_night
from fiducial.selection.limits import ContentLimits
from fiducial.selection.ramp_judge import by_time, judge_ramp
from fiducial.selection.ramp_needs import PairingRule
from fiducial.selection.sets import series_of
from fiducial.selection.state import StateGroup, group_states
from fiducial.selection.survey import without_light


@dataclass(frozen=True, eq=False)
class RampCandidate:
    """The flats of one night, camera state and filter, and what a ramp can use of them.

    ``levels`` are the flats that are used, of each exposure time, short ones first; ``spare`` those that
    could be used and are not, and why. ``rank`` orders candidates, the best first: by the number of
    exposure times, then of flats, then the newest night.
    """

    night: int
    group: StateGroup
    filter: str
    exposures: tuple[Exposure, ...]
    levels: tuple[tuple[Exposure, ...], ...]
    partner: dict[int, int]
    spare: dict[int, str]
    rank: tuple[object, ...]

    @property
    def used(self) -> tuple[Exposure, ...]:
        """The flats that are used, in the order in which they were taken."""
        flats = [exposure for level in self.levels for exposure in level]
        return tuple(sorted(flats, key=lambda exposure: exposure.order))


@dataclass(eq=False)
class RampSurvey:
    """Flats, and what is known of them: ``first`` tells how many its series has, of a first exposure."""

    groups: list[StateGroup]
    candidates: list[RampCandidate] = field(default_factory=list)
    aside: dict[int, Finding] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)


def survey_ramps(
    offered: Sequence[Exposure],
    everything: Sequence[Exposure],
    camera: Camera,
    settings: SelectionDefaults,
    limits: ContentLimits,
    pairing: PairingRule | None,
) -> RampSurvey:
    """Find the ramps that flats make up.

    Parameters
    ----------
    offered
        Flats, in the order in which they were taken.
    everything
        Frames of all types, for the level without light.
    camera, settings, limits
        What they are held against.
    pairing
        How flats are paired; None: each serves by itself.

    Notes
    -----
    A ramp's set is the whole series, whatever its exposure times: first exposures are those after the
    camera idled.
    """
    found = RampSurvey(group_states(offered, camera))
    biases = [exposure for exposure in everything if exposure.facts.frame_type == "bias"]
    for group in found.groups:
        unlit = without_light(biases, group, camera)
        alike: dict[tuple[int, str], list[Exposure]] = {}
        for exposure in group.exposures:
            alike.setdefault((exposure.night, exposure.facts.filter), []).append(exposure)
        for (night, physical_filter), members in alike.items():
            for series in series_of(members, limits.idle.high):
                size = len(series)
                found.first.update((exposure.id, size) for exposure in series[: settings.skip_first])
            first = frozenset(found.first)
            found.aside |= judge_ramp(members, first, camera, limits, of_night(unlit, night))
            usable = [e for e in members if e.id not in found.aside and e.id not in first]
            levels, partner, spare = _levels(usable, settings.wanted, pairing)
            rank = (
                -len(levels),
                -sum(map(len, levels)),
                -night,
                group.exposures[0].order,
                physical_filter,
            )
            found.candidates.append(
                RampCandidate(night, group, physical_filter, tuple(members), levels, partner, spare, rank)
            )
    return found


def _levels(
    usable: Sequence[Exposure], wanted: int, pairing: PairingRule | None
) -> tuple[tuple[tuple[Exposure, ...], ...], dict[int, int], dict[int, str]]:
    """Flats of each exposure time; each one's partner; and why others are not used."""
    spare: dict[int, str] = {}
    kept: list[Exposure] = []
    for alike in by_time(usable):
        time = alike[0].facts.exposure_time
        if not time > 0:
            spare.update((exposure.id, f"its exposure time is {time:g} s") for exposure in alike)
            continue
        chosen = choose_frames(alike, wanted)
        beyond = {exposure.id for exposure in alike} - {exposure.id for exposure in chosen}
        spare.update((number, f"beyond the {wanted} of {time:g} s that are wanted") for number in beyond)
        kept += chosen
    partner: dict[int, int] = {}
    if pairing is not None:
        paired = pairing.pair(kept)
        spare.update((one.exposure, f"no partner: {one.reason}") for one in paired.unpaired)
        for one, other in paired.pairs:
            partner |= {one.exposure: other.exposure, other.exposure: one.exposure}
        kept = [exposure for exposure in kept if exposure.id in partner]
    return tuple(tuple(alike) for alike in by_time(kept)), partner, spare
