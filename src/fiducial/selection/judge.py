"""Frames that do not look like their type, or are unlike their set: each with the number that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fiducial.cameras.model import Camera
from fiducial.selection.content import Content, Finding, content_of, nanmedian
from fiducial.selection.exposures import Exposure
from fiducial.selection.illumination import FlatJudgement, judge_flats, judge_strays
from fiducial.selection.levels import judge_levels
from fiducial.selection.limits import ContentLimits
from fiducial.selection.sets import FEWEST, FrameSet


@dataclass(frozen=True)
class Judgement:
    """What is known of the exposures of one camera state.

    Attributes
    ----------
    aside
        Exposure to what speaks against it: it is not what it says it is.
    unlike
        Exposure to its level, where that is not the one of the other flats of its set: nothing is wrong
        with it.
    level
        Signal of each set of flats, adu, median over the amplifiers.
    """

    aside: dict[int, Finding] = field(default_factory=dict)
    unlike: dict[int, Finding] = field(default_factory=dict)
    level: dict[FrameSet, float] = field(default_factory=dict)

    def note(self, findings: Iterable[Finding]) -> None:
        """Keep findings; the first one of an exposure stays."""
        for finding in findings:
            self.aside.setdefault(finding.exposure, finding)


def judge(
    sets: Sequence[FrameSet],
    skip_first: int,
    camera: Camera,
    limits: ContentLimits,
    biases: Sequence[Exposure] = (),
) -> Judgement:
    """Judge the exposures of one type and camera state by their content.

    An exposure is judged over all of its detectors: one of them is enough to set it aside.

    Parameters
    ----------
    sets
        All of one type, camera state and binning.
    skip_first
        How many of each set are first exposures.
    camera
        For the size of the amplifiers.
    limits
        What is allowed.
    biases
        Exposures of the bias type, for the level without light where there is no overscan.
    """
    judgement = Judgement()
    if sets and sets[0].exposures[0].facts.frame_type == "flat":
        _judge_flats(sets, skip_first, camera, limits, biases, judgement)
        return judgement
    for one in sets:
        reference, of_one_set = _reference(one, sets, skip_first)
        others = [exposure for exposure in reference if exposure.id not in one.ids]
        content = content_of([*one.exposures, *others], camera, of_night(biases, one.night))
        if content.units:
            compared = content.rows(exposure.id for exposure in reference)
            first = content.rows(one.first(skip_first))
            found = judge_levels(content, compared, first, limits, of_one_set=of_one_set)
            judgement.note(finding for finding in found if finding.exposure in one.ids)
    return judgement


def _judge_flats(
    sets: Sequence[FrameSet],
    skip_first: int,
    camera: Camera,
    limits: ContentLimits,
    biases: Sequence[Exposure],
    judgement: Judgement,
) -> None:
    standing: list[tuple[FrameSet, Content, FlatJudgement]] = []
    for one in sorted(sets, key=lambda one: _stray(one)):
        content = content_of(one.exposures, camera, of_night(biases, one.night))
        if not content.units:
            continue
        first = content.rows(one.first(skip_first))
        result = judge_flats(content, first, limits, one_time=one.exposure_time is not None)
        judgement.note(result.aside)
        # Strays come last, when the sets they were taken with are known.
        if _stray(one) and (near := _taken_with(one, standing)) is not None:
            with_, known, found = near
            judgement.note(
                judge_strays(content, known, found.reference, with_.exposure_time or np.nan, limits)
            )
        for finding in result.unlike:
            judgement.unlike.setdefault(finding.exposure, finding)
        if np.isfinite(result.reference).any():
            judgement.level[one] = float(nanmedian(result.reference[None, :], axis=1)[0])
            if not _stray(one):
                standing.append((one, content, result))


def _stray(one: FrameSet) -> bool:
    return one.exposure_time is None or len(one.exposures) < FEWEST


def _taken_with(
    stray: FrameSet, standing: Sequence[tuple[FrameSet, Content, FlatJudgement]]
) -> tuple[FrameSet, Content, FlatJudgement] | None:
    """Return the set of the night and filter that is nearest in time, if a few strays stand beside many.

    In a twilight, where exposure times follow a sky that changes, most are strays: then nothing follows.
    """
    begin = stray.exposures[0].facts.begin
    near = [
        other
        for other in standing
        if (other[0].night, other[0].filter) == (stray.night, stray.filter)
        and 2 * len(stray.exposures) <= len(other[0].exposures)
    ]
    return min(near, key=lambda other: abs(other[0].exposures[0].facts.begin - begin), default=None)


def _reference(one: FrameSet, sets: Sequence[FrameSet], skip_first: int) -> tuple[Sequence[Exposure], bool]:
    """Return what a set is compared with, and whether that is the set itself.

    The set without its first exposures; if those are too few, all such frames of the night; if these are
    too few, too, all frames of the night.
    """
    own = one.exposures[skip_first:]
    if len(own) >= FEWEST:
        return own, True
    night = [other for other in sets if other.night == one.night]
    pooled = [exposure for other in night for exposure in other.exposures[skip_first:]]
    if len(pooled) < FEWEST:
        pooled = [exposure for other in night for exposure in other.exposures]
    return pooled, len(night) == 1


def of_night(exposures: Sequence[Exposure], night: int) -> Sequence[Exposure]:
    """Return the exposures of the night; all of them if there are none."""
    return [exposure for exposure in exposures if exposure.night == night] or exposures
