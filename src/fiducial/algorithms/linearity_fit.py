"""How a signal departs from proportionality to the light: a robust fit of a correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64, Numbers
from fiducial.algorithms.linearity_forms import Form
from fiducial.algorithms.linearity_models import LinearityModel, Proportional
from fiducial.algorithms.linearity_solve import Equations, Solution, solve

_MOST = 1e12  # a signal beyond this is none

MOST_OUTLIERS = 0.2
"""A fit with a larger part of its levels rejected is not determined."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearityFit:
    """A fitted correction C: ``m + C(m) = k_g t + offset``.

    The overall gain is not in the data: any scale of C's sum with m has its k. It is fixed by the form:
    C(0) = 0, and C is 0 at ``reference`` too (a reference of 0: C has no slope at 0).

    Attributes
    ----------
    determined : bool
        Whether the data tell the correction; if not, the model is `Proportional` and errors are NaN.
    reason : str
        Why it is not determined; empty if it is.
    model : LinearityModel
        The correction.
    reference : float
        Signal at which the correction is 0 by convention.
    labels : (n_group,)
        Groups of illumination.
    scale, scale_error : (n_group,) float64
        k of each group: signal for one unit of the abscissa.
    offset, offset_error : float
        Signal without light; 0 and 0 where none was fitted.
    used, outlier : (n,) bool
        Which levels the fit used, and which it rejected.
    residual : (n,) float64
        (m + C(m) - offset) / (k t) - 1 of each level, used or not; NaN where it cannot be said.
    stability : float
        Relative scatter of the light about the abscissa, as given or as estimated.
    chi2 : float
    freedom : int
    form : Form or None
    covariance : (p, p) float64
        Of the form's coefficients.
    """

    determined: bool
    reason: str
    model: LinearityModel
    reference: float
    labels: Int64
    scale: Float64
    scale_error: Float64
    offset: float
    offset_error: float
    used: Flags
    outlier: Flags
    residual: Float64
    stability: float
    chi2: float
    freedom: int
    form: Form | None
    covariance: Float64

    def correction_error(self, signal: Numbers) -> Float64:
        """Standard error of C at some signals; NaN where nothing is determined."""
        values = np.asarray(signal, np.float64)
        if self.form is None or not self.determined:
            return np.full(values.shape, np.nan)
        curves = self.form.design(np.clip(values, 0.0, self.model.maximum))
        variance = np.einsum("...i,ij,...j->...", curves, self.covariance, curves)
        result: Float64 = np.sqrt(np.maximum(variance, 0.0))
        return result


def fit_linearity(
    signal: Numbers,
    abscissa: Numbers,
    form: Form,
    *,
    error: Numbers | float = 0.0,
    stability: float | None = None,
    groups: Numbers | None = None,
    maximum: float | None = None,
    offset: bool = False,
    kappa: float = 5.0,
) -> LinearityFit:
    """Fit one amplifier's correction.

    Parameters
    ----------
    signal : (n,)
        Mean level of each flat or pair, above bias. The curve is that of the mean: pixels whose light
        scatters by a relative v about it blur the curve by v^2 m^2 C''(m) / 2.
    abscissa : (n,)
        Photodiode charge, exposure time, or another amplifier's signal.
    form
        What the correction may look like (`linearity_forms`).
    error : (n,) or number
        Standard error of each signal.
    stability
        Relative scatter of the light about the abscissa (lamp, shutter, photodiode); None: from the fit.
    groups : (n,), optional
        Illumination of each level: each group has a scale of its own (lamp settings, photodiode ranges).
    maximum
        Turn-off: larger signals are not used.
    offset
        Whether there may be signal without light (a shutter's delay, scattered light). It is hard to tell
        from a correction at low signal.
    kappa
        Levels are rejected, the worst first, whose residual is so many of its standard deviations.

    Returns
    -------
    LinearityFit
        Data that do not tell the correction give one that is not determined, with the reason; levels that
        are NaN, without light, or without a known error are passed over.

    Raises
    ------
    ValueError
        The shapes differ.

    Notes
    -----
    Least squares with weights 1 / (error^2 + (stability k t)^2), the equation being linear in k, the offset
    and the coefficients (the linearity fit of Astier et al. 2019, arXiv:1905.08677, is of that kind). The
    light's scatter is expected about the fitted line, so that weights do not depend on a level's own
    noise. Outliers are told by studentised residuals (Cook & Weisberg 1982, Residuals and Influence in
    Regression, 2.2), so that a level cannot hide by its own pull.
    """
    m, t = np.asarray(signal, np.float64), np.asarray(abscissa, np.float64)
    sigma = np.broadcast_to(np.asarray(error, np.float64), m.shape)
    group = np.zeros(m.shape, np.int64) if groups is None else np.asarray(groups).astype(np.int64)
    if m.ndim != 1 or t.shape != m.shape or group.shape != m.shape:
        raise ValueError(f"signal {m.shape}, abscissa {t.shape} and groups {group.shape} must be one length")
    usable = (np.abs(m) < _MOST) & (t > 1 / _MOST**2) & (t < _MOST**2) & (sigma >= 0) & (sigma < _MOST)
    if reason := _unusable(m, sigma, usable, maximum):
        return undetermined(reason, m.size)
    if maximum is not None:
        usable &= m <= maximum
    labels = np.unique(group[usable])
    unknowns = form.unknowns + len(labels) + int(offset)
    levels = _distinct(m[usable], group[usable])
    if levels < max(2, unknowns) or (stability is None and usable.sum() <= unknowns):
        return undetermined(_too_few(levels, unknowns), m.size)
    equations = Equations.of(m, t, sigma, group, usable, form, offset)
    solution = solve(equations, usable, stability, kappa)
    if solution is None:
        what = (
            "a group of illumination is not tied to the others by signals in common"
            if len(labels) > 1
            else ("signals leave parts of the curve free")
        )
        return undetermined(what, m.size)
    if solution.outlier.sum() > MOST_OUTLIERS * usable.sum():
        share = f"{int(solution.outlier.sum())} of {int(usable.sum())}"
        return undetermined(f"{share} levels are outliers: the light did not follow the abscissa", m.size)
    return _fitted(equations, solution, labels, usable)


def undetermined(reason: str, levels: int) -> LinearityFit:
    """A fit that says why there is none."""
    nothing = np.zeros(levels, np.bool_)
    return LinearityFit(
        False,
        reason,
        Proportional(),
        np.nan,
        np.zeros(0, np.int64),
        np.zeros(0),
        np.zeros(0),
        np.nan,
        np.nan,
        nothing,
        nothing,
        np.full(levels, np.nan),
        np.nan,
        np.nan,
        0,
        None,
        np.zeros((0, 0)),
    )


def _unusable(m: Float64, sigma: Float64, usable: Flags, maximum: float | None) -> str:
    """Why there is nothing to fit; empty if there is."""
    if not usable.any():
        return "no level has a finite signal, a positive abscissa and a known error"
    if not (m[usable] > 5.0 * sigma[usable]).any() or not (m[usable] > 0).any():
        return "no signal: the amplifier is dead or the lamp was off"
    if maximum is not None and not maximum > 0:
        return f"the turn-off of {maximum:g} is no signal: it was not determined"
    if maximum is not None and not (m[usable] <= maximum).any():
        return f"every level is above the turn-off of {maximum:g}: saturated"
    return ""


def _distinct(m: Float64, group: Int64) -> int:
    """Levels that differ by one per cent or more, over the groups."""
    count = 0
    for label in np.unique(group):
        mine = np.sort(m[(group == label) & (m > 0)])
        count += int(np.sum(np.diff(np.log(mine)) > 0.01)) + 1 if len(mine) else 0
    return count


def _too_few(levels: int, unknowns: int) -> str:
    if levels <= 1:
        return "one level only" if levels else "no level with light"
    return f"{levels} levels that differ do not tell {unknowns} unknowns"


def _fitted(equations: Equations, solution: Solution, labels: Int64, usable: Flags) -> LinearityFit:
    """The result in the words of its user."""
    n, free = equations.groups, equations.groups + int(equations.offset)
    values, errors = solution.values, np.sqrt(np.diag(solution.covariance))
    model = equations.form.model(values[free:])
    offset = float(values[n]) if equations.offset else 0.0
    # A level of a group that has none in the fit has no scale.
    known = (np.abs(equations.signal) < _MOST) & (equations.abscissa > 0) & (equations.group >= 0)
    scale = np.where(known, values[equations.group], np.nan)
    signal = np.where(known, equations.signal, np.nan)
    corrected = signal + model.correction(signal) - offset
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        residual = np.where(known, corrected / (scale * equations.abscissa) - 1.0, np.nan)
    return LinearityFit(
        True,
        "",
        model,
        equations.form.reference,
        labels,
        values[:n],
        errors[:n],
        offset,
        float(errors[n]) if equations.offset else 0.0,
        usable & ~solution.outlier,
        solution.outlier,
        residual,
        solution.stability,
        solution.chi2,
        solution.freedom,
        equations.form,
        solution.covariance[free:, free:],
    )
