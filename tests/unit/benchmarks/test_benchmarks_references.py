"""The float64 references, against loops over single pixels and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.compare import difference
from benchmarks.ours.covariances import covariances as our_covariances
from benchmarks.peers.numpy_stack import clipped_mean as numpy_clipped_mean
from benchmarks.references import (
    Clipping,
    Masters,
    amplifiers,
    clipped_mean,
    covariances,
    detrended,
    without_overscan,
)
from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, SATURATION, SIZES

from fiducial.kernels import clipped_mean as our_clipped_mean

SIZE = SIZES["small"]


def slow_mean(values: np.ndarray, clipping: Clipping) -> float:
    """Clip the values of one pixel, one round after the other."""
    done = 0
    while True:
        centre = np.mean(values) if clipping.centre == "mean" else np.median(values)
        centre = np.floor(centre) if clipping.centre == "integer median" else centre
        about = centre if clipping.about == "centre" else np.mean(values)
        sigma = np.sqrt(np.sum((values - about) ** 2) / max(len(values) - clipping.ddof, 1))
        left = values[np.abs(values - centre) <= 3.0 * sigma]
        done += 1
        if len(left) == len(values) or done == clipping.rounds:
            return float(left.mean())
        values = left


def frames(seed: int, number: int = 20, pixels: int = 400) -> np.ndarray:
    """Integers with outliers, in which some pixels have several."""
    random = np.random.default_rng(seed)
    values = np.rint(random.normal(1000, 4, (number, pixels)))
    hit = random.random(values.shape) < 0.03
    values[hit] += random.exponential(300, hit.sum())
    return np.rint(values)


@pytest.mark.parametrize(
    "clipping",
    [
        Clipping("median", ddof=1),
        Clipping("median", ddof=0),
        Clipping("mean", ddof=1),
        Clipping("integer median", ddof=0),
        Clipping("median", ddof=1, about="centre"),
        Clipping("median", ddof=0, rounds=1),
    ],
    ids=str,
)
def test_the_reference_clips_as_a_loop_does(clipping: Clipping) -> None:
    values = frames(1)
    expected = [slow_mean(column, clipping) for column in values.T]
    # The sums of 20 values near 1000 are taken in another order: 20 * 1000 * 2^-53, times 20 to be safe.
    np.testing.assert_allclose(clipped_mean(values, clipping), expected, rtol=0, atol=5e-11)
    assert np.abs(np.array(expected) - values.mean(axis=0)).max() > 10  # there was something to reject


def test_definitions_differ_where_it_matters() -> None:
    values = frames(2, pixels=5000)
    ddof0, ddof1 = (clipped_mean(values, Clipping("median", ddof=ddof)) for ddof in (0, 1))
    assert np.any(np.abs(ddof0 - ddof1) > 1)


def test_our_kernel_and_the_numpy_peer_agree_with_their_references() -> None:
    values = frames(3).astype(np.float32)
    ours = our_clipped_mean(values, None, None, kappa=3.0, iterations=20)[0]
    # Half a unit in the last place of float32 between 512 and 1024, and a rounding on the way.
    np.testing.assert_allclose(ours, clipped_mean(values, Clipping("median", ddof=1)), rtol=0, atol=1.3e-4)
    numpy = numpy_clipped_mean(values.copy())
    # Twenty additions in float32: 20 units in the last place of the sum (2^-9 near 20000), over 20.
    np.testing.assert_allclose(numpy, clipped_mean(values, Clipping("median", ddof=0)), rtol=0, atol=2e-3)


def test_detrending_gives_back_what_was_put_in() -> None:
    random = np.random.default_rng(4)
    shape = (SIZE.rows, SIZE.columns)
    light = random.uniform(0, 1000, shape)
    bias, dark = random.normal(0, 1, shape), random.uniform(0, 0.1, shape)
    flat, mask = random.uniform(0.8, 1.2, shape), np.zeros(shape, np.uint8)
    mask[3, 4] = 1
    raw = np.empty(SIZE.raw_shape)
    level = random.normal(1000, 2, (SIZE.rows, 2))
    for k in range(2):
        pixels = (light * flat + EXPOSURE * dark + bias)[:, SIZE.detector[k]]
        raw[:, SIZE.data[k]] = pixels + level[:, [k]]
        raw[:, SIZE.bias_columns[k]] = level[:, [k]]
    raw[7, 8] = SATURATION
    image, variance, flags = detrended(raw, Masters(bias, dark, flat, mask), SIZE)
    good = np.ones(shape, bool)
    good[7, 8] = False
    np.testing.assert_allclose(image[good], light[good], rtol=0, atol=1e-9)  # rounding of numbers near 2000
    assert flags[3, 4] == 1
    assert flags[7, 8] == 2
    assert np.count_nonzero(flags) == 2
    here = 9, SIZE.columns - 1  # of the second amplifier
    electrons = (light[here] * flat[here] + EXPOSURE * dark[here]) * GAIN[1] + READ_NOISE[1] ** 2
    assert variance[here] == pytest.approx(electrons / (GAIN[1] * flat[here]) ** 2, rel=1e-9)


def test_models_of_the_level() -> None:
    raw = np.full(SIZE.raw_shape, 2000.0)
    for k, level in enumerate((1000.0, 1100.0)):
        raw[:, SIZE.bias_columns[k]] = level
    own, fixed = (without_overscan(raw, SIZE, model) for model in ("amplifier", "level"))
    assert (own[0, 0], own[0, -1]) == (1000.0, 900.0)
    assert (fixed[0, 0], fixed[0, -1]) == (950.0, 950.0)
    first = without_overscan(raw, SIZE, "first")
    assert (first[0, 0], first[0, -1]) == (1000.0, 1000.0)


def test_covariances_of_known_neighbours() -> None:
    random = np.random.default_rng(5)
    noise = random.normal(0, 20, (2, 512, 512))
    noise += 0.1 * np.roll(noise, 1, axis=1)
    first, second = np.rint(noise + 1000).astype(np.uint16)
    first[100, 100] = 60000
    found = covariances(first, second)
    # Standard error of a covariance of 512^2 pixels: variance / 512, here 400 / 512 = 0.8; 5 of them. The
    # 5-sigma clip takes 1e-5 of the variance, rounding adds 1/12.
    assert found[0, 0] == pytest.approx(400 * 1.01 + 1 / 12, abs=5 * 0.8 * np.sqrt(2))
    assert found[1, 0] == pytest.approx(40, abs=4)
    assert found[0, 1] == pytest.approx(0, abs=4)
    # Ours sums float32 products: 2^-24 of a value, random, in the mean of 262144: far below 1e-6.
    np.testing.assert_allclose(our_covariances(first, second), found, rtol=0, atol=404 * 1e-6)


def test_amplifiers_cover_a_pair() -> None:
    seen = np.zeros((64, 32), int)
    for where in amplifiers(seen.shape):
        seen[where] += 1
    assert seen.min() == seen.max() == 1


def test_a_difference_is_of_pixels_that_both_define() -> None:
    found = difference(np.array([1.0, np.nan, 3.0, 4.0]), np.array([1.0, 2.0, np.nan, 4.5]))
    assert (found.largest, found.notable) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no element in common"):
        difference(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(ValueError, match=r"the result is \(2,\), the reference \(3,\)"):
        difference(np.zeros(2), np.zeros(3))
