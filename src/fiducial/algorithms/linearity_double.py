"""Linearity of the amplifiers of one detector together: each against a reference, that against the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Float64, Numbers
from fiducial.algorithms.linearity_fit import LinearityFit, fit_linearity, undetermined
from fiducial.algorithms.linearity_forms import spline_form
from fiducial.algorithms.linearity_models import DoubleSpline, LinearityModel, Proportional


@dataclass(frozen=True, slots=True, eq=False)
class DoubleFit:
    """The correction of one amplifier in two steps.

    Attributes
    ----------
    determined : bool
    reason : str
        Why it is not determined; empty if it is.
    model : LinearityModel
        `DoubleSpline`, or the absolute spline for the reference amplifier itself.
    relative : LinearityFit or None
        Against the reference amplifier; None for that.
    absolute : LinearityFit
        Of the reference amplifier against the light; the same for all.
    """

    determined: bool
    reason: str
    model: LinearityModel
    relative: LinearityFit | None
    absolute: LinearityFit

    def correction_error(self, signal: Numbers) -> Float64:
        """Standard error of the correction; NaN where it is not determined."""
        values = np.asarray(signal, np.float64)
        if not self.determined:
            return np.full(values.shape, np.nan)
        if self.relative is None or not isinstance(self.model, DoubleSpline):
            return self.absolute.correction_error(values)
        ratio = self.model.ratio
        seen = (values + self.relative.model.correction(values)) / ratio
        result: Float64 = np.hypot(
            self.relative.correction_error(values), ratio * self.absolute.correction_error(seen)
        )
        return result


@dataclass(frozen=True, slots=True, eq=False)
class DoubleLinearity:
    """The corrections of all amplifiers; ``reference`` is the number of the reference amplifier, or -1."""

    reference: int
    amplifiers: tuple[DoubleFit, ...]


def fit_double_spline(
    signals: Numbers,
    abscissa: Numbers,
    *,
    errors: Numbers | float = 0.0,
    stability: float | None = None,
    groups: Numbers | None = None,
    maximum: Numbers | None = None,
    reference: int | None = None,
    relative_nodes: int = 12,
    absolute_nodes: int = 10,
) -> DoubleLinearity:
    """Fit all amplifiers of a detector.

    The light's scatter is common to all amplifiers, so it drops out of the relative corrections,
    which can have many nodes; only one smooth curve needs the abscissa.

    Parameters
    ----------
    signals : (n, n_amplifier)
        Mean levels above bias; NaN where there is none.
    abscissa : (n,)
        Photodiode charge or exposure time.
    errors : (n, n_amplifier) or number
        Standard errors of the levels.
    stability, groups
        As in `fit_linearity`. Groups give the relative fits a ratio each too (lamps light the detector
        differently); the model has their mean, so ratios should agree to some per cent.
    maximum : (n_amplifier,), optional
        Turn-offs.
    reference
        Reference amplifier; None: the one with the highest turn-off, or highest levels relative to errors.
    relative_nodes, absolute_nodes
        Nodes, those at 0 included.

    Returns
    -------
    DoubleLinearity
        An amplifier whose levels do not tell its correction has the reason, and the others go on.

    Raises
    ------
    ValueError
        The shapes differ.

    Notes
    -----
    The model is that called DoubleSpline in the Rubin Observatory's pipelines (Plazas Malagon et al. 2024,
    arXiv:2404.14516, describe its place), here with the ratio of amplifiers in it. The relative correction is
    0 at ``ratio`` times the signal at which the absolute one is.
    """
    m = np.asarray(signals, np.float64)
    t = np.asarray(abscissa, np.float64)
    if m.ndim != 2 or t.shape != m.shape[:1]:
        raise ValueError(f"signals {m.shape} and abscissa {t.shape} must be (n, n_amplifier) and (n,)")
    sigma = np.broadcast_to(np.asarray(errors, np.float64), m.shape)
    limits = np.full(m.shape[1], np.inf) if maximum is None else np.asarray(maximum, np.float64)
    order = _candidates(m, sigma, limits) if reference is None else [reference]
    absolute, chosen = undetermined("no amplifier", len(t)), -1
    for number in order:
        form = spline_form(m[:, number], count=absolute_nodes, maximum=float(limits[number]))
        absolute = fit_linearity(
            m[:, number],
            t,
            form,
            error=sigma[:, number],
            stability=stability,
            groups=groups,
            maximum=float(limits[number]),
        )
        if absolute.determined:
            chosen = number
            break
    fits = [_one(m, sigma, limits, a, chosen, absolute, groups, relative_nodes) for a in range(m.shape[1])]
    return DoubleLinearity(chosen, tuple(fits))


def _candidates(m: Float64, sigma: Float64, limits: Float64) -> list[int]:
    """Amplifiers in the order in which they are tried as the reference."""
    known = np.isfinite(m) & (m <= limits)
    with np.errstate(invalid="ignore", over="ignore"):
        precision = np.where(known, np.abs(m) / np.maximum(sigma, 1e-9 * np.abs(m) + 1e-30), 0.0)
    precision = np.nan_to_num(precision, nan=0.0)
    best = np.median(precision, axis=0) if len(m) else np.zeros(m.shape[1])
    return [int(number) for number in np.lexsort((-best, -limits))]


def _one(
    m: Float64,
    sigma: Float64,
    limits: Float64,
    number: int,
    reference: int,
    absolute: LinearityFit,
    groups: Numbers | None,
    nodes: int,
) -> DoubleFit:
    """One amplifier against the reference amplifier."""
    if reference < 0:
        reason = f"no amplifier serves as the reference: {absolute.reason}"
        return DoubleFit(False, reason, Proportional(), None, absolute)
    if number == reference:
        return DoubleFit(True, "", absolute.model, None, absolute)
    mine, other = m[:, number], np.where(absolute.used, m[:, reference], np.nan)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratios = np.where(mine <= limits[number], mine / other, np.nan)
    about = float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else np.nan
    if not np.isfinite(about) or about <= 0:
        reason = "no signal where the reference amplifier has some: the amplifier is dead"
        return DoubleFit(False, reason, Proportional(), None, absolute)
    both = np.hypot(sigma[:, number], about * sigma[:, reference])
    form = spline_form(
        np.where(np.isfinite(other), mine, np.nan),
        count=nodes,
        maximum=float(limits[number]),
        reference=about * absolute.reference,
    )
    # Levels without errors tell their scatter themselves.
    scatter = 0.0 if (both > 0).any() else None
    fit = fit_linearity(
        mine, other, form, error=both, stability=scatter, groups=groups, maximum=float(limits[number])
    )
    if not fit.determined:
        return DoubleFit(False, fit.reason, Proportional(), fit, absolute)
    ratio = float(np.average(fit.scale, weights=1.0 / np.maximum(fit.scale_error, 1e-300) ** 2))
    return DoubleFit(True, "", DoubleSpline(fit.model, absolute.model, ratio), fit, absolute)
