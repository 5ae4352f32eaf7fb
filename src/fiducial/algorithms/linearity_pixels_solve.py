"""Rates of many pixels and the curve that all of them follow: least squares with the rates eliminated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.special import gammainccinv

from fiducial.algorithms.arrays import Flags, Float64
from fiducial.algorithms.linearity_relative import RelativeCurve

_ROUNDS = ((4.0, False), (2.0, False), (1.0, False), (1.0, False), (1.0, True), (1.0, True))
"""Limits of rejection, in units of the last ones, and whether scales of frames are free."""
_STEPS = 8  # in a round, at most
_ENOUGH = 0.01  # of chi-square, that a step gains
_KAPPA = 5.0  # that goes with the following
_CHANCE = 1e-3  # that a good pixel is taken for one that changes its rate
_MOST_LOST = 0.2  # of a pixel's signals; one may be lost in any case
_LONGEST = 0.2  # step of r and of scales
_SMALL = 1e-6
_HALF = 0.6745  # of a Gaussian's absolute values are below so many sigmas


@dataclass(frozen=True, slots=True, eq=False)
class PixelData:
    """What the rates are fitted to; all of shape (n pixels, k frames) but for what is said otherwise.

    ``usable`` tells finite signals; ``times`` and ``frames`` (how many exposures a row is the mean of) have
    shape (k,). ``least`` is the signal that a pixel must reach in one frame, ``maximum`` the largest one that
    is used: both of the fitted signal, which does not depend on the noise of a single one.
    """

    signal: Float64
    usable: Flags
    times: Float64
    frames: Float64
    gain: float
    read_noise: float
    least: float
    maximum: float


@dataclass(frozen=True, slots=True, eq=False)
class Unknowns:
    """What all pixels have in common: r at the nodes, each frame's level and scale (less 1), in this order.

    ``prior`` holds 1 / variance of what is known of each before; the value is 0. ``fixed`` is the node
    whose r is 0, the gauge.
    """

    nodes: int
    frames: int
    fixed: int
    prior: Float64

    def split(self, values: Float64) -> tuple[Float64, Float64, Float64]:
        """r, levels, scales."""
        r = np.insert(values[: self.nodes - 1], self.fixed, 0.0)
        levels, scales = values[self.nodes - 1 :].reshape(2, self.frames)
        return r, levels, scales

    def without_scales(self) -> Float64:
        """The prior that leaves scales where they are."""
        prior = self.prior.copy()
        prior[-self.frames :] = prior[-self.frames :].max() * 1e12
        return prior


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The solution; ``kept`` (n, k) is what it rests on, ``noisy`` (n,) pixels that change their rate."""

    values: Float64
    covariance: Float64
    rates: Float64
    expected: Float64  # (n, k): x, the signal by proportionality
    kept: Flags
    noisy: Flags
    chi2: float
    freedom: int


def solve_pixels(data: PixelData, curve: RelativeCurve, unknowns: Unknowns, kappa: float) -> Solved | None:
    """Fit rates and what pixels have in common; None where the data leave something undetermined.

    Each round takes some Gauss-Newton steps and then decides afresh what is kept. Errors are those of the
    sum over pixels of squared scores (White 1980, Econometrica 48, 817), so that they hold where pixels are
    noisier than expected, or their frames not independent.
    """
    rates = starting_rates(data)
    values = np.zeros(len(unknowns.prior))
    kept, noisy = _reached(data, rates), np.zeros(len(rates), np.bool_)
    for strictness, free in _ROUNDS:
        terms = _Terms.at(data, curve, unknowns, rates, values, kept, noisy)
        kept, noisy = _choose(data, terms, rates, kept, curve.nodes, kappa * strictness)
        # Outliers would drive scales along the power law that r can undo: scales wait until they are gone.
        prior = unknowns.prior if free else unknowns.without_scales()
        for _ in range(_STEPS):
            terms = _Terms.at(data, curve, unknowns, rates, values, kept, noisy)
            step, gain = terms.step(unknowns, prior, values)
            if not np.isfinite(gain):
                return None
            values = values + step
            rates = np.where(terms.known, np.maximum(rates + terms.of_rates(step), _SMALL), rates)
            if gain < _ENOUGH:
                break
    terms = _Terms.at(data, curve, unknowns, rates, values, kept, noisy)
    covariance = terms.covariance(unknowns)
    if covariance is None:
        return None
    kept = kept & ~noisy[:, None]
    freedom = int(kept.sum() - np.count_nonzero(kept.any(axis=1))) - len(values)
    chi2 = float(np.sum(terms.weights * np.square(terms.residual), where=kept))
    return Solved(values, covariance, rates, terms.expected, kept, noisy, chi2, freedom)


def starting_rates(data: PixelData) -> Float64:
    """Median rate over the longer half of the frames: deaf to one ray, and to the noise of short ones."""
    long = data.times >= np.median(data.times)
    with np.errstate(all="ignore"):
        rates = np.where(data.usable, data.signal / data.times, np.nan)
        few = ~np.isfinite(rates[:, long]).any(axis=1)
        middle = np.full(len(rates), np.nan)
        middle[~few] = np.nanmedian(rates[~few][:, long], axis=1)
        some = few & np.isfinite(rates).any(axis=1)
        middle[some] = np.nanmedian(rates[some], axis=1)
    rates_found: Float64 = np.maximum(np.nan_to_num(middle), _SMALL)
    return rates_found


def _reached(data: PixelData, rates: Float64) -> Flags:
    """Signals that may be used: of pixels bright enough, in at least two frames of different times."""
    expected = rates[:, None] * data.times
    kept = data.usable & (expected <= data.maximum)
    kept &= (np.max(expected, axis=1, where=kept, initial=0.0) >= data.least)[:, None]
    shortest = np.min(np.broadcast_to(data.times, kept.shape), axis=1, where=kept, initial=np.inf)
    longest = np.max(np.broadcast_to(data.times, kept.shape), axis=1, where=kept, initial=0.0)
    kept &= (longest > shortest)[:, None]
    return kept


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """The linear problem about a solution, with the rate of each pixel eliminated."""

    expected: Float64  # (n, k)
    weights: Float64  # (n, k), 0 where not kept
    variance: Float64  # (n, k), expected
    residual: Float64  # (n, k), 0 where there is no signal
    by_rate: Float64  # (n, k)
    common: Float64  # (n, k, g): derivatives by what is common; 0 for noisy pixels
    own: Float64  # (n,): curvature of each rate
    known: Flags  # (n,): pixels that have a rate

    @classmethod
    def at(
        cls,
        data: PixelData,
        curve: RelativeCurve,
        unknowns: Unknowns,
        rates: Float64,
        values: Float64,
        kept: Flags,
        noisy: Flags,
    ) -> _Terms:
        r, levels, scales = unknowns.split(values)
        factors = data.times * (1.0 + scales)
        x = np.maximum(rates, _SMALL)[:, None] * factors
        shares, slopes = curve.weights(x)
        relative = 1.0 + shares @ r
        slope = relative + slopes @ r  # of f
        variance = (data.read_noise**2 + np.maximum(x * relative, 0.0) / data.gain) / data.frames
        weights = np.where(kept, 1.0 / variance, 0.0)
        residual = np.where(data.usable, data.signal - x * relative - levels, 0.0)
        by_rate = factors * slope
        k = len(data.times)
        common = np.zeros((*x.shape, len(values)))
        common[..., : unknowns.nodes - 1] = x[..., None] * np.delete(shares, unknowns.fixed, axis=-1)
        each = np.arange(k)
        common[:, each, unknowns.nodes - 1 + each] = 1.0
        common[:, each, unknowns.nodes - 1 + k + each] = x * slope / (1.0 + scales)
        common[noisy] = 0.0
        own = np.sum(weights * np.square(by_rate), axis=1)
        return cls(x, weights, variance, residual, by_rate, common, own, own > 0)

    def step(self, unknowns: Unknowns, prior: Float64, values: Float64) -> tuple[Float64, float]:
        """Change of what is common, as far as the linear problem holds, and the gain of chi-square."""
        matrix, scores = self._reduced()
        inverse = _inverse(matrix + np.diag(prior))
        if inverse is None:
            return np.zeros_like(values), np.nan
        slope = scores.sum(axis=0) - prior * values
        step: Float64 = inverse @ slope
        relative = np.delete(step, np.s_[unknowns.nodes - 1 : unknowns.nodes - 1 + unknowns.frames])
        share = min(1.0, _LONGEST / max(float(np.abs(relative).max()), _SMALL))
        return share * step, float(slope @ step)

    def of_rates(self, step: Float64) -> Float64:
        """Change of the rates that goes with a change of what is common."""
        left = self.residual - self.common @ step
        change: Float64 = np.sum(self.weights * self.by_rate * left, axis=1)
        return change / np.where(self.known, self.own, 1.0)

    def covariance(self, unknowns: Unknowns) -> Float64 | None:
        """Of what is common, from the scores of the pixels."""
        matrix, scores = self._reduced()
        size = len(matrix)
        number = int(np.count_nonzero(scores.any(axis=1)))
        inverse = _inverse(matrix + np.diag(unknowns.prior))
        if inverse is None or number <= size:
            return None
        spread = scores.T @ scores * (number / (number - size)) + np.diag(unknowns.prior)
        covariance: Float64 = inverse @ spread @ inverse
        return covariance

    def _reduced(self) -> tuple[Float64, Float64]:
        """Curvature by what is common, (g, g), and each pixel's score, (n, g), less what rates take up."""
        size = self.common.shape[-1]
        weighted = self.common * self.weights[..., None]
        own = np.where(self.known, self.own, 1.0)
        mixed = np.einsum("nkg,nk->ng", weighted, self.by_rate)
        matrix = weighted.reshape(-1, size).T @ self.common.reshape(-1, size)
        matrix -= mixed.T @ (mixed / own[:, None])
        pull = np.sum(self.weights * self.by_rate * self.residual, axis=1) / own
        scores = np.einsum("nkg,nk->ng", weighted, self.residual) - mixed * pull[:, None]
        return matrix, scores


def _choose(
    data: PixelData, terms: _Terms, rates: Float64, kept: Flags, nodes: Float64, kappa: float
) -> tuple[Flags, Flags]:
    """What is kept: no signal that stands out from its pixel's others; and pixels that change their rate.

    Of a pixel's signals the worst one goes in a round: it draws the others' rate. One that went before
    comes back where it agrees with the others' rate. Limits widen where the bulk of the signals about a
    node scatters more than expected: in the first rounds since r is not known yet.
    """
    reached = _reached(data, rates)
    of_rate = np.square(terms.by_rate) / np.where(terms.known, terms.own, np.inf)[:, None]
    scatter = terms.variance + np.where(terms.weights > 0, -of_rate, of_rate)
    pull = np.abs(terms.residual) / np.sqrt(np.maximum(scatter, _SMALL * terms.variance))
    unit = _units(pull, kept, terms.expected, nodes)
    fine = pull <= kappa * unit
    worst = np.argmax(np.where(kept, pull / unit, 0.0), axis=1)
    rows = np.arange(len(rates))
    keep = reached & (kept | fine)
    keep[rows, worst] &= fine[rows, worst]
    freedom = np.maximum(kept.sum(axis=1) - 1, 1)
    chi2 = np.sum(terms.weights * np.square(terms.residual / unit), axis=1)
    lost = reached.sum(axis=1) - keep.sum(axis=1)
    noisy = chi2 > (kappa / _KAPPA) ** 2 * 2.0 * gammainccinv(0.5 * freedom, _CHANCE)
    # A pixel that loses a signal now is judged by the others the next time.
    noisy &= ~(kept & ~keep).any(axis=1)
    noisy |= lost > max(1.0, _MOST_LOST * kept.shape[1])
    keep[keep.sum(axis=1) < 2] = False
    return keep, noisy


def _units(pull: Float64, kept: Flags, expected: Float64, nodes: Float64) -> Float64:
    """Scatter of the pulls about each node, by their median, where it is larger than 1: (n, k)."""
    place = np.searchsorted(np.sqrt(nodes[1:] * nodes[:-1]), expected)
    units = np.ones(len(nodes))
    for node in range(len(nodes)):
        mine = pull[kept & (place == node)]
        units[node] = max(1.0, float(np.median(mine)) / _HALF) if mine.size else 1.0
    return units[place]


def _inverse(matrix: Float64) -> Float64 | None:
    scale = np.sqrt(np.diag(matrix))
    if not (np.isfinite(matrix).all() and (scale > 0).all()):
        return None
    try:
        factor = scipy.linalg.cho_factor(matrix / scale / scale[:, None], check_finite=False)
    except np.linalg.LinAlgError:
        return None
    inverse: Float64 = scipy.linalg.cho_solve(factor, np.eye(len(scale)), check_finite=False)
    return inverse / scale / scale[:, None]
