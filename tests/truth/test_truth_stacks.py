"""Combined images against truth: chi-square with the true variance, and quoted variances."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.combine import (
    combine_clipped,
    combine_expected,
    mean_variance_factor,
    scatter_variance_factor,
    unbiased_variance,
)
from fiducial.algorithms.dark import combine_dark

SHAPE = (256, 512)
NU = SHAPE[0] * SHAPE[1]
LIMIT = 0.01 + 5 * np.sqrt(2 / NU)  # of the reduced chi-square of a stack


def chi2(image, truth, variance):
    return float(np.mean(np.square(image.astype(np.float64) - truth) / variance))


def mean_pull(image, truth, variance):
    return float(np.mean((image - truth) / np.sqrt(variance)))


def rounded(values):
    return np.rint(values).astype(np.float32)


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bias_stacks(n, seed):
    rng = np.random.default_rng([seed, n])
    truth = 1000 + rng.normal(0, 3, SHAPE)
    noise = 6.5
    stack = rounded(truth + rng.normal(0, noise, (n, *SHAPE)))
    combined = combine_clipped(stack, None, kappa=3, iterations=3)
    true_variance = (noise**2 + 1 / 12) / n * mean_variance_factor(n, 3.0, 3)
    assert abs(chi2(combined.image, truth, true_variance) - 1) < LIMIT
    assert abs(mean_pull(combined.image, truth, true_variance)) < 4 / np.sqrt(NU)
    # The quoted variance has its N-dependent expectation. Its relative scatter is sqrt(2 / (n - 1)) a
    # pixel; the factors' own errors are 0.2 per cent each.
    quoted = float(np.mean(combined.variance, dtype=np.float64)) / true_variance
    scatter = 4 * np.sqrt(2 / (n - 1) / NU) + 0.004
    assert abs(quoted - scatter_variance_factor(n, 3.0, 3)) < scatter
    unbiased = np.mean(unbiased_variance(combined, kappa=3, iterations=3), dtype=np.float64)
    assert abs(unbiased / true_variance - 1) < scatter


@pytest.mark.parametrize(
    ("n", "kappa", "iterations"),
    [(3, 3.0, 3), (5, 3.0, 3), (10, 3.0, 3), (20, 3.0, 3), (50, 3.0, 1), (20, 2.5, 5), (100, 4.0, 3)],
)
def test_variance_factors_equal_a_plain_simulation(n, kappa, iterations):
    # No control variates and other random numbers: the variance of the mean from its own square, over
    # p pixels good to sqrt(2 / p), the quoted one to sqrt(2 / ((n - 1) p)).
    rng = np.random.default_rng([99, n])
    quoted, square, pixels = 0.0, 0.0, 0
    for _ in range(8):
        stack = rng.standard_normal((n, 1, 4_000_000 // n), dtype=np.float32)
        combined = combine_clipped(stack, None, kappa=kappa, iterations=iterations)
        quoted += float(np.sum(combined.variance, dtype=np.float64))
        square += float(np.sum(np.square(combined.image, dtype=np.float64)))
        pixels += stack.shape[2]
    factor = scatter_variance_factor(n, kappa, iterations)
    tolerance = 4 * np.sqrt(2 / pixels) + 2 * 0.002
    assert abs(quoted / square / factor - 1) < tolerance * np.sqrt(1 + 1 / (n - 1))
    assert abs(n * square / pixels / mean_variance_factor(n, kappa, iterations) - 1) < tolerance
    assert (factor < 1) == (n >= 10)


def test_variance_factors_without_clipping_are_one():
    assert scatter_variance_factor(7, 3.0, 0) == 1
    assert scatter_variance_factor(8, 3.0, 5) == 1  # nothing can deviate by 3 s among eight
    assert scatter_variance_factor(9, 3.0, 5) < 1
    assert np.isnan(scatter_variance_factor(1, 3.0, 5))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20])
def test_weighted_stacks_with_outliers(n):
    rng = np.random.default_rng(n)
    truth = rng.normal(0, 3, SHAPE)
    sigma = np.linspace(4, 12, n)
    stack = truth + rng.normal(0, 1, (n, *SHAPE)) * sigma[:, None, None]
    hit = (rng.random(stack.shape) < 0.002) & (
        np.arange(n) == rng.integers(0, n, SHAPE)[..., None]
    ).transpose(2, 0, 1)
    stack[hit] += rng.uniform(200, 5000, int(hit.sum()))
    combined = combine_expected(stack.astype(np.float32), None, variance=sigma**2, kappa=5, iterations=10)
    # Hits of 200 and more stand 16 sigma out of the noisiest frame; the best of two or three tells.
    np.testing.assert_array_equal(combined.clipped[hit.any(axis=0)], 1)
    assert combined.clipped.sum() - hit.sum() <= 1 + 5e-6 * stack.size
    w = np.where(hit, 0, sigma[:, None, None] ** -2)
    true_variance = 1 / w.sum(axis=0)
    assert abs(chi2(combined.image, truth, true_variance) - 1) < LIMIT
    assert abs(mean_pull(combined.image, truth, true_variance)) < 4 / np.sqrt(NU)
    right = combined.clipped == hit.sum(axis=0)
    np.testing.assert_allclose(combined.variance[right], true_variance[right], rtol=1e-6)


TIMES = np.array([10.0, 20.0, 30.0, 60.0, 60.0, 100.0, 150.0, 300.0])
READ_NOISE = 6.0  # electron


def dark_frames(seed, times, cosmic_rate, gain):
    """Rate in adu/s, the stack in adu, and which values a cosmic ray hit."""
    rng = np.random.default_rng(seed)
    rate = np.where(rng.random(SHAPE) < 0.01, rng.exponential(20, SHAPE), 0.03)  # electron / s
    times = times[:, None, None]
    electrons = rng.poisson(rate * times) + rng.normal(0, READ_NOISE, (len(times), *SHAPE))
    hit = rng.random(electrons.shape) < cosmic_rate * times
    electrons[hit] += rng.exponential(1000, int(hit.sum()))
    return rate / gain, rounded(electrons / gain), hit


@pytest.mark.parametrize("gain", [1.0, 1.9])
@pytest.mark.parametrize("cosmic_rate", [0.0, 2e-6])  # per pixel and second: 5 in a cm^2 and second
@pytest.mark.parametrize("times", [TIMES, np.full(5, 60.0), np.full(3, 300.0)])
def test_darks_of_any_times(times, cosmic_rate, gain):
    rate, stack, hit = dark_frames(7, times, cosmic_rate, gain)
    read = np.full(len(times), (READ_NOISE / gain) ** 2 + 1 / 12)
    combined = combine_dark(stack, None, times=times, read_variance=read, gain=gain, kappa=5, iterations=10)
    t = times[:, None, None]
    w = np.where(hit, 0, t**2 / (read[:, None, None] + rate * t / gain))
    true_variance = 1 / w.sum(axis=0)
    # A frame is judged by the others: its deposit stands out by five sigma of the difference, or stays
    # in. With three sigma of noise on top, all larger ones must be found.
    own = (read[:, None, None] + rate * t / gain) / t**2
    others = 1 / (w.sum(axis=0) - np.where(hit, 0, 1 / own))
    small = hit & (stack / t - rate < 8 * np.sqrt(own + others))
    clean = ~small.any(axis=0)
    assert abs(chi2(combined.image[clean], rate[clean], true_variance[clean]) - 1) < LIMIT
    found = hit.any(axis=0) & clean
    assert (combined.clipped[found] >= 1).all()
    # What is left in of small deposits shifts the mean of all pixels by less than a hundredth of sigma.
    assert abs(mean_pull(combined.image, rate, true_variance)) < 4 / np.sqrt(NU) + 0.01
    assert (found.sum() > 50) == (cosmic_rate > 0)


def test_clipping_rates_of_different_times_would_be_wrong():
    # Why darks have a combination of their own: read noise in a rate is 30 times larger at 10 s than
    # at 300 s, so a clipped mean of rates is far noisier than the weighted one.
    rate, stack, _ = dark_frames(8, TIMES, 0.0, 1.0)
    read = np.full(len(TIMES), READ_NOISE**2 + 1 / 12)
    weighted = combine_dark(stack, None, times=TIMES, read_variance=read, gain=1.0, kappa=5, iterations=10)
    clipped = combine_clipped(stack, None, scale=TIMES, kappa=3, iterations=3)
    assert np.std(clipped.image - rate) > 3 * np.std(weighted.image - rate)


@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_flat_stacks_of_changing_light(n):
    rng = np.random.default_rng(n)
    gain = 1.5
    truth = rng.normal(1, 0.01, SHAPE)
    light = 20_000 * rng.uniform(0.8, 1.2, n)
    signal = truth * light[:, None, None]
    stack = rounded(rng.poisson(signal * gain) / gain)
    combined = combine_clipped(stack, None, scale=light, kappa=3, iterations=3)
    true_variance = (
        np.mean(truth / gain / light[:, None, None] + 1 / 12 / light[:, None, None] ** 2, axis=0) / n
    )
    assert abs(chi2(combined.image, truth, true_variance) - 1) < LIMIT
    assert abs(mean_pull(combined.image, truth, true_variance)) < 4 / np.sqrt(NU) + 0.002
