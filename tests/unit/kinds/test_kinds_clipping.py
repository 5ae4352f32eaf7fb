"""Clipped means: scatter or expected noise, by how many frames there are."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.combine_by import MODES, Rule
from fiducial.kinds.clipping import combine_batch, uses_scatter
from fiducial.kinds.engine import Batch
from frame_arrays import READ_NOISE, tiny_camera

SIDE = 60


def batch_of(stack: np.ndarray) -> Batch:
    amp = tiny_camera().amplifiers(0)[0]
    return Batch(
        amp,
        amp.detector,
        stack.astype(np.float32),
        np.isfinite(stack),
        np.zeros(stack.shape[1:], np.int32),
        np.zeros(len(stack)),
    )


def noise(count: int, seed: int = 0) -> np.ndarray:
    return READ_NOISE * np.random.default_rng(seed).standard_normal((count, SIDE, SIDE))


@pytest.mark.parametrize(
    ("count", "kappa", "iterations", "scatter"),
    [(4, 3.0, 3, False), (9, 3.0, 3, False), (10, 3.0, 3, True), (16, 4.0, 3, False), (5, 3.0, 0, True)],
)
def test_what_tells_outliers(count: int, kappa: float, iterations: int, scatter: bool) -> None:
    assert uses_scatter(count, Rule("clipped_mean", kappa, iterations)) is scatter


@pytest.mark.parametrize("count", [3, 9, 10, 25])
def test_one_outlier_is_rejected_from_few_frames_and_from_many(count: int) -> None:
    stack = noise(count)
    stack[1, 10, 10] += 400.0
    found = combine_batch(batch_of(stack), Rule(), world="electron", scale=None, light=False, threads=1)
    assert found.clipped[10, 10] >= 1
    assert abs(found.image[10, 10]) < 6 * READ_NOISE / np.sqrt(count - 1)


@pytest.mark.parametrize("count", [3, 9, 12])
def test_the_variance_is_that_of_the_mean(count: int) -> None:
    found = combine_batch(
        batch_of(noise(count)), Rule(), world="electron", scale=None, light=False, threads=1
    )
    # The mean over 3600 pixels of a variance of count - 1 degrees of freedom: 2.8 % for 3 frames, less for
    # more; of the spread of the image: sqrt(2 / 3600) = 2.4 %. Three of both.
    assert float(found.variance.mean()) == pytest.approx(float(found.image.var()), rel=0.11)


def test_pixels_with_few_frames_have_the_expected_variance() -> None:
    stack = noise(12)
    stack[3:, 0, 0] = np.nan
    found = combine_batch(batch_of(stack), Rule(), world="electron", scale=None, light=False, threads=1)
    assert found.used[0, 0] == 3
    assert found.variance[0, 0] == pytest.approx(READ_NOISE**2 / 3)


def test_few_flats_are_clipped_by_the_noise_of_their_light() -> None:
    level, scale = 10_000.0, np.array([1.0, 1.2, 0.8, 1.1])
    rng = np.random.default_rng(1)
    response = rng.normal(1.0, 0.1, (SIDE, SIDE))
    mean = level * scale[:, None, None] * response
    stack = rng.poisson(mean) + READ_NOISE * rng.standard_normal(mean.shape)
    stack[2, 5, 5] += 3000.0
    found = combine_batch(
        batch_of(stack),
        Rule(kappa=4.0),
        world="electron",
        scale=level * scale,
        light=True,
        threads=1,
    )
    assert found.clipped[5, 5] == 1
    assert found.clipped.sum() <= 5  # 4 x 3600 at four sigma: 0.9 expected
    z = (found.image - response) / np.sqrt(found.variance)
    assert float(np.mean(z**2)) == pytest.approx(1.0, abs=5 * np.sqrt(2 / SIDE**2))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [3, 4, 5, 8, 13])
def test_the_variance_is_that_of_any_result(mode: str, count: int) -> None:
    rule = Rule(mode, 3.0, 3, 1, 1)
    found = combine_batch(
        batch_of(noise(count, seed=count)), rule, world="electron", scale=None, light=False, threads=1
    )
    # As above. The expected variance of few frames passes over that the mean without extremes is worse than
    # a mean of the frames that it keeps is bad: 3 frames without two are a median, 0.45 and not 1.
    quoted, true = float(found.variance.mean()), float(found.image.var())
    if mode == "minmax" and count < 5:
        assert true < 1.05 * quoted
    else:
        assert quoted == pytest.approx(true, rel=0.11)


@pytest.mark.parametrize("mode", ["clipped_mean", "clipped_median", "median", "minmax"])
def test_an_outlier_does_not_matter(mode: str) -> None:
    stack = noise(12)
    stack[1, 10, 10] += 400.0
    found = combine_batch(
        batch_of(stack), Rule(mode, 3.0, 3, 1, 1), world="electron", scale=None, light=False, threads=1
    )
    # 5 sigma of the worst of them, the median
    assert abs(found.image[10, 10]) < 5 * READ_NOISE * np.sqrt(np.pi / 2 / 12)
    assert (found.clipped[10, 10] > 0) == mode.startswith("clipped")
    assert found.clipped.mean() < 0.1
