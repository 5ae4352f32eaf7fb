"""Covariances of flats against their mean, from the way that charge shifts the boundaries of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.signal

from fiducial.algorithms.arrays import Float64, Int64
from fiducial.algorithms.ptc_covariance_derivatives import CovarianceDerivatives


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceParameters:
    """What the covariances of one amplifier follow.

    Attributes
    ----------
    gain : float
        Electrons per adu.
    a : (lags, lags) float64
        Relative change of a pixel's area per electron i rows and j columns away, 1/electron.
    c : (lags, lags) float64
        a b: how that change itself changes with the charge, 1/electron^2.
    noise : (lags, lags) float64
        Covariances without light, adu^2.
    """

    gain: float
    a: Float64
    c: Float64
    noise: Float64

    @classmethod
    def unpacked(cls, packed: Float64, lags: int, *, with_c: bool) -> CovarianceParameters:
        """From one vector: gain, a, noise and, where it is fitted, c."""
        a, noise, *rest = packed[1:].reshape(-1, lags, lags)
        return cls(float(packed[0]), a, rest[0] if with_c else np.zeros((lags, lags)), noise)

    def packed(self, *, with_c: bool) -> Float64:
        """As one vector."""
        parts = [self.a, self.noise, self.c] if with_c else [self.a, self.noise]
        return np.concatenate([[self.gain], *(part.ravel() for part in parts)])


class CovarianceModel:
    r"""The covariances of flats to a number of lags, at some means.

    .. math:: C_{ij}(\mu) = \frac{\mu}{g} \left[ \delta_{i0} \delta_{j0} + a_{ij} \mu g
              + \frac{2}{3} [a \otimes a + a b]_{ij} (\mu g)^2
              + \frac{1}{6} [2 a \otimes a \otimes a + 5 a \otimes a b]_{ij} (\mu g)^3 \right] + N_{ij}

    a and b are the same on all four sides of a pixel, and 0 beyond the lags of the model; the products
    in the convolutions reach beyond them. a b is one parameter c, for b means nothing where a is small.
    For a alone at lag 0 this is `exponential_variance` to the fourth power of the mean.

    Parameters
    ----------
    means : (n,) float64
        adu
    lags : int
        Number of lags in rows and in columns, lag 0 included.
    with_c : bool
        False: c = 0.
    noise_weights : (n,), optional
        What the noise without light is multiplied by at each mean; 1 if not given.

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), equation 20.
    """

    def __init__(
        self, means: Float64, lags: int, *, with_c: bool = True, noise_weights: Float64 | None = None
    ) -> None:
        self._noise_weights = np.ones(len(means)) if noise_weights is None else noise_weights
        self.lags, self.with_c = lags, with_c
        self._means = means
        self._places = _mirror_places(lags)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 1 + (3 if self.with_c else 2) * self.lags**2

    def __call__(self, packed: Float64) -> tuple[Float64, CovarianceDerivatives]:
        """Values (n * lags^2,) and their derivatives at a vector of parameters."""
        size = self.lags**2
        p = CovarianceParameters.unpacked(packed, self.lags, with_c=self.with_c)
        by_a, by_twice = self._matrix(p.a), self._matrix(self_convolved(p.a))
        a, c = p.a.ravel(), p.c.ravel()
        zero = np.zeros(size)
        zero[0] = 1.0
        # Coefficients of the powers 1 to 4 of the mean in electrons.
        terms = np.stack(
            [
                zero,
                a,
                2.0 / 3.0 * (by_a @ a + c),
                by_twice @ a / 3.0 + 5.0 / 6.0 * by_a @ c,
            ]
        )
        electrons = packed[0] * self._means
        powers = electrons[:, None] ** np.arange(1, 5) / packed[0] ** 2
        values = powers @ terms + np.multiply.outer(self._noise_weights, p.noise.ravel())
        by_gain = ((np.arange(1, 5) - 2.0) / packed[0])[:, None] * terms
        return values.ravel(), CovarianceDerivatives(
            np.concatenate([powers, self._noise_weights[:, None]], axis=1),
            by_gain,
            4.0 / 3.0 * by_a,
            by_twice + 5.0 / 6.0 * self._matrix(p.c),
            5.0 / 6.0 * by_a if self.with_c else None,
        )

    def _matrix(self, x: Float64) -> Float64:
        """The matrix that convolves a symmetric image of ``lags`` with x: (size, size)."""
        wide = np.zeros((2 * self.lags, 2 * self.lags))
        reach = min(len(x), 2 * self.lags - 1)
        wide[:reach, :reach] = x[:reach, :reach]
        flat, size = wide.ravel(), self.lags**2
        total = np.zeros((size, size))
        # Each lag stands for itself and its mirror images; those of lag 0 are one.
        for places, weights in self._places:
            total += flat[places] * weights
        return total


@lru_cache(maxsize=8)
def _mirror_places(lags: int) -> tuple[tuple[Int64, Float64], ...]:
    """Where, of (2 lags)^2 lags, the distance of two and of one from the mirrors of the other is; weights."""
    lag = np.arange(lags)
    near, far = np.abs(lag[:, None] - lag), lag[:, None] + lag
    sides = (near, np.ones(lags)), (far, (lag > 0).astype(np.float64))
    size = lags**2
    found = []
    for rows, of_row in sides:
        for columns, of_column in sides:
            places = rows[:, None, :, None] * (2 * lags) + columns[None, :, None, :]
            found.append((places.reshape(size, size), np.multiply.outer(of_row, of_column).ravel()))
    return tuple(found)


def whole(quadrant: Float64) -> Float64:
    """All four sides of what is the same on all of them: (2 lags - 1, 2 lags - 1)."""
    half = np.concatenate([quadrant[:0:-1], quadrant])
    return np.concatenate([half[:, :0:-1], half], axis=1)


def self_convolved(quadrant: Float64) -> Float64:
    """A symmetric image convolved with itself, without a cut: the quadrant (2 lags - 1, 2 lags - 1)."""
    full = scipy.signal.fftconvolve(whole(quadrant), whole(quadrant))
    middle = full.shape[0] // 2
    return np.asarray(full[middle:, middle:], np.float64)
