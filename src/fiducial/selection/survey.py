"""All frames of a type surveyed: their camera states, sets, first exposures, and what they could make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.selection.choose import choose_sets, usable
from fiducial.selection.content import Finding
from fiducial.selection.exposures import Exposure
from fiducial.selection.judge import judge
from fiducial.selection.limits import ContentLimits
from fiducial.selection.sets import FrameSet, find_sets
from fiducial.selection.state import BINNING, Signature, StateGroup, differences, group_states, signature


@dataclass(frozen=True, eq=False)
class Candidate:
    """What one night offers for one product: camera state, filter (flats), the sets that would make it.

    ``rank`` orders candidates, the best first: by the number of usable frames, up to what is wanted; then by
    how many frames of any type the night has in that state (calibrations serve them); then the newest night.
    """

    night: int
    group: StateGroup
    filter: str | None
    sets: tuple[FrameSet, ...]
    usable: tuple[Exposure, ...]
    rank: tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Survey:
    """The frames of one type, and what is known of them.

    Attributes
    ----------
    groups
        Camera states.
    sets
        Of all groups.
    candidates
        One for each night, camera state and filter.
    first
        First exposures of the sets.
    aside, unlike
        What speaks against exposures, as in `fiducial.selection.judge.Judgement`.
    mine
        Exposures that may generate; the others only verify.
    """

    groups: list[StateGroup]
    sets: list[FrameSet]
    candidates: list[Candidate]
    first: set[int]
    aside: dict[int, Finding]
    unlike: dict[int, Finding]
    mine: frozenset[int]

    @cached_property
    def group_of(self) -> dict[int, StateGroup]:
        """Exposure to its camera state."""
        return {exposure.id: group for group in self.groups for exposure in group.exposures}

    @cached_property
    def set_of(self) -> dict[int, FrameSet]:
        """Exposure to its set."""
        return {exposure.id: one for one in self.sets for exposure in one.exposures}


def survey(
    offered: Sequence[Exposure],
    everything: Sequence[Exposure],
    camera: Camera,
    settings: SelectionDefaults,
    limits: ContentLimits,
    mine: frozenset[int],
) -> Survey:
    """Find the camera states, sets and faults of frames of one type, and what could be made of them.

    Parameters
    ----------
    offered
        Of one type, in the order in which they were taken.
    everything
        Frames of all types, for the level without light and for which camera state was used most.
    camera, settings, limits
        What they are held against.
    mine
        Ids of the exposures that may generate.
    """
    groups = group_states(offered, camera)
    biases = [exposure for exposure in everything if exposure.facts.frame_type == "bias"]
    usage = _Usage(everything, camera)
    result = Survey(groups, [], [], set(), {}, {}, mine)
    for group in groups:
        sets = find_sets(group.exposures, limits)
        unlit = without_light(biases, group, camera)
        judgement = judge(sets, settings.skip_first, camera, limits, unlit)
        result.sets.extend(sets)
        result.aside.update(judgement.aside)
        result.unlike.update(judgement.unlike)
        for one in sets:
            result.first.update(one.first(settings.skip_first))
        for (night, physical_filter), those in _products(sets, mine).items():
            members = {
                one: [e for e in usable(one, judgement, settings.skip_first) if e.id in mine] for one in those
            }
            chosen = choose_sets(those, members, judgement, settings, limits)
            frames = tuple(exposure for one in chosen for exposure in members[one])
            rank = (
                -min(len(frames), settings.wanted),
                -usage.count(night, group),
                -night,
                group.exposures[0].order,
                physical_filter or "",
            )
            result.candidates.append(Candidate(night, group, physical_filter, tuple(chosen), frames, rank))
    return result


def _products(sets: Sequence[FrameSet], mine: frozenset[int]) -> dict[tuple[int, str | None], list[FrameSet]]:
    """Return what one product may be made from: night and filter (of flats) to the sets of both."""
    products: dict[tuple[int, str | None], list[FrameSet]] = {}
    for one in sets:
        if not mine.isdisjoint(one.ids):
            flat = one.exposures[0].facts.frame_type == "flat"
            products.setdefault((one.night, one.filter if flat else None), []).append(one)
    return products


def without_light(biases: Sequence[Exposure], group: StateGroup, camera: Camera) -> list[Exposure]:
    """Return the biases of a camera state; if it has none, all of the same binning."""
    apart = [differences(camera, group.facts, exposure.facts) for exposure in biases]
    same = [exposure for exposure, keys in zip(biases, apart, strict=True) if not keys]
    return same or [exposure for exposure, keys in zip(biases, apart, strict=True) if BINNING not in keys]


class _Usage:
    """How many exposures of any type each night has in a camera state."""

    def __init__(self, everything: Sequence[Exposure], camera: Camera) -> None:
        self._camera = camera
        self._nights: dict[int, dict[Signature, list[Exposure]]] = {}
        for exposure in everything:
            alike = self._nights.setdefault(exposure.night, {})
            alike.setdefault(signature(exposure.facts), []).append(exposure)

    def count(self, night: int, group: StateGroup) -> int:
        """Count them; an exposure whose state is not known counts for every state."""
        return sum(
            len(alike)
            for alike in self._nights.get(night, {}).values()
            if not differences(self._camera, group.facts, alike[0].facts)
        )
