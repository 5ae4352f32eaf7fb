"""Photon transfer in the page: curves, what follows of each amplifier, the pairs and what is in none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from fiducial.figures.amplifier_values import AmplifierValues, draw_amplifier_values
from fiducial.figures.ptc import draw_transfer
from fiducial.figures.ptc_sheet import draw_area_changes, draw_transfer_sheet, has_matrix
from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve
from fiducial.reports.headline import JudgedTest, detector_name
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
from fiducial.reports.transfer_tables import (
    MILLIONTHS,
    PairLine,
    TransferLine,
    pair_lines,
    per_freedom,
    transfer_lines,
)

ALL_IN_FULL = 4  # amplifiers of a detector that are all shown in full; of more, the worst
WORST = 3


@dataclass(frozen=True)
class TransferView:
    """Photon transfer of one detector."""

    settings: tuple[tuple[str, str], ...]
    undetermined: tuple[tuple[str, str], ...]  # amplifier and reason
    overview: Picture | None
    lines: tuple[TransferLine, ...]
    sheet: Picture | None
    matrices: Picture | None
    in_full: tuple[Picture, ...]
    not_in_full: int
    pairs: tuple[PairLine, ...]
    aside: tuple[tuple[int, str], ...]
    tests: tuple[JudgedTest, ...]


@dataclass(frozen=True)
class TransferPart:
    """Photon transfer of all detectors of a section."""

    data: ReportData
    template: str = "ptc.html.j2"

    @cached_property
    def curves(self) -> dict[int, PhotonTransferCurve]:
        """By detector."""
        return {d: cast("PhotonTransferCurve", one) for d, one in sorted(self.data.products.items())}

    def findings(self) -> tuple[str, ...]:
        """What all curves together say."""
        every = [(detector, one) for detector, curve in self.curves.items() for one in curve.amplifiers]
        good = [one.fit for _, one in every if one.fit.determined]
        pairs = _pairs_in_words(self.curves)
        said = [f"{len(good)} of {plural(len(every), 'amplifier')} determined from {pairs}."]
        if good:
            middle_gain = f" (median {middle([fit.gain for fit in good])})" if len(good) > 1 else ""
            found = [one.turnoff for _, one in every if one.turnoff_found]
            turnoff = f"turn-off {span(found)} adu" if found else "no turn-off reached"
            said.append(
                f"Gain {span([fit.gain for fit in good])} electron/adu{middle_gain}, "
                f"read noise {span([fit.noise for fit in good])} electron, "
                f"a₀₀ {span([MILLIONTHS * fit.a[0, 0] for fit in good], digits=3)} × 10⁻⁶ / electron, "
                f"{turnoff}, χ²/ν {span([per_freedom(fit.chi2, fit.freedom) for fit in good], digits=3)}."
            )
        lost = {
            f"{detector_name(self.data, detector)} / {one.name}": one.fit.reason
            for detector, one in every
            if not one.fit.determined
        }
        return (*said, f"Not determined: {named(lost)}.") if lost else tuple(said)

    def summary(self) -> Summary:
        """A line a detector."""
        rows = []
        for detector, curve in self.curves.items():
            good = [one for one in curve.amplifiers if one.fit.determined]
            rows.append(
                (
                    detector_name(self.data, detector),
                    f"{len(good)} of {len(curve.amplifiers)}",
                    span([one.fit.gain for one in good]),
                    span([one.fit.noise for one in good]),
                    span([one.turnoff for one in good if one.turnoff_found]),
                    str(len(curve.pairs)),
                    str(len(curve.aside)),
                )
            )
        return Summary(_HEADERS, tuple(rows))

    def tests(self, results: Measurements) -> tuple[JudgedTest, ...]:
        """Those with a limit."""
        return judged_tests(self.data, results)

    def view(self, detector: int, results: Measurements, album: Album) -> TransferView:
        """Show one detector."""
        data, product = self.data, self.curves[detector]
        every, outcomes = product.amplifiers, outcomes_of(data, detector, results)
        failed = failed_of(outcomes)
        what = f"Photon transfer of detector {detector_name(data, detector)}"
        several = len(every) > ALL_IN_FULL
        chosen = _worst(every, failed) if several else [one for one in every if _says_anything(one)]
        return TransferView(
            settings=settings_of(product.metadata, "FID PTC "),
            undetermined=tuple((one.name, one.fit.reason) for one in every if not one.fit.determined),
            overview=_overview(every, failed, what, album) if every else None,
            lines=transfer_lines(data, product, outcomes),
            sheet=_sheet(product, failed, what, album) if several else None,
            matrices=_matrices(product, what, album) if several else None,
            in_full=tuple(_in_full(product, one, what, album) for one in chosen),
            not_in_full=len(every) - len(chosen) if several else 0,
            pairs=pair_lines(product),
            aside=tuple((note.exposure, note.reason) for note in product.aside),
            tests=tests_of(data, detector, results),
        )


_HEADERS = (
    "determined",
    "gain (electron/adu)",
    "read noise (electron)",
    "turn-off (adu)",
    "pairs",
    "in none",
)


def _pairs_in_words(curves: dict[int, PhotonTransferCurve]) -> str:
    numbers = sorted({len(curve.pairs) for curve in curves.values()})
    if len(numbers) == 1:
        return f"{plural(numbers[0], 'pair')} of flats"
    return f"{numbers[0]} to {numbers[-1]} pairs of flats"


def _worst(every: Sequence[AmplifierTransfer], failed: frozenset[str]) -> list[AmplifierTransfer]:
    def badness(one: AmplifierTransfer) -> tuple[bool, float]:
        return one.name not in failed, -np.nan_to_num(per_freedom(one.fit.chi2, one.fit.freedom))

    return sorted((one for one in every if one.fit.determined), key=badness)[:WORST]


def _says_anything(one: AmplifierTransfer) -> bool:
    """Whether there is a point to be seen."""
    return one.fit.determined or bool(np.any(one.mean > 0))


def _overview(every: Sequence[AmplifierTransfer], failed: frozenset[str], what: str, album: Album) -> Picture:
    good = [one.fit.determined for one in every]

    def known(values: list[float]) -> np.ndarray:
        return np.where(good, values, np.nan)

    panels = (
        AmplifierValues(
            "gain",
            "electron/adu",
            known([one.fit.gain for one in every]),
            known([one.fit.gain_error for one in every]),
        ),
        AmplifierValues(
            "read noise",
            "electron",
            known([one.fit.noise for one in every]),
            known([one.fit.noise_error for one in every]),
        ),
        AmplifierValues(
            "a₀₀",
            "10⁻⁶ / electron",
            known([MILLIONTHS * one.fit.a[0, 0] for one in every]),
            known([MILLIONTHS * one.fit.a_error[0, 0] for one in every]),
        ),
        AmplifierValues(
            "turn-off",
            "adu",
            np.array([one.turnoff if one.turnoff_found else np.nan for one in every]),
            np.array([one.turnoff_error for one in every]),
        ),
    )
    missing = frozenset(one.name for one in every if not one.fit.determined)
    seen = "; ".join(
        f"{panel.quantity} {span(panel.value.tolist())} {panel.unit}, median {middle(panel.value.tolist())}"
        for panel in panels
    )
    return album.picture(
        draw_amplifier_values([one.name for one in every], panels, missing=missing, failed=failed),
        title=f"{what}: gain, read noise, brighter-fatter coefficient and turn-off of each amplifier",
        description=f"{seen}. Not determined: {', '.join(sorted(missing)) or 'none'}. "
        f"Failing: {', '.join(sorted(failed)) or 'none'}.",
        caption="Bars: standard errors. Dashed: the median. A value far from all others stands on the edge, "
        "with its number. No turn-off: the curve was followed up to the last pair.",
    )


def _sheet(product: PhotonTransferCurve, failed: frozenset[str], what: str, album: Album) -> Picture:
    seen = ", ".join(
        f"{one.name} {number(per_freedom(one.fit.chi2, one.fit.freedom), 3)}" for one in product.amplifiers
    )
    return album.picture(
        draw_transfer_sheet(product, failed=failed),
        title=f"{what}: the curves of all amplifiers",
        description=f"Variance against mean of each pair, with the fit, above its residuals. χ²/ν: {seen}.",
        caption="Above: variance against mean, with the fit and the gain (electron/adu). Below: what the fit "
        "leaves, in units of the error that Gaussian noise gives (band: ±1σ); points beyond the axes stand "
        "on their edge. All amplifiers have the same axes.",
    )


def _matrices(product: PhotonTransferCurve, what: str, album: Album) -> Picture | None:
    fitted = [one for one in product.amplifiers if has_matrix(one)]
    if not fitted:
        return None
    nearest = ", ".join(
        f"{one.name} {number(MILLIONTHS * one.fit.a[0, 1], 3)} and {number(MILLIONTHS * one.fit.a[1, 0], 3)}"
        for one in fitted
    )
    return album.picture(
        draw_area_changes(product),
        title=f"{what}: how charge changes the areas of pixels around it",
        description=f"Matrices a in 10⁻⁶ / electron. Of the next column and the next row: {nearest}.",
        caption="The matrix a of each amplifier. The colours are scaled to the lags around the pixel; its "
        "own a₀₀, larger and negative, has the colour of the end and stands in the table.",
    )


def _in_full(product: PhotonTransferCurve, one: AmplifierTransfer, what: str, album: Album) -> Picture:
    fit = one.fit
    seen = (
        f"Gain {number(fit.gain)} electron/adu, χ² {number(fit.chi2)} for {fit.freedom} degrees of freedom; "
        f"{int(one.kept.sum())} pairs used, {int(one.outlier.sum())} rejected."
        if fit.determined
        else f"Not determined: {fit.reason or NOTHING}."
    )
    return album.picture(
        draw_transfer(product, one.name),
        title=f"{what}, amplifier {one.name}",
        description=seen,
        caption=f"Amplifier {one.name}. {seen} Below: residuals in units of the error that Gaussian noise "
        "gives; points beyond the axes stand on their edge.",
    )
