"""Pairs of flats, pixel by pixel: covariances, gain and read noise unbiased, errors that cover 68 per cent.

1,000 independent estimates or more of each: the mean pull is known to 0.032, the coverage to 1.5 per cent.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve

from fiducial.algorithms.pair_covariances import pair_covariances
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import fit_variances

pytestmark = pytest.mark.slow

KERNEL = np.array([[0.004, 0.012, 0.004], [0.02, 1.0, 0.02], [0.004, 0.012, 0.004]])


def judge(pulls):
    pulls = np.asarray(pulls)
    assert len(pulls) >= 1000
    assert abs(pulls.mean()) < 0.1
    assert abs(np.mean(np.abs(pulls) < 1) - 0.6827) < 0.03


def kernel_covariance(i, j):
    padded = np.pad(KERNEL, 4)
    return float(np.sum(padded * np.roll(padded, (i, j), (0, 1))))


@pytest.mark.parametrize("cosmic_rays", [0.0, 0.001])
@pytest.mark.parametrize("kappa", [5.0, 3.5])
def test_covariances_of_noise_that_neighbours_share(cosmic_rays, kappa):
    rng = np.random.default_rng(31)
    sigma, shape = 40.0, (96, 128)
    pulls = []
    usable = rng.random(shape) > 0.01
    for _ in range(1000):
        noise = rng.normal(0, sigma, (2, shape[0] + 2, shape[1] + 2))
        pair = 5000 + np.stack([convolve(frame, KERNEL)[1:-1, 1:-1] for frame in noise])
        hit = rng.random(pair.shape) < cosmic_rays
        pair[hit] += 20 * sigma
        found = pair_covariances(*pair.astype(np.float32), usable, max_lag=2, kappa=kappa)
        expected = sigma**2 * np.array([[kernel_covariance(i, j) for j in range(3)] for i in range(3)])
        # Scaling to a common level and the mean taken off leave a part in 10^4 less.
        pulls.append((found.covariances - expected) / found.errors)
    pulls = np.array(pulls)
    for i, j in np.ndindex(3, 3):
        judge(pulls[:, i, j])


@pytest.mark.parametrize(("gain", "noise"), [(2.0, 8.0), (0.6, 20.0)])
def test_gain_and_read_noise_of_pixels(gain, noise):
    """Light of Poisson's law with a gradient, read noise, a lamp that drifts, rounding to integers."""
    rng = np.random.default_rng(32)
    shape = (48, 64)
    levels = np.array([20.0, 60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 15000.0]) / gain
    light = (1 + 0.1 * np.linspace(-1, 1, shape[1]) * np.ones((shape[0], 1))).astype(np.float32)
    gains, noises = [], []
    for _ in range(1000):
        pairs = []
        for level in levels:
            lamp = np.array([1.0, rng.normal(1, 0.005)])[:, None, None]
            flux = rng.poisson(level * gain * lamp * light, (2, *shape)) / gain
            pair = np.rint(flux + rng.normal(0, noise / gain, (2, *shape))).astype(np.float32)
            pairs.append(pair_covariances(*pair, max_lag=0, illumination=light))
        fit = fit_variances(TransferCurve.of(pairs), samples=0)
        total = np.sqrt(noise**2 + gain**2 / 12)  # rounding is noise too
        gains.append((fit.gain - gain) / fit.gain_error)
        noises.append((fit.noise - total) / fit.noise_error)
    judge(gains)
    judge(noises)
