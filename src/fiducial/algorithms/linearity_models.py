"""Models of non-linearity: what has to be added to a measured signal, and how it is added to an image.

Every model is a curve C(m) with C(0) = 0; ``m + C(m)`` is proportional to the light. Below 0 a curve goes
on straight with its slope at 0, so that noise about 0 gains no mean. Beyond ``maximum`` it goes on straight
for a tenth of it, so that noise about the largest signals is corrected like that below them, and then keeps
its last value.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol, cast

import numpy as np

from fiducial.algorithms.arrays import Float32, Float64, Numbers

TABLE_SIZE = 1 << 14
"""Steps of the table with which a curve is applied: of 100,000 electrons, 6 electrons each."""

_LEAST = 1e30  # below minus this, signals are cut: infinity times a slope of 0 is no number
_BEYOND = 0.1  # of the maximum: several sigmas of the photons' noise about any maximum above 3,000 electrons
_ROUNDING = 1e-9
_STEPS = 4097  # in which the end of a curve is looked for
_BLOCK = 1 << 15  # pixels at a time: they stay in the cache


class LinearityModel(Protocol):
    """What every model can do. Signals and corrections have one unit; arrays keep their shape."""

    @property
    def kind(self) -> str:
        """Its name."""
        ...

    @property
    def maximum(self) -> float:
        """The largest signal that it was made for."""
        ...

    def correction(self, signal: Numbers) -> Float64:
        """C(m); NaN of NaN."""
        ...


@dataclass(frozen=True, slots=True)
class Proportional:
    """No correction: C = 0."""

    kind: ClassVar[str] = "proportional"
    maximum: float = np.inf

    def correction(self, signal: Numbers) -> Float64:
        """Zero everywhere."""
        return np.asarray(signal, np.float64) * 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Polynomial:
    """C(m) = sum of c_j m^j for j = 1 ... n. With c_2 alone it is the model called squared.

    Attributes
    ----------
    coefficients : (n,) float64
        c_1, c_2, ..., for signals in the model's unit. c_1 is 0 where the correction's reference is 0.
    maximum : float
        Largest signal.
    """

    coefficients: Float64
    maximum: float

    @property
    def kind(self) -> str:
        """``squared`` or ``polynomial``."""
        return "squared" if len(self.coefficients) == 2 and self.coefficients[0] == 0 else "polynomial"

    def correction(self, signal: Numbers) -> Float64:
        """C(m), by Horner's rule."""
        inside, below, above = _split(signal, self.maximum)
        total = np.zeros_like(inside)
        for coefficient in self.coefficients[::-1]:
            total = (total + coefficient) * inside
        powers = np.arange(len(self.coefficients))
        slope = np.sum((powers + 1) * self.coefficients * np.float64(self.maximum) ** powers)
        result: Float64 = total + self.coefficients[0] * below + float(slope) * above
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Spline:
    """A cubic spline through values at nodes (not-a-knot: de Boor 1978, A Practical Guide to Splines, IV).

    Attributes
    ----------
    nodes, values : (n,) float64
        Signals, rising from 0, and C there.
    """

    kind: ClassVar[str] = "spline"
    nodes: Float64
    values: Float64

    @property
    def maximum(self) -> float:
        """The last node."""
        return float(self.nodes[-1])

    def correction(self, signal: Numbers) -> Float64:
        """C(m)."""
        from scipy.interpolate import CubicSpline  # long to import

        curve = CubicSpline(self.nodes, self.values)
        inside, below, above = _split(signal, self.maximum)
        first, last = curve((0.0, self.maximum), 1)
        result: Float64 = curve(inside) + float(first) * below + float(last) * above
        return result


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """C at equal steps from 0, linear between them.

    Attributes
    ----------
    values : (n,) float64
        C(0), C(step), ...
    step : float
        In the signal's unit; 1 adu in the tables that others use.
    """

    kind: ClassVar[str] = "lookup"
    values: Float64
    step: float

    @property
    def maximum(self) -> float:
        """The last entry's signal."""
        return (len(self.values) - 1) * self.step

    def correction(self, signal: Numbers) -> Float64:
        """C(m)."""
        inside, below, above = _split(signal, self.maximum)
        at = np.arange(len(self.values)) * self.step
        slopes = np.diff(self.values) / self.step if len(self.values) > 1 else np.zeros(1)
        result: Float64 = np.interp(inside, at, self.values) + slopes[0] * below + slopes[-1] * above
        return result


@dataclass(frozen=True, slots=True, eq=False)
class DoubleSpline:
    """First to the scale of a reference amplifier, then that amplifier's own correction.

    With R = ``relative`` and A = ``absolute``: m' = m + R(m) is ``ratio`` times the reference's signal, and
    the result is m' + ratio A(m' / ratio). Models of this name elsewhere leave the ratio out, which is right
    only for amplifiers of equal gain.

    Attributes
    ----------
    relative : LinearityModel
        Of this amplifier to the reference amplifier.
    absolute : LinearityModel
        Of the reference amplifier, the same for a whole group of amplifiers.
    ratio : float
        This amplifier's signal to the reference's.
    """

    kind: ClassVar[str] = "double_spline"
    relative: LinearityModel
    absolute: LinearityModel
    ratio: float

    @property
    def maximum(self) -> float:
        """Up to which both know the signal: the absolute correction sees what the relative one makes."""
        last, limit = self.relative.maximum, self.absolute.maximum * self.ratio
        if not np.isfinite(last):
            return limit
        if last + float(self.relative.correction(np.array(last))) <= limit * (1.0 + _ROUNDING):
            return last
        at = np.linspace(0.0, last, _STEPS)
        seen = np.maximum.accumulate(at + self.relative.correction(at))
        return float(np.interp(limit, seen, at))

    def correction(self, signal: Numbers) -> Float64:
        """Both corrections added up."""
        inside = np.minimum(np.asarray(signal, np.float64), self.maximum * (1.0 + _BEYOND))
        first = self.relative.correction(inside)
        seen = (inside + first) / self.ratio
        return first + self.ratio * self.absolute.correction(seen)


def signal_before(model: LinearityModel, corrected: float) -> float:
    """The signal that a model makes ``corrected``, of those up to its end; above as far above."""
    last = model.maximum * (1.0 + _BEYOND) if np.isfinite(model.maximum) else max(2.0 * abs(corrected), 1.0)
    at = np.linspace(0.0, last, _STEPS)
    seen = np.maximum.accumulate(at + model.correction(at))
    if corrected >= seen[-1]:
        return last + corrected - float(seen[-1])
    return float(np.interp(corrected, seen, at))


def tabulate(model: LinearityModel, step: float, maximum: float | None = None) -> LookupTable:
    """Any model as a table of equal steps, up to ``maximum`` (None: the model's own)."""
    last = model.maximum if maximum is None else maximum
    if not np.isfinite(last):
        return LookupTable(np.zeros(2), step)
    at = np.arange(int(np.ceil(last / step)) + 1) * step
    return LookupTable(model.correction(at), step)


def apply_linearity(model: LinearityModel, image: Numbers) -> Float32:
    """Correct an image.

    Parameters
    ----------
    model
        In the image's unit.
    image : (..., nx)
        Signal above bias. NaN stays NaN; masks are the caller's.

    Returns
    -------
    (..., nx) float32
        A new image: m + C(m), by a table of `TABLE_SIZE` steps, linear in between.
    """
    table, per_unit = _table(cast("Hashable", model))
    last = np.float32(len(table) - 1)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
        source = np.ascontiguousarray(image, np.float32)
    out = np.empty_like(source)
    flat_in, flat_out = source.reshape(-1), out.reshape(-1)
    differences = np.append(np.diff(table), np.float32(0.0))
    with np.errstate(invalid="ignore"):  # NaN has no place in a table: it takes any, and stays NaN
        for begin in range(0, flat_in.size, _BLOCK):
            block = flat_in[begin : begin + _BLOCK]
            place = np.minimum(block * per_unit, last)
            index = np.clip(place.astype(np.int32), 0, len(table) - 1)
            place -= index
            place *= differences[index]
            place += table[index]
            np.add(block, place, out=flat_out[begin : begin + _BLOCK])
    return out


@lru_cache(maxsize=64)
def _table(key: Hashable) -> tuple[Float32, np.float32]:
    """A model's table and steps for one unit of signal; models never change."""
    model = cast("LinearityModel", key)
    if not np.isfinite(model.maximum):
        return np.zeros(2, np.float32), np.float32(1.0)
    end = model.maximum * (1.0 + _BEYOND)
    table = model.correction(np.linspace(0.0, end, TABLE_SIZE + 1))
    return table.astype(np.float32), np.float32(TABLE_SIZE / end)


def _split(signal: Numbers, maximum: float) -> tuple[Float64, Float64, Float64]:
    """The part of a signal between 0 and a maximum, that below 0, and that above which is corrected."""
    values = np.asarray(signal, np.float64)
    above = np.clip(values - maximum, 0.0, _BEYOND * maximum)
    return np.clip(values, 0.0, maximum), np.clip(values, -_LEAST, 0.0), above
