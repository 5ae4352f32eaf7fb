"""Linearity models as a name and a row of numbers, for tables."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Float64
from fiducial.algorithms.linearity_models import (
    DoubleSpline,
    LinearityModel,
    LookupTable,
    Polynomial,
    Proportional,
    Spline,
)


def pack_model(model: LinearityModel) -> tuple[str, Float64]:
    """A model's kind and its numbers.

    =============  =====================================================================
    kind           numbers
    =============  =====================================================================
    proportional   none
    squared        maximum, 0, c_2
    polynomial     maximum, c_1, c_2, ...
    spline         nodes, then values
    lookup         step, then values
    double_spline  ratio, number of relative nodes, relative nodes and values, absolute nodes and values
    =============  =====================================================================

    Raises
    ------
    ValueError
        A model of another kind, or a double spline of something else than splines.
    """
    match model:
        case Proportional():
            return model.kind, np.zeros(0)
        case Polynomial():
            return model.kind, np.append(model.maximum, model.coefficients)
        case Spline():
            return model.kind, np.concatenate([model.nodes, model.values])
        case LookupTable():
            return model.kind, np.append(model.step, model.values)
        case DoubleSpline(relative=Spline() as relative, absolute=Spline() as absolute):
            start = [model.ratio, float(len(relative.nodes))]
            parts = [relative.nodes, relative.values, absolute.nodes, absolute.values]
            return model.kind, np.concatenate([start, *parts])
    raise ValueError(f"a linearity model {model.kind!r} of this make has no row of numbers")


def unpack_model(kind: str, numbers: Float64) -> LinearityModel:
    """The model again, from what `pack_model` gave; ValueError where it cannot be."""
    values = np.asarray(numbers, np.float64)
    match kind:
        case "proportional":
            return Proportional()
        case "squared" | "polynomial" if len(values) >= 2:
            return Polynomial(values[1:], float(values[0]))
        case "spline":
            return _spline(values)
        case "lookup" if len(values) >= 2:
            return LookupTable(values[1:], float(values[0]))
        case "double_spline" if len(values) >= 2:
            end = 2 + 2 * int(values[1])
            return DoubleSpline(_spline(values[2:end]), _spline(values[end:]), float(values[0]))
    raise ValueError(f"{len(values)} numbers do not make a linearity model {kind!r}")


def _spline(values: Float64) -> Spline:
    half, odd = divmod(len(values), 2)
    if odd or half < 2 or not (np.diff(values[:half]) > 0).all():
        raise ValueError("the nodes of a spline do not rise, or it has not as many values as nodes")
    return Spline(values[:half], values[half:])
