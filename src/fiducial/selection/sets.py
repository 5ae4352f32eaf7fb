"""Sets of exposures that were taken one after another, and their first ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.frames.records import FrameRecord
from fiducial.selection.exposures import Exposure, gather
from fiducial.selection.limits import ContentLimits, default_limits
from fiducial.selection.model import BASE_KINDS
from fiducial.selection.state import group_states

SAME_TIME = 0.01  # relative: shutters that report the time that they took differ by less
FEWEST = 3  # flats of one exposure time that make a set of their own


@dataclass(frozen=True, eq=False)
class FrameSet:
    """Exposures of one type, camera state and filter, taken one after another.

    ``exposure_time`` is that of the set, s; None where it holds several.
    """

    exposures: tuple[Exposure, ...]
    exposure_time: float | None

    @property
    def night(self) -> int:
        """The observing day, YYYYMMDD."""
        return self.exposures[0].night

    @property
    def filter(self) -> str:
        """The filter of the first exposure: for flats, of all of them."""
        return self.exposures[0].facts.filter

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The exposures' ids, in the order in which they were taken."""
        return tuple(exposure.id for exposure in self.exposures)

    def first(self, count: int) -> tuple[int, ...]:
        """Return the ids of the first exposures."""
        return self.ids[:count]


def find_sets(exposures: Sequence[Exposure], limits: ContentLimits) -> list[FrameSet]:
    """Divide exposures of one type and camera state into sets.

    A set ends with the night, or where no exposure of the type was made for longer than ``limits.idle`` (a
    camera that idles gathers signal that its next exposure shows). Exposures of another type in between do
    not end it. The flats of a set are of one filter and one exposure time; what is left of a series after
    that, times that come up less than three times, makes one set of several times: the flats of a twilight,
    or a stray one.

    Parameters
    ----------
    exposures
        In the order in which they were taken.
    limits
        For ``idle``.

    Returns
    -------
    list of FrameSet
        In the order of their first exposures.
    """
    by_filter: dict[str, list[Exposure]] = {}
    for exposure in exposures:
        flat = exposure.facts.frame_type == "flat"
        by_filter.setdefault(exposure.facts.filter if flat else "", []).append(exposure)
    sets = [
        part
        for members in by_filter.values()
        for series in series_of(members, limits.idle.high)
        for part in _by_time(series)
    ]
    return sorted(sets, key=lambda one: one.exposures[0].order)


def first_exposures(
    records: Iterable[FrameRecord],
    camera: Camera,
    *,
    settings: SelectionDefaults | None = None,
    limits: ContentLimits | None = None,
) -> set[int]:
    """Return the ids of the first exposures of each set of biases, darks and flats.

    Parameters
    ----------
    records
        Whole nights: a set that is only partly there has another first exposure.
    camera
        Its defaults say for each kind how many of a set are first ones.
    settings
        Instead of the camera's, for all types.
    limits
        Instead of the package's.
    """
    limits = limits or default_limits()
    exposures = gather(records)
    found: set[int] = set()
    for kind in BASE_KINDS:
        members = [exposure for exposure in exposures if exposure.facts.frame_type == kind]
        skip = (settings or camera.defaults.selection_of(kind)).skip_first
        for group in group_states(members, camera):
            for one in find_sets(group.exposures, limits):
                found.update(one.first(skip))
    return found


def same_time(a: float, b: float) -> bool:
    """Whether two exposure times are the same but for what a shutter may add."""
    return abs(a - b) <= SAME_TIME * max(abs(a), abs(b))


def series_of(exposures: Sequence[Exposure], idle: float) -> list[list[Exposure]]:
    """Split exposures of one type, camera state and filter where the night ends or the camera idled."""
    series: list[list[Exposure]] = []
    for exposure in exposures:
        if series:
            last = series[-1][-1]
            waited = (exposure.facts.begin - last.facts.end).total_seconds()
            if exposure.night == last.night and waited <= idle:
                series[-1].append(exposure)
                continue
        series.append([exposure])
    return series


def _by_time(series: list[Exposure]) -> list[FrameSet]:
    """Make sets of one exposure time of a series of flats, and one of what is left."""
    if series[0].facts.frame_type != "flat":
        return [FrameSet(tuple(series), _common_time(series))]
    times: list[list[Exposure]] = []
    for exposure in sorted(series, key=lambda e: e.facts.exposure_time):
        if times and same_time(times[-1][0].facts.exposure_time, exposure.facts.exposure_time):
            times[-1].append(exposure)
        else:
            times.append([exposure])
    own = [members for members in times if len(members) >= FEWEST]
    strays = [exposure for members in times if len(members) < FEWEST for exposure in members]
    parts = [*own, strays] if strays else own
    ordered = [sorted(part, key=lambda exposure: exposure.order) for part in parts]
    return [FrameSet(tuple(part), _common_time(part)) for part in ordered]


def _common_time(exposures: Sequence[Exposure]) -> float | None:
    first = exposures[0].facts.exposure_time
    return first if all(same_time(first, e.facts.exposure_time) for e in exposures) else None
