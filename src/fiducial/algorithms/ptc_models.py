"""Variance of flats against their mean: the curves that photon transfer follows, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fiducial.algorithms.arrays import Float64
from fiducial.algorithms.gauss_newton import Evaluate

type VarianceModel = Literal["exponential", "polynomial"]

ROLLOFF_SHARE = 0.01
"""Share of the variance that is missing at the roll-off."""

_SERIES = 1e-3  # below, the series is exact to 1e-16 of the function


def exponential_variance(means: Float64, gain: float, a00: float, noise: float) -> tuple[Float64, Float64]:
    r"""The approximation that solves the covariance equation for the variance alone.

    .. math:: C_{00} = \frac{e^{2 a_{00} \mu g} - 1}{2 g^2 a_{00}} + N

    Parameters
    ----------
    means : (n,)
        Mean signal, adu.
    gain : float
        Electrons per adu.
    a00 : float
        Relative change of a pixel's area per electron in it, 1/electron; negative as charge repels.
    noise : float
        Variance without light, adu^2.

    Returns
    -------
    variance : (n,)
        adu^2
    derivatives : (n, 3)
        By gain, a00 and noise.

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), equation 16.
    """
    z = 2.0 * a00 * gain * means
    small = np.abs(z) < _SERIES
    safe = np.where(small, 1.0, z)
    with np.errstate(over="ignore", invalid="ignore"):
        curve = np.where(small, 1.0 + z / 2 + z**2 / 6 + z**3 / 24 + z**4 / 120, np.expm1(safe) / safe)
        slope = np.where(
            small,
            0.5 + z / 3 + z**2 / 8 + z**3 / 30 + z**4 / 144,
            (np.exp(safe) - np.expm1(safe) / safe) / safe,
        )
    by_gain = means / gain**2 * (z * slope - curve)
    return means / gain * curve + noise, np.stack(
        [by_gain, 2.0 * means**2 * slope, np.ones_like(means)], axis=-1
    )


def polynomial_variance(means: Float64, gain: float, terms: Float64, noise: float) -> tuple[Float64, Float64]:
    r"""Variance as :math:`N + \mu / g + p_2 \mu^2 + p_3 \mu^3 + \dots`.

    Parameters
    ----------
    means, gain, noise
        As of `exponential_variance`.
    terms : (k,)
        p_2, p_3, ...; p_2 is what `exponential_variance` calls a00.

    Returns
    -------
    variance : (n,)
        adu^2
    derivatives : (n, 2 + k)
        By gain, the terms and noise.

    References
    ----------
    Janesick 2007, Photon Transfer, chapter 5; Astier et al. 2019 (A&A 629, A36), section 1.
    """
    powers = means[:, None] ** np.arange(2, 2 + len(terms))
    derivatives = np.concatenate([(-means / gain**2)[:, None], powers, np.ones((len(means), 1))], axis=1)
    return means / gain + powers @ terms + noise, derivatives


@dataclass(frozen=True, slots=True)
class VarianceCurve:
    """A curve to be fitted. Parameters: gain, then a00 or p_2 ..., then noise, then those of a roll-off."""

    model: VarianceModel = "exponential"
    order: int = 2
    rolloff: bool = False

    @property
    def noise(self) -> int:
        """Place of the noise among the parameters."""
        return self.order if self.model == "polynomial" else 2

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.noise + (3 if self.rolloff else 1)

    def evaluator(self, means: Float64, noise_weights: Float64 | None = None) -> Evaluate[Float64]:
        """The model at some means, for a fit; noise without light may count differently in each."""
        plain = self._plain(means)
        if noise_weights is not None:
            plain = self._with_weights(plain, noise_weights)
        return self._with_rolloff(means, plain) if self.rolloff else plain

    def _plain(self, means: Float64) -> Evaluate[Float64]:
        last = self.noise
        if self.model == "polynomial":
            return lambda p: polynomial_variance(means, p[0], p[1:last], p[last])
        return lambda p: exponential_variance(means, p[0], p[1], p[2])

    def _with_weights(self, plain: Evaluate[Float64], weights: Float64) -> Evaluate[Float64]:
        def evaluate(p: Float64) -> tuple[Float64, Float64]:
            values, derivatives = plain(p)
            derivatives[:, self.noise] = weights
            return values + (weights - 1.0) * p[self.noise], derivatives

        return evaluate

    def _with_rolloff(
        self, means: Float64, plain: Callable[[Float64], tuple[Float64, Float64]]
    ) -> Evaluate[Float64]:
        r"""Times :math:`1 - 0.01 e^{(\mu - \mu_r) / \tau}`, which leaves low levels alone."""
        last = self.noise

        def evaluate(p: Float64) -> tuple[Float64, Float64]:
            values, derivatives = plain(p[: last + 1])
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                reach = (means - p[last + 1]) / p[last + 2]
                missing = ROLLOFF_SHARE * np.exp(np.minimum(reach, 300.0))
                of_rolloff = np.stack([values, values * reach], axis=1) * (missing / p[last + 2])[:, None]
            kept = 1.0 - missing
            return values * kept, np.concatenate([derivatives * kept[:, None], of_rolloff], axis=1)

        return evaluate
