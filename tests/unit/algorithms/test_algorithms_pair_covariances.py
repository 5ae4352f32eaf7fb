"""Covariances of pairs: what is removed, what is passed over, and the ways of summing."""

import numpy as np
import pytest

from fiducial.algorithms.lag_sums import lag_sums_by_fft
from fiducial.algorithms.pair_covariances import covariance_errors, pair_covariances
from fiducial.kernels import lag_products
from lagged_reference import lagged


def flats(level=5000.0, sigma=40.0, shape=(120, 140), seed=1, ratio=1.0):
    rng = np.random.default_rng(seed)
    return (level * np.array([1.0, ratio])[:, None, None] + rng.normal(0, sigma, (2, *shape))).astype(
        np.float32
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (33, 47)])
@pytest.mark.parametrize("lag", [0, 3, 50])
def test_fourier_transforms_and_sums_agree(shape, lag):
    rng = np.random.default_rng(1)
    usable = rng.random(shape) < 0.9
    values = rng.normal(0, 5, shape) * usable
    sums, counts = lag_sums_by_fft(values, usable, lag)
    expected, _, pairs = lagged(values, usable, lag)
    np.testing.assert_array_equal(counts, pairs)
    np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-12 * np.sum(values**2) + 1e-12)


def test_direct_sums_and_transforms_give_one_answer_across_the_crossover():
    pair = flats()
    few, many = (pair_covariances(*pair, max_lag=lag) for lag in (24, 25))
    np.testing.assert_array_equal(few.counts, many.counts[:25, :25])
    # Floats summed over 512 columns: 2.3e-6 of the magnitudes, whose mean is below the variance.
    tolerance = 2.3e-6 * few.covariances[0, 0]
    np.testing.assert_allclose(few.covariances, many.covariances[:25, :25], rtol=0, atol=tolerance)


def test_one_quadrant_holds_both_sides():
    pair = flats(shape=(30, 40))
    found = pair_covariances(*pair, max_lag=2, match_levels=False)
    difference = pair[0] - pair[1]
    sums, counts = lag_products(difference - difference.mean(), None, 2)
    assert found.counts[1, 2] == counts[1, 0] + counts[1, 4] == 2 * 29 * 38
    by_hand = 0.5 * (sums[1, 0] + sums[1, 4]) / found.counts[1, 2] + found.covariances[0, 0] / 1200
    # Sums in float: 2.3e-6 of magnitudes below the variance; tails beyond 5 sigma: 3e-5 of what is small.
    assert found.covariances[1, 2] == pytest.approx(by_hand, abs=5e-6 * found.covariances[0, 0])
    assert found.counts[0, 2] == 30 * 38
    assert found.errors[1, 2] == pytest.approx(found.covariances[0, 0] / np.sqrt(found.counts[1, 2]))
    assert found.errors[0, 0] == pytest.approx(found.covariances[0, 0] * np.sqrt(2 / 1200))


def test_a_lamp_that_drifts_leaves_no_structure_behind():
    y = np.linspace(0, 20, 120)[:, None]
    structure = 1 + 0.2 * np.sin(y)
    pair = np.stack([5000 * structure, 5250 * structure]) + flats(level=0.0, sigma=10.0)
    pair = pair.astype(np.float32)
    matched = pair_covariances(*pair, max_lag=3)
    assert matched.mean == pytest.approx(5125, rel=0.01)
    # A pixel's noise is scaled by up to 2.5 per cent, in opposite directions.
    assert matched.covariances[0, 0] == pytest.approx(100, rel=0.05)
    assert abs(matched.covariances[0, 3]) < 5 * matched.errors[0, 3]
    assert pair_covariances(*pair, max_lag=3, match_levels=False).covariances[0, 3] > 500


def test_light_that_is_not_the_same_everywhere():
    rng = np.random.default_rng(2)
    light = np.linspace(0.5, 1.5, 200) * np.ones((150, 1))
    pair = rng.poisson(4000 * light, (2, 150, 200)).astype(np.float32)
    found = pair_covariances(*pair, max_lag=1, illumination=(7 * light).astype(np.float32))
    assert found.covariances[0, 0] == pytest.approx(found.mean, abs=5 * found.errors[0, 0])
    assert found.noise_weight == pytest.approx(np.mean(1 / light), rel=1e-5)
    hole = light.astype(np.float32)
    hole[:, :20] = 0.0
    dark = pair_covariances(*pair, max_lag=1, illumination=hole)
    assert dark.number == 150 * 180


def test_masked_and_missing_pixels_do_not_count():
    pair = flats()
    pair[0, :, 7] = np.nan
    pair[1, 50:60] = 1e6
    usable = np.ones(pair[0].shape, bool)
    usable[50:60] = False
    found = pair_covariances(*pair, usable, max_lag=2)
    assert found.determined
    assert found.number + found.clipped == 110 * 139
    assert found.covariances[0, 0] == pytest.approx(1600, abs=5 * found.errors[0, 0])


def test_lags_beyond_the_image_are_not_known():
    found = pair_covariances(*flats(shape=(2, 90)), max_lag=4)
    assert np.isnan(found.covariances[2:]).all()
    assert np.isfinite(found.covariances[:2]).all()


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (np.full((2, 40, 40), np.nan, np.float32), "0 usable pixels"),
        (np.full((2, 40, 40), 65535, np.uint16), "do not differ"),
        (np.zeros((2, 0, 40), np.float32), "no pixels"),
        (flats(shape=(3, 3)), "9 usable pixels"),
    ],
)
def test_bad_pairs_have_a_reason(pair, reason):
    found = pair_covariances(*pair, max_lag=1)
    assert not found.determined
    assert reason in found.reason
    assert np.isnan(found.covariances).all()


def test_errors_of_many_pairs():
    errors = covariance_errors(np.array([100.0, 200.0]), np.full((2, 2, 2), 400))
    np.testing.assert_allclose(errors[1], [[200 / 20 * np.sqrt(2), 10], [10, 10]])
