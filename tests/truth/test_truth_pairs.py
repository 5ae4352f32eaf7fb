"""Read noise and gain from simulated pairs: unbiased within 0.1 sigma, errors that cover 68 per cent.

2,000 independent estimates each: the mean pull is known to 0.022, the coverage to 1.04 per cent, so the
limits of 0.1 and 3 per cent are not met by luck nor failed by bad luck.
"""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.pairs import flat_pair_gain, pair_noise

ESTIMATES = 2000


def judge(pulls):
    pulls = np.asarray(pulls)
    assert len(pulls) == ESTIMATES
    assert abs(pulls.mean()) < 0.1
    assert abs(np.mean(np.abs(pulls) < 1) - 0.6827) < 0.03


@pytest.mark.parametrize("sigma", [0.8, 6.5])
@pytest.mark.parametrize("cosmic_rays", [0.0, 0.002])
def test_read_noise(sigma, cosmic_rays):
    rng = np.random.default_rng(11)
    truth = np.sqrt(sigma**2 + 1 / 12)  # rounding to integers is noise too
    pulls = []
    for _ in range(ESTIMATES):
        pair = 1000.37 + rng.normal(0, sigma, (2, 64, 96))
        pair[1] += rng.normal(0, 1)  # levels drift
        if cosmic_rays:
            hit = rng.random(pair.shape) < cosmic_rays
            pair[hit] += rng.exponential(300, int(hit.sum())) + 8 * sigma
        estimate = pair_noise(*np.rint(pair))
        pulls.append((estimate.sigma - truth) / estimate.error)
    judge(pulls)


@pytest.mark.parametrize("level", [300.0, 20_000.0])
def test_gain(level):
    rng = np.random.default_rng(12)
    gain, read_noise, shape = 1.9, 4.0, (64, 64)
    y, x = np.mgrid[: shape[0], : shape[1]]
    scene = level * (0.4 + 1.2 * x / shape[1]) * (1 + 0.05 * np.sin(y / 3))  # a gradient and structure
    noise = np.sqrt(read_noise**2 + 1 / 12)
    pulls = []
    for _ in range(ESTIMATES):
        lamp = np.array([1.0, rng.normal(1, 0.01)])[:, None, None]
        pair = rng.poisson(lamp * scene * gain) / gain + rng.normal(0, read_noise, (2, *shape))
        pair = np.rint(pair + 1000)
        hit = rng.random(pair.shape) < 3e-4
        pair[hit] += rng.exponential(3000, int(hit.sum())) + 20 * np.sqrt(level)
        estimate = flat_pair_gain(*pair, level_a=1000.0, level_b=1000.0, block=16, read_noise=noise)
        pulls.append((estimate.gain - gain) / estimate.error)
    judge(pulls)
