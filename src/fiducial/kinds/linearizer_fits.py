"""From levels to the correction of each amplifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.algorithms.linearity_double import DoubleFit, fit_double_spline
from fiducial.algorithms.linearity_fit import LinearityFit, fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import Form, LookupForm, PolynomialForm, spline_form

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.algorithms.linearity_turnoff import LinearTurnOff
    from fiducial.kinds.linearizer_measure import FrameLevels

    type Float64 = NDArray[np.float64]
    type Fits = list[LinearityFit | DoubleFit]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What is fitted to: the light of each frame, its group, and the turn-off of each amplifier.

    ``reference`` is the amplifier whose signal is the light; None where that is not an amplifier's.
    """

    light: Float64
    groups: NDArray[np.int64]
    turnoffs: Sequence[LinearTurnOff]
    reference: int | None = None


def fit_amplifiers(levels: FrameLevels, curves: Curves, config: Any) -> Fits:
    """Fit all amplifiers of a detector; one that says nothing has its reason.

    Parameters
    ----------
    levels
        Measured.
    curves
        What they are held against.
    config
        A `~fiducial.kinds.linearizer_config.LinearitySettings`.
    """
    limits = np.array([one.level if one.level > 0 else 0.0 for one in curves.turnoffs])
    if config.model.kind == "double_spline":
        both = fit_double_spline(
            levels.signals,
            curves.light,
            errors=levels.errors,
            stability=config.stability,
            groups=curves.groups,
            maximum=limits,
            relative_nodes=int(config.model.relativeNodes),
            absolute_nodes=int(config.model.nodes),
        )
        fits: Fits = list(both.amplifiers)
    else:
        fits = [_one(levels, curves, float(limits[k]), k, config) for k in range(levels.signals.shape[1])]
    return [_explained(fit, [row[k] for row in levels.reasons]) for k, fit in enumerate(fits)]


def _one(levels: FrameLevels, curves: Curves, limit: float, number: int, config: Any) -> LinearityFit:
    signal, error = levels.signals[:, number], levels.errors[:, number]
    light, stability = curves.light, config.stability
    if not np.isfinite(signal).any():
        return undetermined("no level", len(signal))
    if curves.reference is not None:
        light, error = _against(levels, number, curves.reference)
        stability = 0.0 if stability is None else stability
    return fit_linearity(
        signal,
        light,
        _form(signal, limit, config.model),
        error=error,
        stability=stability,
        groups=curves.groups,
        maximum=limit,
        offset=bool(config.model.offset),
        kappa=float(config.outliers),
    )


def _against(levels: FrameLevels, number: int, reference: int) -> tuple[Float64, Float64]:
    """The reference amplifier's signal as the light, and the errors of both in this one's unit."""
    light, error = levels.signals[:, reference], levels.errors[:, number]
    if number == reference:
        return light, error
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = levels.signals[:, number] / light
    known = ratios[np.isfinite(ratios)]
    about = abs(float(np.median(known))) if known.size else 0.0
    return light, np.hypot(error, about * levels.errors[:, reference])


def _form(signal: Float64, limit: float, model: Any) -> Form:
    """The family of curves, up to the highest signal that counts."""
    inside = signal[np.isfinite(signal) & (signal > 0) & (signal <= limit)]
    highest = float(inside.max()) if inside.size else 1.0
    if model.kind in ("squared", "polynomial"):
        return PolynomialForm(2 if model.kind == "squared" else int(model.order), highest)
    spline = spline_form(signal, count=int(model.nodes), maximum=limit)
    return LookupForm(spline, float(model.step)) if model.kind == "table" else spline


def _explained(fit: LinearityFit | DoubleFit, reasons: Sequence[str]) -> LinearityFit | DoubleFit:
    """An amplifier without any level says what kept it from one."""
    if fit.determined or not reasons or not all(reasons):
        return fit
    (reason, count), *_ = Counter(reasons).most_common(1)
    return replace(fit, reason=f"no frame has a level of it: {reason} in {count} of {len(reasons)}")
