"""Where a photon transfer curve turns off, and which of its points are outliers."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64
from fiducial.algorithms.gauss_newton import Prior, Solution, least_squares
from fiducial.algorithms.ptc_curve import LEAST_LEVELS, TransferCurve
from fiducial.algorithms.ptc_models import VarianceCurve

TOLERANCE = 0.02
"""Of the variance: a point that is off by less has not turned off."""

_SIGMAS = 5.0
_START_SHARE = 0.3  # of the points, the lowest: where the curve is believed to begin with
_START_LEVEL = 0.1  # of the highest level: up to there too
_STRETCH = 2.0  # times the highest level that is believed, the next ones are looked at
_ROUNDS = 20
_MOST_BENT = 0.3  # expected size of a00 times the electrons of the highest level, which depletes full pixels


@dataclass(frozen=True, slots=True, eq=False)
class TurnOff:
    """Which points of a curve can be used.

    Attributes
    ----------
    level : float
        Mean of the highest pair that follows the curve, adu.
    error : float
        Half the interval to the next pair above; NaN where there is none.
    found : bool
        Whether there are pairs above, which all have left the curve; if not, it turns off at ``level`` or
        higher.
    kept : (n,) bool
        Pairs up to the turn-off that are no outliers.
    outliers : (n,) bool
        Pairs up to the turn-off that are.
    """

    level: float
    error: float
    found: bool
    kept: Flags
    outliers: Flags


def find_turnoff(curve: TransferCurve, *, sigmas: float = _SIGMAS, tolerance: float = TOLERANCE) -> TurnOff:
    """Follow the variance from the lowest levels above 0 up until it leaves the curve for good.

    The curve (`exponential_variance`) is fitted to the lowest third of the points and all below a tenth of
    the highest level, without outliers, and extended, held to a bend that pixels can have: points that agree
    with its prediction within ``sigmas`` of their and its error, or within ``tolerance``, are taken in and
    the fit renewed. Where more than half of all points from one on do not agree, that is the turn-off; other
    points that do not agree are outliers. In the end points beyond ``sigmas`` times the scatter of the
    others are outliers too.

    Parameters
    ----------
    curve : TransferCurve
    sigmas : float
        Limit in standard errors.
    tolerance : float
        Limit as a share of the variance.

    Returns
    -------
    TurnOff
        Nothing kept where fewer than `LEAST_LEVELS` points were measured.

    References
    ----------
    Robust scatter: Huber 1981, Robust Statistics, chapter 5.
    """
    order = np.argsort(
        np.where(curve.measured & (curve.means > 0), curve.means, np.inf), kind="stable"
    ).astype(np.int64)
    order = order[: int(np.count_nonzero(curve.measured & (curve.means > 0)))]
    outliers = np.zeros(len(curve.means), bool)
    if len(order) < LEAST_LEVELS:
        return TurnOff(nan, nan, False, curve.measured & False, outliers)
    points = _Points(curve, sigmas, tolerance)
    low = int(np.count_nonzero(curve.means[order] <= _START_LEVEL * curve.means[order[-1]]))
    end = min(len(order), max(LEAST_LEVELS + 1, low, int(np.ceil(_START_SHARE * len(order)))))
    good = points.without_outliers(order[:end])
    while end < len(order):
        fails = points.fails(good, order[end:])
        # From each point on: the share of points that fail.
        share = np.cumsum(fails[::-1])[::-1] / np.arange(len(fails), 0, -1)
        leave = np.flatnonzero(fails & (share > 0.5))
        if leave.size and leave[0] == 0:
            break
        near = int(np.count_nonzero(curve.means[order[end:]] <= _STRETCH * curve.means[order[end - 1]]))
        step = max(1, min(near, int(leave[0]) if leave.size else len(fails)))
        good = np.concatenate([good, order[end : end + step][~fails[:step]]])
        end += step
    good = points.without_outliers(good)
    kept = np.zeros(len(curve.means), bool)
    kept[good] = True
    last = int(np.flatnonzero(kept[order])[-1])
    found = last < len(order) - 1
    level = float(curve.means[order[last]])
    error = 0.5 * float(curve.means[order[last + 1]] - level) if found else nan
    outliers[order[:last]] = True
    return TurnOff(level, error, found, kept, outliers & ~kept)


class _Points:
    """The points of a curve, by their numbers."""

    def __init__(self, curve: TransferCurve, sigmas: float, tolerance: float) -> None:
        self._means, self._variances = curve.means, curve.variances
        self._counts = curve.counts[:, 0, 0].astype(np.float64)
        self._sigmas, self._tolerance = sigmas, tolerance
        self._top = float(curve.means[curve.measured].max())

    def _fit(self, which: Int64) -> Solution[Float64]:
        counts = self._counts[which]
        means, variances = self._means[which], self._variances[which]
        start = start_of(means, variances)
        # Low levels alone would let the curve go anywhere above them.
        reach = np.array([0.0, _MOST_BENT / (abs(start[0]) * self._top), 0.0])
        prior = Prior(np.zeros(3), np.divide(1.0, reach**2, out=np.zeros(3), where=reach > 0))
        return least_squares(
            VarianceCurve().evaluator(means),
            lambda model: 0.5 * counts / np.square(model),
            variances,
            start,
            prior,
        )

    def fails(self, good: Int64, others: Int64) -> Flags:
        """Which points are not where the curve through the good ones leads."""
        fit = self._fit(good)
        spread = max(1.0, _spread(self._pulls(fit, good)))
        with np.errstate(invalid="ignore", over="ignore"):
            model, derivatives = VarianceCurve().evaluator(self._means[others])(fit.parameters)
            known = np.einsum("ij,jk,ik->i", derivatives, fit.covariance, derivatives)
            limit = self._sigmas * spread * np.sqrt(known + 2.0 * np.square(model) / self._counts[others])
        off = np.abs(self._variances[others] - model)
        return np.asarray(off > np.fmax(limit, self._tolerance * np.abs(model)))

    def without_outliers(self, which: Int64) -> Int64:
        """The points that are within the limit of a curve through the others."""
        for _ in range(_ROUNDS):
            fit = self._fit(which)
            # A point draws the curve towards itself: by its leverage.
            leverage = fit.weights * np.einsum(
                "ij,jk,ik->i", fit.derivatives, fit.covariance, fit.derivatives
            )
            pulls = self._pulls(fit, which) / np.sqrt(np.fmax(1.0 - leverage, 1e-3))
            worst = int(np.argmax(np.abs(pulls)))
            freedom = max(len(which) - len(fit.parameters) - 1, 1)
            rest = np.sqrt(max(fit.chi2 - pulls[worst] ** 2, 0.0) / freedom)
            limit = self._sigmas * max(1.0, min(_spread(pulls), rest))
            if not abs(pulls[worst]) > limit or len(which) <= LEAST_LEVELS:
                break
            which = np.delete(which, worst)
        return which

    def _pulls(self, fit: Solution[Float64], which: Int64) -> Float64:
        return np.asarray(np.sqrt(fit.weights) * (self._variances[which] - fit.model))


def _spread(pulls: Float64) -> float:
    return 1.4826 * float(np.median(np.abs(pulls)))


def start_of(means: Float64, variances: Float64) -> Float64:
    """Gain, a00 and noise of a parabola through the points, each weighted by its variance."""
    weight = 1.0 / np.maximum(variances, 1e-6 * float(variances.max()))
    top = max(float(np.abs(means).max()), 1e-30)
    scaled = means / top
    matrix = np.stack([scaled, np.square(scaled), np.ones_like(means)], axis=1) * weight[:, None]
    linear, square, noise = np.linalg.lstsq(matrix, variances * weight, rcond=None)[0]
    if not linear > 0:
        return np.array([float(np.median(np.abs(means) / variances)), 0.0, 0.0])
    # A start beyond the peak of the curve would lead elsewhere.
    return np.array([top / linear, min(max(square, -0.4 * linear), 0.4 * linear) / top**2, noise])
