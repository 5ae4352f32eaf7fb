"""The tables of linearity: a line for each amplifier, and one for each level."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.corrections.linearity_product import models_of
from fiducial.figures.linearity import PARTS
from fiducial.products.linearizer import AmplifierLinearity, Linearizer
from fiducial.reports.numbers import NOTHING, number
from fiducial.reports.transfer_tables import names_in_words, per_freedom

PERCENT = 100.0


@dataclass(frozen=True)
class Deviation:
    """How large the correction of one amplifier is, and what it leaves; NaN where it is not determined.

    Parameters
    ----------
    residual
        Of the levels used the largest one, as a share of the largest signal that the correction is for.
    residual_signal
        At which signal that is.
    correction
        The largest one, as a share of that signal too.
    chi2
        Over its degrees of freedom.
    """

    residual: float
    residual_signal: float
    correction: float
    chi2: float


@dataclass(frozen=True)
class LinearityLine:
    """One amplifier."""

    name: str
    outcome: str  # empty: not verified
    model: str
    maximum: str
    turnoff: str  # as the levels showed it; empty where nobody looked
    correction: str
    residual: str
    residual_signal: str
    stability: str
    chi2: str
    used: str
    outliers: str
    reason: str


@dataclass(frozen=True)
class LevelLine:
    """One level."""

    exposure: int
    abscissa: str
    group: str
    signal: str
    used: str
    rejected: str


def deviations(product: Linearizer) -> dict[str, Deviation]:
    """By name of the amplifier, in the product's order."""
    models = models_of(product)
    return {one.name: _deviation(one, models[one.name]) for one in product.amplifiers}


def _deviation(one: AmplifierLinearity, model: object) -> Deviation:
    correction = getattr(model, "correction", None)
    if correction is None:
        return Deviation(nan, nan, nan, nan)
    full_well = one.maximum
    used = one.used & np.isfinite(one.residual)
    if not np.isfinite(full_well):
        full_well = float(one.signal[used].max()) if used.any() else nan
    left = np.abs(one.residual[used] * one.signal[used]) / full_well
    at = np.linspace(0.0, full_well, 201)
    return Deviation(
        residual=float(left.max()) if len(left) else nan,
        residual_signal=float(one.signal[used][np.argmax(left)]) if len(left) else nan,
        correction=float(np.abs(correction(at)).max()) / full_well if np.isfinite(full_well) else nan,
        chi2=per_freedom(one.chi2, one.freedom),
    )


def linearity_lines(
    product: Linearizer, found: dict[str, Deviation], outcomes: dict[str, str]
) -> tuple[LinearityLine, ...]:
    """A line for each amplifier."""
    return tuple(
        _line(product, one, found[one.name], outcomes.get(one.name, "")) for one in product.amplifiers
    )


def _line(product: Linearizer, one: AmplifierLinearity, deviation: Deviation, outcome: str) -> LinearityLine:
    good = one.determined
    return LinearityLine(
        name=one.name,
        outcome=outcome,
        model=one.model.replace("_", " ") if good else NOTHING,
        maximum=number(one.maximum, 5) if good else NOTHING,
        turnoff=_turnoff(product, one.name),
        correction=number(PERCENT * deviation.correction, 3),
        residual=number(PERCENT * deviation.residual, 3),
        residual_signal=number(deviation.residual_signal, 5),
        stability=number(PARTS * one.stability, 3),
        chi2=number(deviation.chi2, 3),
        used=f"{int(one.used.sum())} of {len(one.signal)}",
        outliers=str(int(one.outlier.sum())),
        reason=one.reason,
    )


def _turnoff(product: Linearizer, name: str) -> str:
    level = product.metadata.get(f"FID AMP {name} TURNOFF")
    found = product.metadata.get(f"FID AMP {name} TURNOFF FOUND")
    if level is None:
        return ""
    return number(level, 5) if found else f"above {number(level, 5)}"


def level_lines(product: Linearizer) -> tuple[LevelLine, ...]:
    """A line for each level, in the product's order."""
    every = product.amplifiers
    lines = []
    for index, exposure in enumerate(product.exposures.tolist()):
        signals = [one.signal[index] for one in every if np.isfinite(one.signal[index])]
        abscissas = [one.abscissa[index] for one in every if np.isfinite(one.abscissa[index])]
        lines.append(
            LevelLine(
                exposure=int(exposure),
                abscissa=number(float(np.median(abscissas)) if abscissas else None, 5),
                group=", ".join(sorted({str(int(one.group[index])) for one in every})),
                signal=number(float(np.median(signals)) if signals else None, 5),
                used=f"{sum(bool(one.used[index]) for one in every)} of {len(every)}",
                rejected=names_in_words([one.name for one in every if one.outlier[index]]) or "none",
            )
        )
    return tuple(lines)
