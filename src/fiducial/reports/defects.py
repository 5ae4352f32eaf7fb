"""Defects in the page: where they are and why, how many, and what changed since the set before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from fiducial.figures.defect_map import Layer, draw_defect_map
from fiducial.products.boxes import Boxes, boxes_of
from fiducial.products.defects import DefectSet
from fiducial.products.defects_comparison import compare_defects
from fiducial.reports.defects_tables import (
    AmplifierDefects,
    Blob,
    SourceMaster,
    amplifier_lines,
    before_of,
    blobs_of,
    judge_totals,
    limits_of,
    rows_of,
    sources_of,
)
from fiducial.reports.headline import JudgedTest, detector_name
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import NOTHING, count, percent, plural
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.rows import Measurements
from fiducial.reports.summary import Summary
from fiducial.verify.defects import DefectRow, DefectTotals

GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (  # later ones are painted above earlier ones
    ("unlit (not masked)", "#d9d2c5", ("unlit",)),
    ("dust (not masked)", "#c9b458", ("dust",)),
    ("no data, dead, edges", "#8a8f98", ("no_data", "dead_amplifier", "edge", "midline")),
    ("bias", "#cc79a7", ("bias",)),
    ("hot", "#d55e00", ("hot",)),
    ("cold", "#0072b2", ("cold",)),
    ("bright", "#e69f00", ("bright",)),
    ("columns", "#009e73", ("column", "intermittent", "saturated_column")),
    ("blobs", "#56b4e9", ("blob",)),
    ("vampires", "#7b3fa0", ("vampire",)),
)
OTHERS = ("manual and others", "#4a4a4a")
STAYED, APPEARED, WENT = "#b8bec8", "#d55e00", "#0072b2"
MOST_BLOBS = 40


@dataclass(frozen=True)
class DefectsView:
    """The defects of one detector."""

    tests: tuple[JudgedTest, ...]
    image: Picture
    changes: Picture | None
    reasons: tuple[str, ...]
    lines: tuple[AmplifierDefects, ...]
    compared: bool  # whether there is a set before
    blobs: tuple[Blob, ...]
    blobs_not_shown: int
    sources: tuple[SourceMaster, ...]
    limits: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    manual: str


@dataclass(frozen=True)
class DefectsPart:
    """The defects of all detectors of a section."""

    data: ReportData
    template: str = "defects.html.j2"

    @cached_property
    def sets(self) -> dict[int, DefectSet]:
        """By detector."""
        return {detector: cast("DefectSet", one) for detector, one in sorted(self.data.products.items())}

    @cached_property
    def rows(self) -> dict[int, list[DefectRow]]:
        """Counts of each amplifier and reason, by detector."""
        return rows_of(self.data, self.sets)

    @cached_property
    def totals(self) -> dict[int, DefectTotals]:
        """By detector."""
        return {detector: DefectTotals.of(rows) for detector, rows in self.rows.items()}

    def findings(self) -> tuple[str, ...]:
        """What all sets together say."""
        totals = self.totals.values()
        pixels, now = sum(one.pixels for one in totals), sum(one.now for one in totals)
        said = [
            f"{count(now)} of {count(pixels)} pixels masked on {plural(len(totals), 'detector')} "
            f"({percent(now / max(pixels, 1))}), dead amplifiers aside."
        ]
        if known := [one for one in totals if one.before >= 0]:
            said.append(
                f"Since the set before, {count(sum(one.appeared for one in known))} appeared and "
                f"{count(sum(one.went for one in known))} of {count(sum(one.before for one in known))} went."
            )
        else:
            said.append("There is no set before to compare with.")
        dead = [f"{detector_name(self.data, d)} / {n}" for d, one in self.totals.items() for n in one.dead]
        return (*said, f"Dead amplifiers: {', '.join(dead)}.") if dead else tuple(said)

    def summary(self) -> Summary:
        """A line a detector."""
        rows = []
        for detector, one in self.totals.items():
            changed = (count(one.appeared), count(one.went)) if one.before >= 0 else (NOTHING, NOTHING)
            share = percent(one.now / one.pixels) if one.pixels else NOTHING
            dead = ", ".join(one.dead) or "none"
            rows.append((detector_name(self.data, detector), count(one.now), share, *changed, dead))
        return Summary(("masked pixels", "of all", "appeared", "went", "dead amplifiers"), tuple(rows))

    def tests(self, results: Measurements) -> tuple[JudgedTest, ...]:
        """What the verdict looked at, of all detectors."""
        tests = [test for d, one in self.totals.items() for test in judge_totals(self.data, d, one)]
        order = {"fail": 0, "warn": 1}
        return tuple(sorted(tests, key=lambda t: (order.get(t.outcome, 2), -np.nan_to_num(t.share))))

    def view(self, detector: int, results: Measurements, album: Album) -> DefectsView:
        """Show one detector."""
        data, product, rows = self.data, self.sets[detector], self.rows[detector]
        blobs = blobs_of(product)
        reasons = tuple(dict.fromkeys(row.reason for row in rows if row.reason != "any"))
        return DefectsView(
            tests=judge_totals(data, detector, self.totals[detector]),
            image=_map(data, product, album),
            changes=_changes(data, product, album),
            reasons=reasons,
            lines=amplifier_lines(rows, reasons),
            compared=any(row.before >= 0 for row in rows),
            blobs=blobs[:MOST_BLOBS],
            blobs_not_shown=max(len(blobs) - MOST_BLOBS, 0),
            sources=sources_of(product),
            limits=limits_of(product),
            notes=tuple(str(v) for k, v in product.metadata.items() if k.startswith("FID NOTE ")),
            manual=str(product.metadata.get("FID MANUAL FILE", "")),
        )


def _map(data: ReportData, product: DefectSet, album: Album) -> Picture:
    counts = product.counts()
    layers = []
    grouped = {name for _, _, names in GROUPS for name in names}
    rest = tuple(name for name in product.names() if name not in grouped)
    for label, colour, names in (*GROUPS, (*OTHERS, rest)):
        boxes = _boxes(product, names)
        pixels = sum(counts.get(name, 0) for name in names)
        layers.append(Layer(f"{label}: {count(pixels)}", colour, boxes))
    seen = ", ".join(f"{name} {count(n)}" for name, n in counts.items() if name != "any")
    what = f"Defects of detector {detector_name(data, product.detector)}"
    return album.picture(
        draw_defect_map(layers, product.shape, data.camera.amplifiers(product.detector)),
        title=f"{what} by reason",
        description=f"{count(counts['any'])} pixels are masked. Pixels by reason: {seen or 'none'}.",
        caption=f"{what}: pixels of each reason; one pixel may have several. Small defects are drawn larger "
        "than they are.",
    )


def _boxes(product: DefectSet, names: tuple[str, ...]) -> Boxes:
    chosen = np.array([reason in names for reason in product.reasons], dtype=bool)
    boxes: Boxes = product.boxes[chosen]
    return boxes


def _changes(data: ReportData, product: DefectSet, album: Album) -> Picture | None:
    before = before_of(data, product)
    if before is None:
        return None
    comparison = compare_defects(product, before)
    change = comparison.total
    layers = [
        Layer(f"masked now: {count(change.now)}", STAYED, boxes_of(product.mask())),
        Layer(f"appeared: {count(change.appeared)}", APPEARED, boxes_of(comparison.pixels_appeared)),
        Layer(f"went: {count(change.went)}", WENT, boxes_of(comparison.pixels_went)),
    ]
    what = f"Defects of detector {detector_name(data, product.detector)}"
    seen = "; ".join(
        f"{c.reason}: {count(c.before)} before, {count(c.now)} now, {count(c.appeared)} appeared, "
        f"{count(c.went)} went"
        for c in comparison.changes
    )
    return album.picture(
        draw_defect_map(layers, product.shape, data.camera.amplifiers(product.detector)),
        title=f"{what}: what changed since the certified set",
        description=f"{seen}.",
        caption=f"{what} against the set certified before: what is masked now, what appeared, what went. A "
        "pixel that is masked for another reason than before is no change here; the table has it.",
    )
