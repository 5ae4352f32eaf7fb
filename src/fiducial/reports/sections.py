"""One section of the page: everything about one kind (and filter) of a production."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fiducial.reports.headline import Headline, detector_name, headline_of
from fiducial.reports.inputs import Inputs, inputs_of
from fiducial.reports.masters import MasterView, focal_plane_picture, master_view
from fiducial.reports.measurements import AmplifierLine, amplifier_lines, histogram, timelines
from fiducial.reports.model import HistoryStep, ReportData
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.previous import Comparison, comparison_of
from fiducial.reports.residuals import ResidualView, residual_view
from fiducial.reports.room import LARGEST_PAGE, Room, detectors_shown
from fiducial.reports.rows import Measurements

MOST_TABLES = 32  # detectors whose amplifiers are tabulated; the worst ones where there are more


@dataclass(frozen=True)
class DetectorView:
    """One detector, shown in full."""

    anchor: str
    name: str
    master: MasterView | None
    residuals: ResidualView | None
    timelines: tuple[Picture, ...]
    histogram: Picture | None
    comparison: Comparison | None


@dataclass(frozen=True)
class AmplifierTable:
    """The amplifiers of one detector, in numbers."""

    detector: str
    unit: str
    lines: tuple[AmplifierLine, ...]


@dataclass(frozen=True)
class Section:
    """One kind of a production, ready for the template."""

    anchor: str
    label: str
    data: ReportData
    headline: Headline
    inputs: Inputs
    focal_plane: Picture | None
    detectors: tuple[DetectorView, ...]
    detectors_not_shown: int
    tables: tuple[AmplifierTable, ...]
    tables_not_shown: int
    commands: tuple[str, ...]
    history: tuple[HistoryStep, ...]
    versions: tuple[tuple[str, str], ...]


def sections_of(reports: Sequence[ReportData]) -> list[Section]:
    """Make the sections of a page; they share its room."""
    room = Room.of(reports)
    album = Album()
    return [_section(data, f"s{index}", room, album) for index, data in enumerate(reports, start=1)]


def _section(data: ReportData, number: str, room: Room, album: Album) -> Section:
    results = Measurements.of(data.results)
    anchor = f"{number}-{re.sub(r'[^a-z0-9]+', '-', data.label.lower()).strip('-')}"
    shown = detectors_shown(data, results, room)
    tabulated = detectors_shown(data, results, Room(MOST_TABLES, 0, 0, 1))
    known = set(data.masters) | set(data.residuals)
    section_room = (LARGEST_PAGE - room.sections * 2_500_000) // max(room.sections * len(shown), 1)
    return Section(
        anchor=anchor,
        label=data.label,
        data=data,
        headline=headline_of(data, results),
        inputs=inputs_of(data, results),
        focal_plane=focal_plane_picture(data, room, album),
        detectors=tuple(
            _detector(data, detector, results, anchor, room, album, section_room) for detector in shown
        ),
        detectors_not_shown=len(known) - len(shown),
        tables=tuple(_table(data, detector, results) for detector in tabulated),
        tables_not_shown=len(known) - len(tabulated),
        commands=tuple(data.commands),
        history=tuple(data.history),
        versions=tuple(data.versions.items()),
    )


def _detector(
    data: ReportData,
    detector: int,
    results: Measurements,
    anchor: str,
    room: Room,
    album: Album,
    residual_room: int,
) -> DetectorView:
    here = results.where(detector=detector)
    failing = here.where(here["counts"] & (here["outcome"] == "fail"))["exposure"]
    failed = frozenset(np.unique(failing).tolist())
    has_residuals = detector in data.residuals and len(data.residuals[detector].exposures) > 0
    return DetectorView(
        anchor=f"{anchor}-d{detector}",
        name=detector_name(data, detector),
        master=master_view(data, detector, room, album) if detector in data.masters else None,
        residuals=residual_view(data, detector, album, residual_room, failed) if has_residuals else None,
        timelines=timelines(data, detector, here, album),
        histogram=histogram(data, detector, album) if has_residuals else None,
        comparison=comparison_of(data, detector, room, album),
    )


def _table(data: ReportData, detector: int, results: Measurements) -> AmplifierTable:
    master = data.masters.get(detector)
    return AmplifierTable(
        detector=detector_name(data, detector),
        unit=master.unit if master else "",
        lines=amplifier_lines(data, detector, results),
    )
