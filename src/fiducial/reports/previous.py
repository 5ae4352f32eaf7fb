"""A master against the one that was certified before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.figures.comparison import draw_comparison
from fiducial.reports.headline import detector_name
from fiducial.reports.masters import usable_pixels
from fiducial.reports.model import Master, ReportData
from fiducial.reports.numbers import number
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.room import Room

NEAR_ZERO = 5.0  # a ratio is given where the master before is this many of its own sigma from zero


@dataclass(frozen=True)
class Change:
    """How one amplifier differs from the master before."""

    name: str
    difference: str
    scatter: str
    expected: str
    ratio: str


@dataclass(frozen=True)
class Comparison:
    """A master against the one before, in the page."""

    picture: Picture | None
    changes: tuple[Change, ...]
    unit: str
    where: str
    obstacle: str  # why there is nothing to compare


def comparison_of(data: ReportData, detector: int, room: Room, album: Album) -> Comparison | None:
    """Compare with the master before; None where there is none."""
    before = data.previous.get(detector)
    now = data.masters.get(detector)
    if before is None or now is None:
        return None
    if obstacle := _obstacle(now, before):
        return Comparison(None, (), now.unit, before.where, obstacle)
    usable = usable_pixels(now) & usable_pixels(before)
    with_ratio = bool(_ratio_means(before, usable))
    changes = tuple(_changes(data, detector, now, before, usable, with_ratio))
    what = f"Master {data.label} of detector {detector_name(data, detector)} against the one before"
    picture = album.picture(
        draw_comparison(
            now.planes.image,
            before.planes.image,
            data.camera.amplifiers(detector),
            unit=now.unit,
            usable=usable,
            with_ratio=with_ratio,
            largest=room.master // 2,
        ),
        title=what,
        description="Median differences: "
        + ", ".join(f"{change.name} {change.difference}" for change in changes)
        + f" {now.unit}.",
        caption="The new master less the one before"
        + (
            ", and divided by it."
            if with_ratio
            else ". No ratio: the master before is near zero, so that a ratio says nothing."
        ),
    )
    return Comparison(picture, changes, now.unit, before.where, "")


def _obstacle(now: Master, before: Master) -> str:
    if now.planes.image.shape != before.planes.image.shape:
        return (
            f"The master before has {before.planes.image.shape[1]} × {before.planes.image.shape[0]} "
            f"pixels, this one {now.planes.image.shape[1]} × {now.planes.image.shape[0]}."
        )
    if now.unit != before.unit:
        return f"The master before is in {before.unit or 'no unit'}, this one in {now.unit or 'no unit'}."
    return ""


def _ratio_means(before: Master, usable: NDArray[np.bool_]) -> bool:
    """Whether most of the pixels of the master before are well away from zero."""
    with np.errstate(invalid="ignore"):
        away = np.abs(before.planes.image) > NEAR_ZERO * np.sqrt(before.planes.variance)
    chosen = usable & np.isfinite(before.planes.image)
    return bool(chosen.any() and away[chosen].mean() > 0.5)


def _changes(
    data: ReportData,
    detector: int,
    now: Master,
    before: Master,
    usable: NDArray[np.bool_],
    with_ratio: bool,
) -> Iterator[Change]:
    for amplifier in data.camera.amplifiers(detector):
        part = amplifier.detector.slices
        keep = usable[part] & np.isfinite(now.planes.image[part]) & np.isfinite(before.planes.image[part])
        new, old = now.planes.image[part][keep], before.planes.image[part][keep]
        if not new.size:
            nothing = number(None)
            yield Change(amplifier.name, nothing, nothing, nothing, nothing)
            continue
        difference = (new - old).astype(float)
        low, middle, high = np.percentile(difference, (15.865, 50.0, 84.135))
        expected = np.sqrt(np.median(now.planes.variance[part][keep] + before.planes.variance[part][keep]))
        ratio = float(np.median(new) / np.median(old)) if with_ratio and np.median(old) else None
        yield Change(
            name=amplifier.name,
            difference=number(float(middle), 3),
            scatter=number(float(0.5 * (high - low)), 3),
            expected=number(float(expected), 3),
            ratio=number(ratio, 6),
        )
