"""Where an amplifier's signal stops to follow the light."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import numpy as np

from fiducial.algorithms.arrays import Float64, Numbers

_SIGMAS = 3.0
_QUARTER = 0.3186  # standard deviations: a quarter of normal values is nearer to their mean
_STEP = 0.03  # relative step of the abscissa that tells a slope; nearer levels are one


@dataclass(frozen=True, slots=True)
class LinearTurnOff:
    """The highest level that follows the light.

    Attributes
    ----------
    level : float
        Signal; NaN without any level.
    found : bool
        Whether there are levels beyond it; if not, it is the highest level of all.
    """

    level: float
    found: bool


def linear_turnoff(
    signal: Numbers, abscissa: Numbers, *, groups: Numbers | None = None, least_slope: float = 0.5
) -> LinearTurnOff:
    """Find the turn-off by the slope of signal against light.

    A non-linearity of some per cent changes the slope by some times that; a full well, or the end of a
    converter's range, takes it away. From the top down, levels are beyond the turn-off as long as the
    slope that leads to them is less than ``least_slope`` of the signal's ratio to the light, and the ratio
    falls there by more than three times what it scatters by from level to level.

    Parameters
    ----------
    signal, abscissa : (n,)
        Mean levels and what stands for their light; those that are not finite and positive do not count.
    groups : (n,), optional
        Groups of illumination. A level is beyond only if no other group goes on straight above it.
    least_slope : float
        Of the ratio of signal to light.

    Returns
    -------
    LinearTurnOff
        A last step up to a level that another group's light does not explain (a lamp that jumps) ends there.

    References
    ----------
    Janesick 2001, Scientific Charge-Coupled Devices, chapter 2: full well and the end of linearity.
    """
    m, t = np.asarray(signal, np.float64), np.asarray(abscissa, np.float64)
    known = np.isfinite(m) & np.isfinite(t) & (m > 0) & (t > 0)
    label = np.zeros(m.shape, np.int64) if groups is None else np.asarray(groups)
    best, found = -inf, False
    for group in np.unique(label[known]):
        mine = known & (label == group)
        level, beyond = _of_group(m[mine], t[mine], least_slope)
        if level > best:
            best, found = level, beyond
    return LinearTurnOff(best, found) if best > -inf else LinearTurnOff(nan, False)


def _of_group(m: Float64, t: Float64, least_slope: float) -> tuple[float, bool]:
    means, lights, highest = _steps(m, t)
    ratios = means / lights
    fall = -np.diff(np.log(ratios))
    flat = np.diff(means) < least_slope * float(np.median(ratios)) * np.diff(lights)
    beyond = flat & (fall > _SIGMAS * _scatter(fall))
    last = len(means) - 1
    while last > 0 and beyond[last - 1]:
        last -= 1
    if last == 0 and len(means) > 1:  # it never follows: what that is, the fit says
        return float(m.max()), False
    return highest[last], last < len(means) - 1


def _scatter(steps: Float64) -> float:
    """Of the smallest quarter of steps: many may lie beyond the turn-off, where all are large."""
    if not len(steps):
        return 0.0
    return float(np.quantile(np.abs(steps), 0.25, method="lower")) / _QUARTER


def _steps(m: Float64, t: Float64) -> tuple[Float64, Float64, list[float]]:
    """Levels of nearly the same light together: median signal and light, and the highest signal."""
    order = np.argsort(t, kind="stable")
    m, t = m[order], t[order]
    starts = [0]
    for k in range(1, len(t)):
        if t[k] > t[starts[-1]] * (1.0 + _STEP):
            starts.append(k)
    parts = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(t)], strict=True)]
    means = np.array([np.median(m[part]) for part in parts])
    lights = np.array([np.median(t[part]) for part in parts])
    return means, lights, [float(m[part].max()) for part in parts]
