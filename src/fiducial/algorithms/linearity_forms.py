"""Forms of a linearity correction: curves that are linear in their coefficients, ready to be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from fiducial.algorithms.arrays import Float64, Numbers
from fiducial.algorithms.linearity_models import LinearityModel, Polynomial, Spline, tabulate

_MOST = 1e12  # a signal beyond this is none
_CLOSEST = 1e-4  # of the last node: nodes nearer to one another than this are one


class Form(Protocol):
    """A family of curves without a gain in it, and the member that coefficients choose."""

    @property
    def unknowns(self) -> int:
        """How many coefficients it has."""
        ...

    @property
    def reference(self) -> float:
        """Signal at which the correction is 0; 0: its slope at 0 is."""
        ...

    def design(self, signal: Numbers) -> Float64:
        """The curves that coefficients multiply, at some signals: (n, unknowns)."""
        ...

    def model(self, coefficients: Float64) -> LinearityModel:
        """The member of the family."""
        ...


@dataclass(frozen=True, slots=True)
class PolynomialForm:
    """Powers 2 to ``order``; order 2 is the model called squared.

    Each power j is m^j - m r^(j - 1), which is 0 at the reference r; with r = 0 it is m^j.
    """

    order: int
    maximum: float
    reference: float = 0.0

    @property
    def unknowns(self) -> int:
        """One for each power."""
        return self.order - 1

    def design(self, signal: Numbers) -> Float64:
        """Powers of m / maximum, times maximum: numbers of the size of signals."""
        m = np.asarray(signal, np.float64) / self.maximum
        r = self.reference / self.maximum
        powers = range(2, self.order + 1)
        return np.stack([self.maximum * (m**j - m * r ** (j - 1)) for j in powers], axis=-1)

    def model(self, coefficients: Float64) -> Polynomial:
        """The polynomial in plain powers of the signal."""
        r = self.reference / self.maximum
        powers = np.arange(2, self.order + 1)
        linear = -float(np.sum(coefficients * r ** (powers - 1.0)))
        return Polynomial(np.append(linear, coefficients * self.maximum ** (1.0 - powers)), self.maximum)


@dataclass(frozen=True, slots=True, eq=False)
class SplineForm:
    """A cubic spline through nodes, 0 at the first node (signal 0) and at the reference.

    ``nodes`` rise from 0. A curve's unknowns are its values at all nodes but the first and the one
    nearest the reference; a line through 0 is added to it such that it is 0 at the reference (of 0: such
    that its slope at 0 is).
    """

    nodes: Float64
    reference: float

    @property
    def unknowns(self) -> int:
        """Nodes less two."""
        return len(self.nodes) - 2

    def design(self, signal: Numbers) -> Float64:
        """The curves at some signals."""
        from scipy.interpolate import CubicSpline

        result: Float64 = CubicSpline(self.nodes, _spline_curves(self.nodes.tobytes(), self.reference))(
            np.asarray(signal, np.float64)
        )
        return result

    def model(self, coefficients: Float64) -> Spline:
        """The spline by its values at the nodes."""
        return Spline(self.nodes, _spline_curves(self.nodes.tobytes(), self.reference) @ coefficients)


@lru_cache(maxsize=64)
def _spline_curves(nodes: bytes, reference: float) -> Float64:
    """Values at the nodes of the curves that coefficients multiply: (n_node, unknowns)."""
    from scipy.interpolate import CubicSpline  # long to import

    at = np.frombuffer(nodes, np.float64)
    pinned = 1 + int(np.argmin(np.abs(at[1:] - reference)))
    curves = np.delete(np.eye(len(at)), (0, pinned), axis=1)
    splines = CubicSpline(at, curves)
    slope = splines(reference) / reference if reference > 0 else splines(0.0, 1)
    result: Float64 = curves - np.outer(at, slope)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class LookupForm:
    """Any other form, given as a table of equal steps."""

    of: PolynomialForm | SplineForm
    step: float

    @property
    def unknowns(self) -> int:
        """Those of the other form."""
        return self.of.unknowns

    @property
    def reference(self) -> float:
        """That of the other form."""
        return self.of.reference

    def design(self, signal: Numbers) -> Float64:
        """The other form's curves."""
        return self.of.design(signal)

    def model(self, coefficients: Float64) -> LinearityModel:
        """The other form's curve as a table."""
        return tabulate(self.of.model(coefficients), self.step)


def spline_form(
    signal: Numbers, *, count: int = 8, maximum: float | None = None, reference: float | None = None
) -> SplineForm:
    """Nodes where there are data: 0, then equal numbers of levels between any two.

    Nodes without data between them are free to go anywhere; so there are none, and of few levels fewer
    nodes come: at least three levels for each unknown.

    Parameters
    ----------
    signal : (n,)
        Measured signals; those not finite, not positive, or above ``maximum`` do not count.
    count
        Nodes wanted, the one at 0 included.
    maximum
        Turn-off.
    reference
        Signal at which the correction is 0; None: half of the largest.
    """
    values = np.asarray(signal, np.float64)
    known = values[(values > 0) & (values < _MOST)]
    if maximum is not None:
        known = known[known <= maximum]
    if not len(known):
        return SplineForm(np.array([0.0, 1.0, 2.0]), 1.0)
    count = int(np.clip(len(known) // 3 + 2, 3, max(3, count)))
    inner = np.quantile(known, np.linspace(0.0, 1.0, count)[1:])
    nodes = np.append(0.0, inner)
    nodes = nodes[np.append(True, np.diff(nodes) > _CLOSEST * nodes[-1])]
    if len(nodes) < 3:
        nodes = np.array([0.0, 0.5, 1.0]) * nodes[-1]
    return SplineForm(nodes, float(0.5 * nodes[-1]) if reference is None else reference)
