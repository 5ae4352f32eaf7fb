"""What single levels of a photon transfer curve say: gains, with or without what neighbours carry."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Float64
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.errors import AlgorithmError


def with_neighbours(curve: TransferCurve, lag: int) -> TransferCurve:
    """The curve of the variance with the covariances of neighbours added, to so many rows and columns.

    It is that of pixels that share nothing: straight, where charge only moves between neighbours. The sum is
    less certain: its relative error is 2 lag + 1 times that of the variance.

    Raises
    ------
    AlgorithmError
        The covariances do not reach so far.

    References
    ----------
    Downing et al. 2006 (Proc. SPIE 6276, 627609).
    """
    lags = lag + 1
    if curve.covariances.shape[1] < lags:
        raise AlgorithmError(
            f"covariances reach to lag {curve.covariances.shape[1] - 1}, not {lag}",
            hint="Measure more of them.",
        )
    twice = np.where(np.arange(lags) > 0, 2.0, 1.0)
    total = np.einsum("nij,i,j->n", curve.covariances[:, :lags, :lags], twice, twice)
    counts = np.maximum(curve.counts[:, :1, :1] // (2 * lag + 1) ** 2, 1)
    return TransferCurve(curve.means, total[:, None, None], counts, curve.noise_weights)


def level_gains(curve: TransferCurve, read_noise: ReadNoise) -> tuple[Float64, Float64]:
    r"""Gain of each point by itself, :math:`\mu / (C_{00} - R^2)`, and its standard error.

    One level has no curvature: what the brighter-fatter effect takes from the variance makes the gain high by
    as much, unless the covariances of neighbours are added (`with_neighbours`).

    Parameters
    ----------
    curve : TransferCurve
        (n,) points.
    read_noise : ReadNoise
        Of one pixel of one frame, adu.

    Returns
    -------
    gains, errors : (n,) float64
        Electrons per adu; NaN where a point says nothing or has no more variance than the read noise.

    References
    ----------
    Janesick 2001, Scientific Charge-Coupled Devices, chapter 2.
    """
    weights = np.ones(len(curve.means)) if curve.noise_weights is None else curve.noise_weights
    noise = weights * read_noise.sigma**2
    photons = np.where(curve.measured, curve.variances - noise, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        photons = np.where(photons > 0, photons, np.nan)
        gains = curve.means / photons
        scatter = 2.0 / curve.counts[:, 0, 0] * np.square(curve.variances)
        known = np.square(2.0 * weights * read_noise.sigma * read_noise.error)
        errors = gains * np.sqrt(scatter + known) / photons
    return gains, errors
