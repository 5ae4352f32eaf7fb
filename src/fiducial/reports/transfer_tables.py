"""The tables of photon transfer: a line for each amplifier, and one for each pair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import NOTHING, measured, number

MILLIONTHS = 1e6
MOST_NAMES = 6


@dataclass(frozen=True)
class TransferLine:
    """One amplifier."""

    name: str
    outcome: str  # empty: not verified
    gain: str
    tied: str  # gain tied to the others'; empty where gains were not tied
    nominal: str  # of the camera's file
    noise: str
    with_overscan: bool  # whether the overscan took part in the noise
    overscan: str
    a00: str
    turnoff: str
    rolloff: str  # empty where it was not looked for, or not found
    chi2: str
    kept: str
    outliers: str
    lost: str  # pairs that say nothing, and why
    determined: bool


@dataclass(frozen=True)
class PairLine:
    """One pair of flats."""

    first: int
    second: int
    physical_filter: str
    time: str
    photodiode: str
    mean: str
    used: str
    rejected: str
    lost: str


def per_freedom(chi2: float, freedom: int) -> float:
    """chi^2 over its degrees of freedom; NaN without any."""
    return chi2 / freedom if freedom > 0 else nan


def transfer_lines(
    data: ReportData, product: PhotonTransferCurve, outcomes: dict[str, str]
) -> tuple[TransferLine, ...]:
    """A line for each amplifier."""
    nominal = {amp.name: float(amp.gain) for amp in data.camera.amplifiers(product.detector)}
    return tuple(
        _line(one, nominal.get(one.name, nan), outcomes.get(one.name, "")) for one in product.amplifiers
    )


def _line(one: AmplifierTransfer, nominal: float, outcome: str) -> TransferLine:
    fit = one.fit
    good = fit.determined
    measured_pairs = int(np.isfinite(one.mean).sum())
    lost = Counter(reason for reason in one.reasons if reason)
    return TransferLine(
        name=one.name,
        outcome=outcome,
        gain=measured(fit.gain, fit.gain_error) if good else NOTHING,
        tied=_if_any(one.tied_gain, one.tied_gain_error),
        nominal=number(nominal),
        noise=measured(fit.noise, fit.noise_error) if good else NOTHING,
        with_overscan=good and not fit.noise_constrained,
        overscan=measured(one.read_noise, one.read_noise_error),
        a00=measured(MILLIONTHS * fit.a[0, 0], MILLIONTHS * fit.a_error[0, 0]) if good else NOTHING,
        turnoff=measured(one.turnoff, one.turnoff_error)
        if one.turnoff_found
        else f"above {number(one.turnoff)}"
        if np.isfinite(one.turnoff)
        else NOTHING,
        rolloff=_if_any(fit.rolloff, fit.rolloff_error),
        chi2=f"{number(per_freedom(fit.chi2, fit.freedom), 3)}" if good else NOTHING,
        kept=f"{int(one.kept.sum())} of {measured_pairs}",
        outliers=str(int(one.outlier.sum())),
        lost="; ".join(f"{reason} ({number_of})" for reason, number_of in lost.most_common()) or "none",
        determined=good,
    )


def _if_any(value: float, error: float) -> str:
    return measured(value, error) if np.isfinite(value) else ""


def pair_lines(product: PhotonTransferCurve) -> tuple[PairLine, ...]:
    """A line for each pair, in the product's order."""
    pairs, every = product.pairs, product.amplifiers
    lines = []
    for index in range(len(pairs)):
        means = [one.mean[index] for one in every if np.isfinite(one.mean[index])]
        lines.append(
            PairLine(
                first=int(pairs.first[index]),
                second=int(pairs.second[index]),
                physical_filter=pairs.physical_filter[index],
                time=_both(pairs.first_time[index], pairs.second_time[index]),
                photodiode=_both(pairs.first_photodiode[index], pairs.second_photodiode[index]),
                mean=number(float(np.median(means)) if means else None, 5),
                used=f"{sum(bool(one.kept[index]) for one in every)} of {len(every)}",
                rejected=names_in_words([one.name for one in every if one.outlier[index]]) or "none",
                lost=_lost({one.name: one.reasons[index] for one in every}),
            )
        )
    return tuple(lines)


def names_in_words(names: list[str]) -> str:
    """Names with commas, and how many more."""
    more = [f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join(names[:MOST_NAMES] + more)


def _both(first: float, second: float) -> str:
    """Of the two flats, once where they are the same."""
    one, other = number(float(first)), number(float(second))
    return one if one == other else f"{one}, {other}"


def _lost(reasons: dict[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason:
            by_reason.setdefault(reason, []).append(name)
    said = [
        f"{'all' if len(names) == len(reasons) else names_in_words(names)}: {reason}"
        for reason, names in by_reason.items()
    ]
    return "; ".join(said) or "none"
