"""Pairs of frames: what is removed, what is passed over, what is refused."""

import numpy as np
import pytest

from fiducial.algorithms.pairs import flat_pair_gain, mean_gain, neighbour_pairs, pair_noise
from fiducial.errors import AlgorithmError


def flats(gain=2.0, level=5000.0, noise=3.0, shape=(128, 128), seed=1, ratio=1.0):
    rng = np.random.default_rng(seed)
    lamp = np.array([1.0, ratio])[:, None, None]
    return rng.poisson(level * gain * lamp, (2, *shape)) / gain + rng.normal(0, noise, (2, *shape))


def test_levels_and_masked_pixels_do_not_enter_the_noise():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1000, 5, (2, 200, 200))
    plain = pair_noise(a, b)
    assert plain.sigma == pytest.approx(5, abs=4 * plain.error)
    assert plain.error == pytest.approx(5 / np.sqrt(2 * 40_000), rel=0.02)
    assert pair_noise(a + 100, b).sigma == pytest.approx(plain.sigma, rel=1e-9)
    masked = a.copy()
    masked[:10] = np.nan
    masked[20, 5] = np.inf
    assert pair_noise(masked, b).sigma == pytest.approx(5, rel=0.01)
    hot = a.copy()
    hot[::50, ::50] += 1000
    assert pair_noise(hot, b).sigma == pytest.approx(plain.sigma, rel=1e-3)


def test_unsigned_integers_do_not_wrap():
    rng = np.random.default_rng(2)
    a, b = np.rint(rng.normal(1000, 5, (2, 100, 100))).astype(np.uint16)
    assert pair_noise(a, b).sigma == pytest.approx(5, rel=0.05)


def test_one_common_pixel_is_not_enough():
    a = np.array([1.0, np.nan, 3.0])
    with pytest.raises(AlgorithmError, match="fewer than two"):
        pair_noise(a, np.array([1.0, 2.0, np.nan]))


@pytest.mark.parametrize("ratio", [1.0, 0.9, 1.15])
def test_gain_does_not_depend_on_the_ratio_of_the_lamps(ratio):
    found = flat_pair_gain(*flats(ratio=ratio), read_noise=3.0)
    assert found.gain == pytest.approx(2.0, abs=4 * found.error)
    # 64 blocks of 255 degrees of freedom: sqrt(2 / n) of the variance.
    assert found.error / found.gain == pytest.approx(np.sqrt(2 / 128**2), rel=0.05)
    assert found.blocks == 64
    assert found.mean == pytest.approx(5000 * np.sqrt(ratio), rel=1e-3)
    assert found.scatter == pytest.approx(1, abs=5 * np.sqrt(2 / 63))


def test_level_may_be_a_number_or_an_image():
    a, b = flats()
    plain = flat_pair_gain(a, b, read_noise=3.0).gain
    bias = np.linspace(900, 1100, 128)[:, None] * np.ones(128)
    assert flat_pair_gain(
        a + bias, b + bias, level_a=bias, level_b=bias, read_noise=3.0
    ).gain == pytest.approx(plain, rel=1e-9)
    assert flat_pair_gain(a + 900, b + 901, level_a=900, level_b=901, read_noise=3.0).gain == pytest.approx(
        plain, rel=1e-9
    )


def test_outliers_and_masked_pixels_do_not_enter_the_gain():
    a, b = flats()
    plain = flat_pair_gain(a, b, read_noise=3.0)
    a[::9, ::13] += 5000
    b[::17, 3::11] = np.nan
    found = flat_pair_gain(a, b, read_noise=3.0)
    assert found.gain == pytest.approx(plain.gain, abs=plain.error)
    b[:, :64] = np.nan
    assert flat_pair_gain(a, b, read_noise=3.0).blocks == 32


def test_a_gain_that_differs_over_the_flat_widens_the_error():
    a, b = flats()
    c, d = flats(gain=1.5, seed=2)
    mixed = flat_pair_gain(np.hstack([a, c]), np.hstack([b, d]), read_noise=3.0)
    assert mixed.scatter > 2
    assert mixed.error > 1.3 * flat_pair_gain(np.hstack([a, a]), np.hstack([b, b]), read_noise=3.0).error


def test_inputs_are_not_changed():
    a, b = flats()
    before = a.copy()
    flat_pair_gain(a, b, level_a=10.0, read_noise=3.0)
    np.testing.assert_array_equal(a, before)


def test_no_light_no_gain():
    rng = np.random.default_rng(3)
    dark = rng.normal(0, 3, (2, 64, 64))
    with pytest.raises(AlgorithmError, match="light"):
        flat_pair_gain(*dark, read_noise=3.0)
    with pytest.raises(AlgorithmError, match="light"):
        flat_pair_gain(np.full((64, 64), np.nan), dark[0], read_noise=3.0)
    with pytest.raises(AlgorithmError, match="light"):
        flat_pair_gain(np.full((4, 4), 100.0), np.full((4, 4), 100.0), read_noise=3.0)  # below one block


def test_copies_of_one_flat_have_no_gain():
    a, _ = flats()
    with pytest.raises(AlgorithmError, match="copies"):
        flat_pair_gain(a, a, read_noise=3.0)


def test_mean_gain_weights_and_widens():
    gains = [flat_pair_gain(*flats(seed=seed), read_noise=3.0) for seed in range(6)]
    mean = mean_gain(gains)
    assert mean.error == pytest.approx(gains[0].error / np.sqrt(6), rel=0.05)
    assert mean.gain == pytest.approx(2.0, abs=4 * mean.error)
    assert mean.blocks == 6 * 64
    other = [flat_pair_gain(*flats(seed=seed, gain=1.0 + 0.3 * seed), read_noise=3.0) for seed in range(6)]
    assert mean_gain(other).error > 5 * mean.error
    assert np.isnan(mean_gain(gains[:1]).scatter)
    with pytest.raises(AlgorithmError, match="pair"):
        mean_gain([])


def test_neighbours_in_time():
    assert neighbour_pairs(np.arange(5)) == ((0, 1), (2, 3))
    assert neighbour_pairs(np.array([30.0, 10.0, 20.0, 40.0])) == ((1, 2), (0, 3))
    assert neighbour_pairs(np.arange(10), 9) == ((0, 9),)
    assert neighbour_pairs(np.arange(6), 2) == ((0, 2), (1, 3))
    assert neighbour_pairs(np.arange(1)) == ()
