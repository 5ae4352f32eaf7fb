"""One section of the page: everything about one kind (and filter) of a production."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fiducial.reports.headline import Headline, detector_name, headline_of
from fiducial.reports.inputs import Inputs, inputs_of
from fiducial.reports.masters import MasterView, focal_plane_picture, master_view
from fiducial.reports.measurements import AmplifierLine, amplifier_lines, histogram, timelines
from fiducial.reports.model import HistoryStep, ReportData
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.previous import Comparison, comparison_of
from fiducial.reports.products import ProductsPart, part_of
from fiducial.reports.residuals import ContactSheet, ResidualView, contact_sheet, residual_view
from fiducial.reports.room import LARGEST_PAGE, Room, detectors_in_full, worst_detectors
from fiducial.reports.rows import Measurements
from fiducial.reports.summary import Summary
from fiducial.reports.words import kind_name

MOST_TABLES = 32  # detectors whose amplifiers are tabulated; the worst ones where there are more


@dataclass(frozen=True)
class DetectorView:
    """One detector, shown in full."""

    detector: int
    anchor: str
    name: str
    failed: frozenset[int]  # exposures with a failing test
    master: MasterView | None
    residuals: ResidualView | None
    exposures: ContactSheet | None
    timelines: tuple[Picture, ...]
    histogram: Picture | None
    comparison: Comparison | None
    product: object | None = None  # what the section's template shows instead of all these


@dataclass(frozen=True)
class AmplifierTable:
    """The amplifiers of one detector, in numbers."""

    detector: str
    unit: str  # of the master
    level_unit: str  # of the mean residual
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
    template: str  # of products that are no images; empty for masters
    summary: Summary | None
    commands: tuple[str, ...]
    history: tuple[HistoryStep, ...]
    versions: tuple[tuple[str, str], ...]


def sections_of(reports: Sequence[ReportData]) -> list[Section]:
    """Make the sections of a page; they share its room, and residual images take what is left."""
    room = Room.of(reports)
    album = Album()
    sections = [_section(data, f"s{i}", room, album) for i, data in enumerate(reports, start=1)]
    residuals = sum(d.residuals is not None for section in sections for d in section.detectors)
    for_each = (LARGEST_PAGE - album.characters) // max(residuals, 1)
    return [_with_exposures(section, for_each) for section in sections]


def _section(data: ReportData, number: str, room: Room, album: Album) -> Section:
    results = Measurements.of(data.results)
    part = part_of(data)
    anchor = f"{number}-{re.sub(r'[^a-z0-9]+', '-', data.label.lower()).strip('-')}"
    shown = worst_detectors(data, results, detectors_in_full(data, room))
    tabulated = worst_detectors(data, results, MOST_TABLES) if part is None else ()
    known = data.detectors
    return Section(
        anchor=anchor,
        label=kind_name(data.label),
        data=data,
        headline=headline_of(
            data, results, part.findings() if part else (), part.tests(results) if part else None
        ),
        inputs=inputs_of(data, results),
        focal_plane=focal_plane_picture(data, room, album),
        detectors=tuple(
            _detector(data, detector, results, anchor, room, album)
            if part is None
            else _product(data, detector, results, anchor, part, album)
            for detector in shown
        ),
        detectors_not_shown=len(known) - len(shown),
        tables=tuple(_table(data, detector, results) for detector in tabulated),
        tables_not_shown=len(known) - len(tabulated) if part is None else 0,
        template=part.template if part else "",
        summary=part.summary() if part and len(known) > 1 else None,
        commands=tuple(data.commands),
        history=tuple(data.history),
        versions=tuple(data.versions.items()),
    )


def _detector(
    data: ReportData, detector: int, results: Measurements, anchor: str, room: Room, album: Album
) -> DetectorView:
    here = results.where(detector=detector)
    failing = here.where(here["counts"] & (here["outcome"] == "fail"))["exposure"]
    has_residuals = detector in data.residuals and len(data.residuals[detector].exposures) > 0
    return DetectorView(
        detector=detector,
        anchor=f"{anchor}-d{detector}",
        name=detector_name(data, detector),
        failed=frozenset(np.unique(failing).tolist()),
        master=master_view(data, detector, room, album) if detector in data.masters else None,
        residuals=residual_view(data, detector, room, album) if has_residuals else None,
        exposures=None,
        timelines=timelines(data, detector, here, album),
        histogram=histogram(data, detector, album) if has_residuals else None,
        comparison=comparison_of(data, detector, room, album),
    )


def _product(
    data: ReportData, detector: int, results: Measurements, anchor: str, part: ProductsPart, album: Album
) -> DetectorView:
    """A detector of which there is no image."""
    return DetectorView(
        detector=detector,
        anchor=f"{anchor}-d{detector}",
        name=detector_name(data, detector),
        failed=frozenset(),
        master=None,
        residuals=None,
        exposures=None,
        timelines=(),
        histogram=None,
        comparison=None,
        product=part.view(detector, results, album),
    )


def _with_exposures(section: Section, room: int) -> Section:
    """The section with the residual image of every exposure, as far as there is room for them."""
    detectors = tuple(
        replace(view, exposures=contact_sheet(section.data.residuals[view.detector], view.failed, room))
        if view.residuals
        else view
        for view in section.detectors
    )
    return replace(section, detectors=detectors)


def _table(data: ReportData, detector: int, results: Measurements) -> AmplifierTable:
    master = data.masters.get(detector)
    levels = results.where(test="level", detector=detector)["unit"]
    return AmplifierTable(
        detector=detector_name(data, detector),
        unit=master.unit if master else "",
        level_unit=str(levels[0]) if len(levels) else "",
        lines=amplifier_lines(data, detector, results),
    )
