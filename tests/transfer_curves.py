"""Photon transfer curves of known gain, noise and matrices, with the noise that Gaussian pixels give."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.ptc_covariance_model import CovarianceModel, CovarianceParameters, whole
from fiducial.algorithms.ptc_curve import TransferCurve


def matrices(lags, gain, noise, strength):
    """Matrices like those of a thick CCD: long tails, columns unlike rows, no change of the total area."""
    row, column = np.mgrid[:lags, :lags].astype(float)
    a = 0.12 * strength / (row**2 + column**2 + 0.7) ** 1.4
    a[1:, 0] *= 1.5
    a[0, 0] = -(whole(a).sum() - a[0, 0])
    adu = np.zeros((lags, lags))
    adu[0, 0] = (noise / gain) ** 2
    if lags > 1:
        adu[0, 1] = 0.05 * adu[0, 0]
    return CovarianceParameters(gain, a, a * -0.5 * strength, adu)


def expected(parameters, means):
    lags = len(parameters.a)
    values, _ = CovarianceModel(means, lags)(parameters.packed(with_c=True))
    return values.reshape(len(means), lags, lags)


def measured(rng, means, covariances, pixels):
    """One curve: covariances with the scatter of so many Gaussian pixels."""
    counts = np.full(covariances.shape, 2 * pixels)
    counts[:, 0, :] = pixels
    counts[:, :, 0] = pixels
    errors = covariances[:, :1, :1] / np.sqrt(counts)
    errors[:, 0, 0] *= np.sqrt(2)
    return TransferCurve(means, covariances + errors * rng.normal(size=covariances.shape), counts)


def variances_only(curve):
    return TransferCurve(curve.means, curve.covariances[:, :1, :1], curve.counts[:, :1, :1])
