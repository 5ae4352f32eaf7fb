"""A photon transfer curve: means and covariances of one amplifier's pairs of flats, by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64
from fiducial.algorithms.pair_covariances import PairCovariances

LEAST_LEVELS = 4
"""Pairs at different levels that a fit needs."""
LEAST_SPAN = 1.5
"""Ratio of the highest to the lowest level that a fit needs."""


@dataclass(frozen=True, slots=True, eq=False)
class TransferCurve:
    """Pairs of flats of one amplifier.

    Attributes
    ----------
    means : (n,) float64
        Mean signal, adu; NaN for a pair that says nothing.
    covariances : (n, lags, lags) float64
        As in `PairCovariances`, adu^2; ``covariances[:, 0, 0]`` are the variances.
    counts : (n, lags, lags) int64
        Pairs of pixels in each.
    noise_weights : (n,) float64, optional
        As `PairCovariances.noise_weight`; 1 if not given.
    """

    means: Float64
    covariances: Float64
    counts: Int64
    noise_weights: Float64 | None = None

    @classmethod
    def of(cls, pairs: Sequence[PairCovariances]) -> TransferCurve:
        """The curve of some pairs, in their order; what is not determined is NaN."""
        if not pairs:
            return cls(np.empty(0), np.empty((0, 1, 1)), np.empty((0, 1, 1), np.int64))
        return cls(
            np.array([pair.mean if pair.determined else np.nan for pair in pairs]),
            np.stack([pair.covariances for pair in pairs]),
            np.stack([pair.counts for pair in pairs]),
            np.array([pair.noise_weight for pair in pairs]),
        )

    def weights_of_noise(self, which: Flags) -> Float64:
        """Of some pairs: what the noise without light is multiplied by."""
        if self.noise_weights is None:
            return np.ones(int(np.count_nonzero(which)))
        return self.noise_weights[which]

    @property
    def variances(self) -> Float64:
        """Variance of a pixel of one frame, adu^2."""
        return np.asarray(self.covariances[:, 0, 0], np.float64)

    @property
    def measured(self) -> Flags:
        """Which pairs have a mean and a variance."""
        with np.errstate(invalid="ignore"):
            return (
                np.isfinite(self.means)
                & np.isfinite(self.variances)
                & (self.variances > 0)
                & (self.counts[:, 0, 0] > 1)
            )

    def lack(self, kept: Flags) -> str:
        """Why pairs are not enough for a fit; empty where they are."""
        number = int(np.count_nonzero(kept))
        if number == 0:
            return "no pair of flats is usable"
        if number < LEAST_LEVELS:
            pairs = "pair" if number == 1 else "pairs"
            return f"{number} usable {pairs} of flats, at least {LEAST_LEVELS} are needed"
        means, variances = self.means[kept], self.variances[kept]
        low, high = float(means.min()), float(means.max())
        errors = np.sqrt(2.0 / self.counts[kept, 0, 0]) * variances
        if high <= 0 or high**2 <= 25.0 * float(np.median(variances / self.counts[kept, 0, 0])):
            return "the amplifier sees no light"
        if high < LEAST_SPAN * max(low, 0.0):
            return f"one level only: pairs from {low:.6g} to {high:.6g} adu"
        top, bottom = int(np.argmax(means)), int(np.argmin(means))
        highest = int(np.argmax(variances))
        if variances[highest] - variances[bottom] < 5.0 * np.hypot(errors[highest], errors[bottom]):
            return "the variance does not rise with the signal: dead or saturated"
        if np.corrcoef(means, variances)[0, 1] < 0 and variances[top] < variances[bottom]:
            return "the variance falls with the signal: saturated"
        return ""
