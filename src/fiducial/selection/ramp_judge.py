"""Flats of a ramp that are not what they say they are; saturation is what a ramp looks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fiducial.cameras.model import Camera
from fiducial.selection.content import Content, Finding, content_of
from fiducial.selection.exposures import Exposure
from fiducial.selection.illumination import judge_flats
from fiducial.selection.limits import ContentLimits, Limit
from fiducial.selection.sets import same_time


def by_time(exposures: Sequence[Exposure]) -> list[list[Exposure]]:
    """Flats of each exposure time, short ones first, each in the order in which they were taken."""
    times: list[list[Exposure]] = []
    for exposure in sorted(exposures, key=lambda e: (e.facts.exposure_time, e.order)):
        if times and same_time(times[-1][0].facts.exposure_time, exposure.facts.exposure_time):
            times[-1].append(exposure)
        else:
            times.append([exposure])
    return [sorted(alike, key=lambda exposure: exposure.order) for alike in times]


def judge_ramp(
    exposures: Sequence[Exposure],
    first: frozenset[int],
    camera: Camera,
    limits: ContentLimits,
    biases: Sequence[Exposure],
) -> dict[int, Finding]:
    """Find what speaks against flats of a ramp, each exposure time by itself.

    As for the flats of a set (`judge_flats`), but that saturated amplifiers are passed over: a flat is set
    aside for them only if it has no other.

    Parameters
    ----------
    exposures
        Flats of one night, camera state and filter.
    first
        First exposures: only what cannot be a flat speaks against them.
    camera, limits
        What they are held against.
    biases
        For the level without light where there is no overscan.

    Returns
    -------
    dict
        Exposure to what speaks against it; the weightiest where several things do.
    """
    found: dict[int, Finding] = {}
    for alike in by_time(exposures):
        content = content_of(alike, camera, biases)
        if not content.units:
            continue
        for finding in _saturated(content, limits.ramp_saturated):
            found.setdefault(finding.exposure, finding)
        unsaturated = _unsaturated(content, limits.ramp_saturated)
        for finding in judge_flats(unsaturated, content.rows(first), limits, one_time=True).aside:
            found.setdefault(finding.exposure, finding)
    return found


def _saturated(content: Content, limit: Limit) -> Iterator[Finding]:
    for exposure, row in zip(content.exposures, content.saturated, strict=True):
        known = row[np.isfinite(row)]
        if known.size and (broken := limit.broken(least := float(known.min()))) is not None:
            yield Finding(
                exposure.id, None, f"all amplifiers are saturated, the least in {least:.0%}", least, broken
            )


def _unsaturated(content: Content, limit: Limit) -> Content:
    """The same without the amplifiers that are saturated: nothing is known of them."""
    known = np.nan_to_num(content.saturated) <= (limit.high or 0.0)
    return replace(
        content,
        level=np.where(known, content.level, np.nan),
        noise=np.where(known, content.noise, np.nan),
        saturated=np.zeros_like(content.saturated),
    )
