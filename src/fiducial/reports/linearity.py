"""The linearizer in the page: corrections, what is left of the levels, and the levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from fiducial.figures.amplifier_values import AmplifierValues, draw_amplifier_values
from fiducial.figures.linearity import PARTS, draw_linearity
from fiducial.figures.linearity_sheet import draw_linearity_sheet
from fiducial.products.linearizer import AmplifierLinearity, Linearizer
from fiducial.products.metadata import read_aside
from fiducial.reports.headline import JudgedTest, detector_name
from fiducial.reports.linearity_tables import (
    PERCENT,
    Deviation,
    LevelLine,
    LinearityLine,
    deviations,
    level_lines,
    linearity_lines,
)
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import NOTHING, number, plural
from fiducial.reports.pictures import Album, Picture
from fiducial.reports.rows import Measurements
from fiducial.reports.spans import middle, named, span
from fiducial.reports.summary import (
    Summary,
    failed_of,
    judged_tests,
    outcomes_of,
    settings_of,
    tests_of,
)

ALL_IN_FULL = 4  # amplifiers of a detector that are all shown in full; of more, the worst
WORST = 3


@dataclass(frozen=True)
class LinearityView:
    """The linearizer of one detector."""

    unit: str
    abscissa: str
    undetermined: tuple[tuple[str, str], ...]  # amplifier and reason
    overview: Picture | None
    lines: tuple[LinearityLine, ...]
    sheet: Picture | None
    in_full: tuple[Picture, ...]
    not_in_full: int
    levels: tuple[LevelLine, ...]
    aside: tuple[tuple[int, str], ...]
    settings: tuple[tuple[str, str], ...]
    tests: tuple[JudgedTest, ...]


@dataclass(frozen=True)
class LinearityPart:
    """The linearizers of all detectors of a section."""

    data: ReportData
    template: str = "linearizer.html.j2"

    @cached_property
    def linearizers(self) -> dict[int, Linearizer]:
        """By detector."""
        return {d: cast("Linearizer", one) for d, one in sorted(self.data.products.items())}

    @cached_property
    def deviations(self) -> dict[int, dict[str, Deviation]]:
        """By detector and amplifier."""
        return {detector: deviations(product) for detector, product in self.linearizers.items()}

    def findings(self) -> tuple[str, ...]:
        """What all linearizers together say."""
        every = [(detector, one) for detector, own in self.linearizers.items() for one in own.amplifiers]
        good = {(detector, one.name): one for detector, one in every if one.determined}
        said = [f"{len(good)} of {plural(len(every), 'amplifier')} determined."]
        if good:
            found = {key: self.deviations[key[0]][key[1]] for key in good}
            unit = next(iter(self.linearizers.values())).unit
            detector, name = max(found, key=lambda key: np.nan_to_num(found[key].residual))
            corrections = span([PERCENT * one.correction for one in found.values()], digits=3)
            left = number(PERCENT * found[detector, name].residual, 3)
            said.append(
                f"Corrections of up to {corrections} % of full well, made for signals up to "
                f"{span([one.maximum for one in good.values()])} {unit}. Largest residual of a level after "
                f"correction: {left} % of full well ({detector_name(self.data, detector)} / {name})."
            )
        lost = {
            f"{detector_name(self.data, detector)} / {one.name}": one.reason
            for detector, one in every
            if not one.determined
        }
        return (*said, f"Not determined: {named(lost)}.") if lost else tuple(said)

    def summary(self) -> Summary:
        """A line a detector."""
        rows = []
        for detector, product in self.linearizers.items():
            good = [one for one in product.amplifiers if one.determined]
            found = [self.deviations[detector][one.name] for one in good]
            rows.append(
                (
                    detector_name(self.data, detector),
                    f"{len(good)} of {len(product.amplifiers)}",
                    number(max((PERCENT * one.residual for one in found), default=None), 3),
                    number(max((PERCENT * one.correction for one in found), default=None), 3),
                    str(len(product.exposures)),
                    str(sum(int(one.outlier.sum()) for one in product.amplifiers)),
                )
            )
        return Summary(_HEADERS, tuple(rows))

    def tests(self, results: Measurements) -> tuple[JudgedTest, ...]:
        """Those with a limit."""
        return judged_tests(self.data, results)

    def view(self, detector: int, results: Measurements, album: Album) -> LinearityView:
        """Show one detector."""
        data, product, found = self.data, self.linearizers[detector], self.deviations[detector]
        every, outcomes = product.amplifiers, outcomes_of(data, detector, results)
        failed = failed_of(outcomes)
        what = f"Linearity of detector {detector_name(data, detector)}"
        several = len(every) > ALL_IN_FULL
        chosen = _worst(every, found, failed) if several else [one for one in every if _says_anything(one)]
        return LinearityView(
            unit=product.unit,
            abscissa=product.abscissa.replace("_", " "),
            undetermined=tuple((one.name, one.reason) for one in every if not one.determined),
            overview=_overview(every, found, failed, what, album) if every else None,
            lines=linearity_lines(product, found, outcomes),
            sheet=_sheet(product, found, failed, what, album) if several else None,
            in_full=tuple(_in_full(product, one, found[one.name], what, album) for one in chosen),
            not_in_full=len(every) - len(chosen) if several else 0,
            levels=level_lines(product),
            aside=tuple((note.exposure, note.reason) for note in read_aside(product.metadata)),
            settings=settings_of(product.metadata, "FID LINEARITY "),
            tests=tests_of(data, detector, results),
        )


_HEADERS = (
    "determined",
    "largest residual (% of full well)",
    "largest correction (% of full well)",
    "levels",
    "rejected",
)


def _worst(
    every: Sequence[AmplifierLinearity], found: dict[str, Deviation], failed: frozenset[str]
) -> list[AmplifierLinearity]:
    def badness(one: AmplifierLinearity) -> tuple[bool, float]:
        return one.name not in failed, -float(np.nan_to_num(found[one.name].residual))

    return sorted((one for one in every if one.determined), key=badness)[:WORST]


def _says_anything(one: AmplifierLinearity) -> bool:
    """Whether there is a level to be seen."""
    return one.determined or bool(np.any(one.signal > 0) and np.any(np.isfinite(one.residual)))


def _overview(
    every: Sequence[AmplifierLinearity],
    found: dict[str, Deviation],
    failed: frozenset[str],
    what: str,
    album: Album,
) -> Picture:
    nothing = np.full(len(every), np.nan)
    panels = (
        AmplifierValues("residual", "% of full well", _each(PERCENT, found, "residual"), nothing),
        AmplifierValues("correction", "% of full well", _each(PERCENT, found, "correction"), nothing),
        AmplifierValues(
            "error of the light", "10⁻⁴", np.array([PARTS * one.stability for one in every]), nothing
        ),
        AmplifierValues("χ²/ν", "", _each(1.0, found, "chi2"), nothing),
    )
    missing = frozenset(one.name for one in every if not one.determined)
    seen = "; ".join(
        f"{panel.quantity} {span(panel.value.tolist(), digits=3)} {panel.unit}, "
        f"median {middle(panel.value.tolist(), 3)}"
        for panel in panels
    )
    return album.picture(
        draw_amplifier_values([one.name for one in every], panels, missing=missing, failed=failed),
        title=f"{what}: residual, correction, stability of the light and fit of each amplifier",
        description=f"{seen}. Not determined: {', '.join(sorted(missing)) or 'none'}. "
        f"Failing: {', '.join(sorted(failed)) or 'none'}.",
        caption="Residual: the largest of the levels that were used. Correction: the largest one. "
        "Full well: the largest signal that the correction was made for. Error of the light: its scatter "
        "about the abscissa, of one level. Dashed: the median. A value far from all others stands on the "
        "edge, with its number.",
    )


def _each(scale: float, found: dict[str, Deviation], name: str) -> np.ndarray:
    return np.array([scale * getattr(one, name) for one in found.values()], np.float64)


def _sheet(
    product: Linearizer, found: dict[str, Deviation], failed: frozenset[str], what: str, album: Album
) -> Picture:
    seen = ", ".join(f"{name} {number(PERCENT * one.residual, 3)}" for name, one in found.items())
    return album.picture(
        draw_linearity_sheet(product, failed=failed),
        title=f"{what}: the corrections of all amplifiers",
        description="The correction of each amplifier with its error, above the residuals of its levels. "
        f"Largest residual in percent of full well: {seen}.",
        caption="Above: what is added to the signal, with its error. Below: how far each level is from "
        "proportional after correction (band: the scatter of the light); points beyond the axes stand on "
        "their edge. All amplifiers have the same axes.",
    )


def _in_full(
    product: Linearizer, one: AmplifierLinearity, deviation: Deviation, what: str, album: Album
) -> Picture:
    seen = (
        f"Correction of up to {number(PERCENT * deviation.correction, 3)} % of full well, largest residual "
        f"{number(PERCENT * deviation.residual, 3)} % of full well; {int(one.used.sum())} levels used, "
        f"{int(one.outlier.sum())} rejected."
        if one.determined
        else f"Not determined: {one.reason or NOTHING}."
    )
    return album.picture(
        draw_linearity(product, one.name),
        title=f"{what}, amplifier {one.name}",
        description=seen,
        caption=f"Amplifier {one.name}. {seen} Grey band: the scatter of the light. Points beyond the axes "
        "stand on their edge.",
    )
