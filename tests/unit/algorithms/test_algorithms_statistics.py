"""Clipped means, autocorrelation factors and means of groups, against plain numpy and known noise."""

import numpy as np
import pytest

from fiducial.algorithms.group_means import block_means, column_means, excess_variance, row_means
from fiducial.algorithms.order_statistics import median_variance
from fiducial.algorithms.statistics import (
    autocorrelation_factors,
    clipped_mean,
    robust_sigma,
    scatter_inflation,
    truncation_factor,
)


def test_truncation_factor_is_the_variance_between_the_limits():
    x = np.linspace(-10, 10, 200_001)
    for kappa in (1.0, 2.0, 3.5, 5.0):
        inside = np.abs(x) <= kappa
        density = np.exp(-0.5 * x[inside] ** 2)
        assert truncation_factor(kappa) == pytest.approx(
            np.sum(x[inside] ** 2 * density) / np.sum(density), rel=1e-3
        )


@pytest.mark.parametrize("kappa", [2.0, 3.0, 5.0])
def test_clipped_mean_of_gaussian_noise(kappa):
    values = np.random.default_rng(1).normal(100, 7, 400_000).astype(np.float32)
    found = clipped_mean(values, kappa=kappa)
    assert found.sigma == pytest.approx(7, rel=0.006 if kappa == 2 else 0.004)
    assert found.mean == pytest.approx(100, abs=4 * found.error)
    assert found.error == pytest.approx(7 / np.sqrt(found.used), rel=0.01)
    assert found.sigma_error == pytest.approx(7 / np.sqrt(2 * 400_000), rel=0.01 if kappa == 5 else 0.5)
    assert found.used + found.clipped == 400_000


def test_outliers_and_values_that_are_not_finite_stay_out():
    values = np.random.default_rng(2).normal(100, 7, (300, 300))
    values[:15] += 1000
    values[20] = np.nan
    values[21, :5] = np.inf
    found = clipped_mean(values)
    assert found.clipped == 15 * 300
    assert found.used == 300 * 284 - 5
    assert found.sigma == pytest.approx(7, rel=0.01)
    assert robust_sigma(values) == pytest.approx(7, rel=0.01)


@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0, 3.0])
def test_integers_have_the_noise_of_their_rounding_too(sigma):
    values = np.rint(np.random.default_rng(3).normal(1000.3, sigma, 200_000))
    expected = np.std(values)
    assert robust_sigma(values.astype(np.int32)) == pytest.approx(expected, rel=0.01)


def test_few_values():
    none = clipped_mean(np.array([np.nan]))
    assert np.isnan([none.mean, none.error, none.sigma, none.sigma_error]).all()
    assert none.used == 0
    one = clipped_mean(np.array([5.0]))
    assert one.mean == 5.0
    assert np.isnan(one.sigma)
    equal = clipped_mean(np.full(10, 65535, np.uint16))
    assert (equal.mean, equal.sigma, equal.sigma_error, equal.used) == (65535.0, 0.0, 0.0, 10)


def test_scatter_inflation_ignores_the_noise_of_chi_square():
    assert scatter_inflation(12.0, 10) == 1.0
    assert scatter_inflation(90.0, 10) == 3.0
    assert scatter_inflation(5.0, 0) == 1.0


def test_white_noise_has_factors_of_one():
    values = np.random.default_rng(4).normal(0, 3, (500, 600))
    c1, c2 = autocorrelation_factors(values)
    assert c1 == pytest.approx(1, abs=4 * 2 * 17 / np.sqrt(2 * values.size))
    assert c2 == pytest.approx(1, abs=0.003)


def test_factors_of_a_moving_average():
    # x + a * (left neighbour): rho of one column is a / (1 + a^2), nothing else.
    rng = np.random.default_rng(5)
    white = rng.normal(0, 3, (600, 601))
    values = white[:, 1:] + 0.4 * white[:, :-1]
    rho = 0.4 / 1.16
    c1, c2 = autocorrelation_factors(values, max_lag=2)
    assert c1 == pytest.approx(1 + 2 * rho, abs=4 * 2 * 5 / np.sqrt(2 * values.size))
    assert c2 == pytest.approx(1 + 2 * rho**2, abs=0.01)
    # What they are for: the error of a mean. Block means scatter by c1 sigma^2 / n, up to edges.
    blocks = block_means(values, size=60, c1=c1)
    assert np.var(blocks.mean, ddof=1) == pytest.approx(np.mean(blocks.error**2), rel=5 * np.sqrt(2 / 100))


def test_factors_pass_over_masked_pixels_and_outliers():
    rng = np.random.default_rng(6)
    values = rng.normal(50, 3, (400, 400))
    plain = autocorrelation_factors(values, max_lag=3)
    values[100:110] = np.nan
    values[50, ::7] += 500
    found = autocorrelation_factors(values, max_lag=3)
    assert found == pytest.approx(plain, abs=0.03)
    assert autocorrelation_factors(np.full((20, 20), 3.0)) == (1.0, 1.0)
    assert autocorrelation_factors(np.full((20, 20), np.nan)) == (1.0, 1.0)


def test_alternating_rows_make_c1_small_but_not_negative():
    values = np.random.default_rng(7).normal(0, 0.01, (200, 200)) + (np.arange(200) % 2)[:, None]
    c1, c2 = autocorrelation_factors(values, max_lag=8)
    assert c1 >= 0
    assert c2 > 10


@pytest.mark.parametrize("shape", [(64, 64), (100, 70), (31, 200), (5, 7)])
def test_block_means_are_means_of_blocks(shape):
    image = np.random.default_rng(8).normal(10, 2, shape)
    found = block_means(image, size=32, sigma=2.0)
    by, bx = max(shape[0] // 32, 1), max(shape[1] // 32, 1)
    assert found.mean.shape == (by, bx)
    rows = [(i * shape[0]) // by for i in range(by + 1)]
    columns = [(i * shape[1]) // bx for i in range(bx + 1)]
    for i in range(by):
        for j in range(bx):
            block = image[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            assert found.mean[i, j] == pytest.approx(block.mean())
            assert found.count[i, j] == block.size
            assert found.error[i, j] == pytest.approx(2 / np.sqrt(block.size))
    assert found.count.sum() == image.size


def test_groups_with_few_pixels_have_no_mean():
    image = np.ones((64, 64), dtype=np.float32)
    image[:, :40] = np.nan
    image[:17, 40:] = np.nan
    blocks = block_means(image, size=32, sigma=1.0)
    # 32 x 24 less 17 x 24 of 1,024 pixels, and 32 x 24.
    np.testing.assert_array_equal(blocks.count, [[0, 360], [0, 768]])
    np.testing.assert_array_equal(np.isnan(blocks.mean), [[True, True], [True, False]])
    rows = row_means(image, sigma=1.0)
    assert rows.mean.shape == (64,)
    assert np.isnan(rows.mean).all()  # 24 of 64 at most
    columns = column_means(image, sigma=1.0)
    assert np.isnan(columns.mean).tolist() == [True] * 40 + [False] * 24
    assert columns.count[63] == 47
    assert columns.error[63] == pytest.approx(1 / np.sqrt(47))


def test_excess_variance_is_the_square_of_the_structure():
    rng = np.random.default_rng(9)
    white = rng.normal(0, 5, (512, 512))
    excess, error = excess_variance(row_means(white))
    assert abs(excess) < 4 * error
    assert error == pytest.approx(25 / 512 * np.sqrt(2 / 512), rel=0.02)
    striped = white + rng.normal(0, 1.5, 512)[:, None]
    excess, _ = excess_variance(row_means(striped, sigma=5.0))
    assert np.sqrt(excess) == pytest.approx(1.5, rel=5 / np.sqrt(2 * 512))
    assert np.isnan(excess_variance(block_means(white, size=512))).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 20, 59, 60, 61, 62, 200])
def test_variance_of_medians(n):
    medians = np.median(np.random.default_rng(n).standard_normal((40_000, n)), axis=1)
    # 40,000 medians: 0.7 per cent.
    assert median_variance(n) == pytest.approx(np.var(medians), rel=4 * np.sqrt(2 / 40_000))


def test_known_variances_of_medians():
    assert median_variance(1) == pytest.approx(1, rel=1e-9)
    assert median_variance(2) == pytest.approx(0.5, rel=1e-9)
    # Order statistics of three: 1 - sqrt(3) / pi + ... (David & Nagaraja, table 3.2.2: 0.4487, 0.2868).
    assert median_variance(3) == pytest.approx(0.44867, abs=1e-5)
    assert median_variance(5) == pytest.approx(0.28683, abs=1e-5)
    assert 100_000 * median_variance(100_000) == pytest.approx(np.pi / 2, rel=1e-4)
    # The series takes over without a step.
    assert median_variance(61) / median_variance(59) == pytest.approx((59 + 0.43) / (61 + 0.43), rel=3e-4)
