"""The noise that a residual is expected to have: the variance of F - E M, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Source = Literal["overscan", "pairs", "certified"]

CREDIBLE = 30.0
"""A pixel whose master variance exceeds the typical one by this factor says nothing about the others."""


@dataclass(frozen=True, slots=True)
class ReadNoise:
    """A read noise with its standard error, in the unit of the pixels.

    Parameters
    ----------
    source
        ``overscan``: the frame's own; ``pairs``: differences of biases that are not under test;
        ``certified``: the certified or nominal value.
    """

    value: float
    error: float
    source: Source


@dataclass(frozen=True, slots=True)
class OverscanError:
    """What subtracting an overscan model adds to the noise, in the unit of the pixels squared.

    Parameters
    ----------
    pixel
        sigma_os^2: the variance added to each pixel (mean over rows).
    row
        The part of it that one row shares and that differs from row to row: all of ``pixel`` for models
        row by row, 0 for smooth ones.
    level
        The variance of the model's mean over all rows, kappa RN^2 / (n_os n_rows).
    column
        The part of ``pixel`` that one column shares: from the parallel overscan.
    """

    pixel: float
    row: float
    level: float
    column: float = 0.0

    @property
    def smooth(self) -> float:
        """The part of ``pixel`` that changes slowly along the rows: of curves, all but their mean's."""
        return max(0.0, self.pixel - self.row - self.column - self.level) if self.row == 0 else 0.0

    @property
    def modes(self) -> float:
        """Parameters of the curve beside its mean: the degrees of freedom of ``smooth``."""
        return max(1.0, self.smooth / self.level) if self.level > 0 else 1.0


def overscan_error(
    method: str, variance: NDArray[np.float64], read_noise: float, used: int, unit: float = 1.0
) -> OverscanError:
    """What an overscan model adds.

    Parameters
    ----------
    method
        Of the model, as in `fiducial.cameras.model.OverscanMethod`.
    variance
        Shape (ny,): variance that the model adds to each row, raw adu squared.
    read_noise
        Of an overscan pixel, raw adu.
    used
        Overscan pixels per row.
    unit
        Pixels' unit per adu: the gain where pixels are in electrons.
    """
    pixel = float(np.mean(variance)) if variance.size else 0.0
    by_row = method.endswith("_per_row")
    if by_row:
        level = pixel / max(1, variance.size)
    elif method == "none":
        level = 0.0
    else:
        # The mean of a fitted curve is the mean of what it was fitted to.
        kappa = np.pi / 2 if method == "median" else 1.0
        level = kappa * read_noise**2 / max(1, used * variance.size)
    return OverscanError(pixel * unit**2, pixel * unit**2 if by_row else 0.0, level * unit**2)


def frame_variance(
    *,
    read_noise: float,
    signal: NDArray[np.float32] | float,
    electrons_per_unit: float,
    a00: float | None,
    overscan_variance: float,
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    r"""Variance of one frame: :math:`RN^2 + \max(S, 0) (1 + a_{00} S) + \sigma_{os}^2`.

    Parameters
    ----------
    read_noise
        In the unit of the pixels.
    signal
        S before the dark was subtracted, in the unit of the pixels: 0, or shape (ny, nx); NaN counts as 0.
    electrons_per_unit
        1 in electrons, the gain in adu: :math:`S / g` is then the Poisson variance.
    a00
        1/electron, negative; None counts as 0 (the lower limit of the noise test widens instead).
    overscan_variance
        Added by the overscan model, unit squared.
    shape
        Of the result.

    References
    ----------
    Astier et al. 2019 (A&A 629, A36), eq. 20, for the term in a00.
    """
    floor = read_noise**2 + overscan_variance
    if np.isscalar(signal) and signal <= 0:
        return np.full(shape, floor, dtype=np.float32)
    clean = np.maximum(np.nan_to_num(np.asarray(signal, dtype=np.float32), nan=0.0), np.float32(0))
    poisson = clean / np.float32(electrons_per_unit)
    if a00:
        # Beyond 1/|a00| the linear term has no meaning; the variance never falls below a tenth of Poisson.
        poisson *= np.maximum(1.0 + np.float32(a00 * electrons_per_unit) * clean, np.float32(0.1))
    return np.broadcast_to(poisson + np.float32(floor), shape)


def photon_share(
    variance: NDArray[np.float32], floor: float, signal: NDArray[np.float32], electrons_per_unit: float
) -> float:
    """Mean of S (electrons) times the photon noise's share of the variance: what an a00 acts on."""
    clean = np.maximum(np.nan_to_num(signal), np.float32(0))
    return float(np.mean(clean * np.float32(electrons_per_unit) * (1.0 - np.float32(floor) / variance)))


def master_fraction(
    scaled_variance: NDArray[np.float32], variance: NDArray[np.float32], usable: NDArray[np.bool_]
) -> float:
    """The master's variance as a fraction of the frame's: the mean of E^2 V_M / V over usable pixels.

    The variance plane of a stack of N frames is itself an estimate with N - 1 degrees of freedom, and for
    a frame that is in the stack it rises and falls with the residual: used pixel by pixel it would bias
    the noise by about 1/N^2. So its mean stands for it. Pixels without a credible variance are left out.

    Parameters
    ----------
    scaled_variance
        E^2 V_M, shape (ny, nx).
    variance
        Of one frame, shape (ny, nx).
    usable
        Pixels that count.
    """
    good = usable & np.isfinite(scaled_variance) & (scaled_variance >= 0)
    ratio = scaled_variance[good] / variance[good]
    if ratio.size == 0:
        return 0.0
    typical = float(np.median(ratio))
    if typical > 0:
        ratio = ratio[ratio <= CREDIBLE * typical]
    return float(np.mean(ratio, dtype=np.float64))


def residual_factor(fraction: float, in_master: bool) -> float:
    """1 - f for a frame that is in the master, 1 + f for one that is not, f the `master_fraction`."""
    return 1.0 - fraction if in_master else 1.0 + fraction
