"""A reading: one quantity of one amplifier in one night, with its error and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fiducial.algorithms.order_statistics import median_variance
from fiducial.verify.ratios import scatter_in_time

UNITS: dict[str, str] = {
    "read_noise": "electron",
    "gain": "electron / adu",
    "dark_rate": "electron / s",
    "bias_level": "adu",
    "bias_offset": "electron",
    "amplifier_ratio": "",
    "turnoff": "adu",
    "defects": "pixel",
}
"""The quantities and their units; ``defects hot`` and the like count one reason."""

IN_ELECTRONS = ("read_noise", "dark_rate")
"""Quantities whose value is proportional to the gain that was taken for the camera's."""

RELATIVE = ("bias_offset", "amplifier_ratio")
"""Quantities that mean something beside one master only: what frames have beyond it."""

METHODS = ("photon transfer", "pairs", "scatter", "rate", "residual", "overscan", "image", "count")
"""How a quantity was measured; of one night the first one counts that the certified values have too."""


type Key = tuple[str, int, str, str]
"""Quantity, detector, amplifier, state of the camera."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity of one amplifier in one night.

    Parameters
    ----------
    quantity, detector, amplifier, night
        What it is of; the night is YYYYMMDD.
    value, error, unit
        The number and its standard error, in the unit of `UNITS`.
    method
        Of `METHODS`.
    frames
        Frames, pairs or masters that went in.
    run
        The collection that it was read from; it sorts by time.
    certified
        Whether it was measured on the frames of a calibration that is certified.
    begin, end, rank
        For which dates that one is valid (TAI, ISO 8601), None is open; and its place in the order of search.
    gain
        Electrons per adu that the value was made with; NaN where none was.
    state
        Of the camera, in words: what was measured in one state is not held against another one.
    base
        Dataset of the master that the value holds, or is held against; empty: none.
    physical_filter
        Of one filter's measurement; empty once those of a night are joined (`join_filters`).
    pixels
        Of the amplifier, where the quantity counts some of them; NaN elsewhere.
    """

    quantity: str
    detector: int
    amplifier: str
    night: int
    value: float
    error: float
    unit: str
    method: str
    frames: int
    run: str
    certified: bool = False
    begin: str | None = None
    end: str | None = None
    rank: int = 0
    gain: float = math.nan
    state: str = ""
    base: str = ""
    physical_filter: str = ""
    pixels: float = math.nan

    @property
    def key(self) -> Key:
        """Quantity, detector, amplifier and state."""
        return self.quantity, self.detector, self.amplifier, self.state

    def compares_with(self, other: Reading) -> bool:
        """Whether a difference of the two means anything."""
        return self.quantity not in RELATIVE or self.base == other.base

    def with_gain_of(self, other: Reading) -> Reading:
        """The same as it were with the other's gain: a new table of gains changes no camera."""
        known = self.gain > 0 and other.gain > 0
        if self.quantity not in IN_ELECTRONS or not known or self.gain == other.gain:
            return self
        factor = other.gain / self.gain
        return replace(self, value=self.value * factor, error=self.error * factor, gain=other.gain)


def typical(
    values: Sequence[float], errors: Sequence[float], *, neighbours: bool = False
) -> tuple[float, float]:
    """Median of the measurements of a night, and its error.

    Parameters
    ----------
    values, errors
        One per frame or pair, one at least, in the order of time.
    neighbours
        Whether each is of a pair whose second frame is the first of the next pair: then squares of the
        differences have a correlation of 1/4, and the variance of the mean of K is larger by
        1 + (K - 1) / 2K. A median's grows by less.

    Returns
    -------
    The error is that of independent measurements with their mean variance, widened by what their
    scatter exceeds it by (`fiducial.verify.ratios.scatter_in_time`).
    """
    x, u = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    n = x.size
    variance = float(np.mean(np.square(u))) + scatter_in_time(x, u) ** 2
    shared = 1.0 + (n - 1) / (2.0 * n) if neighbours else 1.0
    return float(np.median(x)), math.sqrt(variance * median_variance(n) * shared)


def best_of_night(readings: Iterable[Reading]) -> list[Reading]:
    """Keep one reading of each quantity, amplifier, state, night and method, by night.

    Of several runs the certified one counts, or else that of most frames, or else the newest: runs that
    measure the same frames again are no further measurements. Filters, which a gain does not depend on, are
    joined.
    """
    best: dict[tuple[object, ...], Reading] = {}
    for one in readings:
        key = (one.key, one.night, one.method, one.physical_filter)
        before = best.get(key)
        if before is None or _weight(one) > _weight(before):
            best[key] = one
    groups: dict[tuple[object, ...], list[Reading]] = {}
    for one in best.values():
        groups.setdefault((one.key, one.night, one.method), []).append(one)
    joined = [join_filters(group) for group in groups.values()]
    return sorted(joined, key=lambda one: (one.key, one.night, METHODS.index(one.method)))


def join_filters(readings: Sequence[Reading]) -> Reading:
    """The weighted mean of one night's readings in several filters; certified ones, if there are any."""
    chosen = [one for one in readings if one.certified] or list(readings)
    if len(chosen) == 1 or any(one.error <= 0 for one in chosen):
        return replace(chosen[0], physical_filter="")
    weights = [1.0 / one.error**2 for one in chosen]
    value = sum(w * one.value for w, one in zip(weights, chosen, strict=True)) / sum(weights)
    return replace(
        max(chosen, key=_age),
        value=value,
        error=sum(weights) ** -0.5,
        frames=sum(one.frames for one in chosen),
        physical_filter="",
    )


def _weight(reading: Reading) -> tuple[bool, int, tuple[str, str]]:
    return reading.certified, reading.frames, _age(reading)


def _age(reading: Reading) -> tuple[str, str]:
    """Runs end in the time at which they began."""
    return reading.run.rsplit("/", 1)[-1], reading.run
