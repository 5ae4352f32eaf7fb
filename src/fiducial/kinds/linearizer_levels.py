"""What levels are held against: the light of each exposure, its group, and the highest signal that counts."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.algorithms.linearity_groups import illumination_groups
from fiducial.algorithms.linearity_turnoff import LinearTurnOff, linear_turnoff
from fiducial.errors import ConfigurationError, FrameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.kinds.linearizer_measure import FrameLevels

    type Float64 = NDArray[np.float64]

_SAME = 1.005  # flats of one pair scatter about its mean, and its level is that of both


def light_of(frame: DetectorFrame, abscissa: str) -> float:
    """What stands for the light of a frame; of a reference amplifier, whose signal it is, nothing.

    Raises
    ------
    FrameError
        The frame has no light, or does not say how much.
    """
    if abscissa == "amplifier":
        return nan
    value = frame.facts.photodiode if abscissa == "photodiode" else frame.facts.exposure_time
    if value is None:
        raise FrameError(
            "its header has no charge of the photodiode",
            hint="Set abscissa=exposure_time, or name the photodiode's keyword in the camera file.",
        )
    if not (np.isfinite(value) and value > 0):
        unit = "" if abscissa == "photodiode" else " s"
        raise FrameError(
            f"its {abscissa.replace('_', ' ')} is {value:g}{unit}",
            hint="A flat without light tells no linearity.",
        )
    return float(value)


def groups_of(levels: FrameLevels, light: Float64, method: str, jump: float) -> NDArray[np.int64]:
    """(frames,): the group of illumination of each, from 0."""
    facts = [frame.facts for frame in levels.frames]
    if method == "filter":
        return _numbered([one.filter for one in facts])
    if method == "exposures":
        return _numbered([one.group for one in facts])
    if method == "ratio":
        return np.maximum(illumination_groups(_common(levels.signals, light) * light, light, jump=jump), 0)
    return np.zeros(len(facts), np.int64)


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([order[name] for name in names], np.int64)


def _common(signals: Float64, light: Float64) -> Float64:
    """Ratio of signal to light of each frame that its amplifiers have in common."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(np.where(signals > 0, signals, nan) / light[:, None])
    own = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else nan for column in ratio.T]
    return np.array([_median(row) for row in np.exp(ratio - np.array(own))])


def _median(values: Float64) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else nan


def turnoffs_of(
    levels: FrameLevels,
    light: Float64,
    groups: NDArray[np.int64],
    names: Sequence[str],
    *,
    least_slope: float | None,
    transfer: Any = None,
    maximum: float | None = None,
) -> list[LinearTurnOff]:
    """Of each amplifier.

    Parameters
    ----------
    levels, light, groups
        What was measured.
    names
        Of the amplifiers.
    least_slope
        As of `linear_turnoff`; None: all levels follow the light.
    transfer
        A photon transfer curve, whose turn-offs come first where it found some.
    maximum
        No turn-off is above it.
    """
    limit = inf if maximum is None else float(maximum)
    found = []
    for number, name in enumerate(names):
        signal = levels.signals[:, number]
        own = transfer.amplifier(name) if transfer is not None else None
        if own is not None and own.turnoff_found and own.turnoff > 0:
            turnoff = LinearTurnOff(_SAME * float(own.turnoff), True)
        else:
            turnoff = linear_turnoff(signal, light, groups=groups, least_slope=least_slope or 0.0)
            if least_slope is None:
                known = signal[np.isfinite(signal)]
                turnoff = LinearTurnOff(float(known.max()) if known.size else nan, False)
        if turnoff.level > limit:
            turnoff = LinearTurnOff(limit, True)
        found.append(turnoff)
    return found


def reference_of(levels: FrameLevels, names: Sequence[str], wanted: str | None) -> int:
    """Which amplifier the others are held against.

    Raises
    ------
    ConfigurationError
        There is none of the name that is wanted.
    """
    if wanted is not None:
        if wanted not in names:
            raise ConfigurationError(
                f"there is no amplifier {wanted} to be the reference", hint=f"There are {', '.join(names)}."
            )
        return list(names).index(wanted)
    known = np.isfinite(levels.signals)
    highest = np.where(known, levels.signals, -inf).max(axis=0, initial=-inf)
    return int(np.lexsort((-highest, -known.sum(axis=0)))[0])
