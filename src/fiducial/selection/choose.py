"""Which frames of a night's sets make the product: one set over many, about as many as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fiducial.cameras.model import SelectionDefaults
from fiducial.selection.exposures import Exposure
from fiducial.selection.judge import Judgement
from fiducial.selection.limits import ContentLimits
from fiducial.selection.sets import FrameSet, same_time


def usable(one: FrameSet, judgement: Judgement, skip_first: int) -> list[Exposure]:
    """Return the exposures of a set that may make a product: neither first ones nor doubtful ones."""
    out = judgement.aside.keys() | judgement.unlike.keys()
    return [exposure for exposure in one.exposures[skip_first:] if exposure.id not in out]


def choose_sets(
    sets: Sequence[FrameSet],
    members: Mapping[FrameSet, Sequence[Exposure]],
    judgement: Judgement,
    settings: SelectionDefaults,
    limits: ContentLimits,
) -> list[FrameSet]:
    """Choose the sets of a night that make the product, the best one first.

    The best set is the one with most usable frames, up to as many as are wanted; then one of a single
    exposure time; then the first of the night. It stands alone if it has at least half of what is wanted:
    with half the frames the noise of the master is 1.4 times as large, still small beside that of one
    frame, while two sets may differ in more than noise. If it has less, further sets join, nearest in time
    first, until there are enough; flats only of the same exposure time and level.

    Parameters
    ----------
    sets
        Of one night, camera state and filter.
    members
        Usable exposures of each set.
    judgement
        For the levels of flats.
    settings
        For ``wanted``.
    limits
        For ``illumination``.
    """
    filled = [one for one in sets if members[one]]
    if not filled:
        return []
    best = min(
        filled,
        key=lambda one: (
            -min(len(members[one]), settings.wanted),
            one.exposure_time is None and _is_flat(one),
            one.exposures[0].order,
        ),
    )
    chosen, count = [best], len(members[best])
    if 2 * count >= settings.wanted:
        return chosen
    begin = best.exposures[0].facts.begin
    for one in sorted(filled, key=lambda one: abs(one.exposures[0].facts.begin - begin)):
        if one is not best and count < settings.wanted and _fits(one, best, judgement, limits):
            chosen.append(one)
            count += len(members[one])
    return chosen


def choose_frames(exposures: Sequence[Exposure], wanted: int) -> list[Exposure]:
    """Choose as many exposures as are wanted, in the order in which they were taken.

    Biases and flats: those that follow one another in the shortest time, so that the camera and the lamp
    had least time to drift; the others then show by how much they do. Darks of several times: evenly over
    the times, long ones first, since the rate needs the long ones and its separation from the level all.
    """
    ordered = sorted(exposures, key=lambda exposure: exposure.order)
    if len(ordered) <= wanted:
        return ordered
    if ordered[0].facts.frame_type == "dark":
        return _even(ordered, wanted)
    starts = range(len(ordered) - wanted + 1)
    best = min(starts, key=lambda i: ordered[i + wanted - 1].facts.end - ordered[i].facts.begin)
    return ordered[best : best + wanted]


def _fits(one: FrameSet, best: FrameSet, judgement: Judgement, limits: ContentLimits) -> bool:
    """Whether a set may join: flats of the same exposure time and level only."""
    if not _is_flat(one):
        return True
    if one.exposure_time is None or best.exposure_time is None:
        return False
    if one not in judgement.level or best not in judgement.level:
        return False
    ratio = judgement.level[one] / judgement.level[best]
    return same_time(one.exposure_time, best.exposure_time) and limits.illumination.broken(ratio) is None


def _even(exposures: Sequence[Exposure], wanted: int) -> list[Exposure]:
    """Take in turns from each exposure time, long ones first, in the order in which they were taken."""
    times: dict[float, list[Exposure]] = {}
    for exposure in exposures:
        times.setdefault(exposure.facts.dark_time, []).append(exposure)
    queues = [times[time] for time in sorted(times, reverse=True)]
    turns = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    return sorted(turns[:wanted], key=lambda exposure: exposure.order)


def _is_flat(one: FrameSet) -> bool:
    return one.exposures[0].facts.frame_type == "flat"
