"""The overscan's kernel against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from reference_overscan import row_statistics as reference

from fiducial.algorithms.order_statistics import median_variance
from fiducial.algorithms.statistics import truncation_factor
from fiducial.kernels import RowStatistics, row_statistics

KAPPA = 3.5


def table(columns: int) -> NDArray[np.float64]:
    values = [np.nan, np.nan, *(1 + median_variance(n) - 2 / n for n in range(2, columns + 1))]
    return np.array(values[: columns + 1])


def compare(values: NDArray[np.float64], bounds: list[int]) -> RowStatistics:
    """Both, which must agree to the rounding of sums of float64; the kernel's result."""
    about, truncation = table(values.shape[1]), truncation_factor(KAPPA)
    got = row_statistics(values, np.array(bounds), about, kappa=KAPPA, truncation=truncation)
    median, mean, count, kept, noise = reference(values, bounds, about, KAPPA, truncation)
    np.testing.assert_array_equal(got.median, median)
    np.testing.assert_array_equal(got.count, count)
    np.testing.assert_array_equal(got.kept, kept)
    np.testing.assert_allclose(got.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(got.noise, noise, rtol=1e-11)
    return got


def adu(shape: tuple[int, int], seed: int, sigma: float = 3.5) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    drift = rng.normal(1000.0, 1.0, (shape[0], 1))
    return np.asarray(np.rint(drift + sigma * rng.standard_normal(shape)))


@pytest.mark.parametrize("shape", [(64, 64), (128, 5), (100, 2), (37, 1), (1, 40), (700, 64)])
def test_white_noise(shape: tuple[int, int]) -> None:
    got = compare(adu(shape, 1), [0, *range(64, shape[0], 64), shape[0]])
    assert np.all(got.count == shape[1])


def test_large_regions_are_clipped_by_a_part_of_their_rows() -> None:
    compare(adu((4096, 32), 2), [0, 4096])


def test_outliers_and_rows_without_values() -> None:
    values = adu((192, 48), 3)
    rng = np.random.default_rng(4)
    values[rng.random(values.shape) < 0.02] += 500.0  # cosmic rays
    values[rng.random(values.shape) < 0.1] = np.nan
    values[5], values[6, 1:], values[7, 2:], values[8] = np.nan, np.nan, np.nan, np.inf
    got = compare(values, [0, 64, 128, 192])
    assert np.isnan(got.median[[5, 8]]).all()
    assert list(got.count[5:9]) == [0, 1, 2, 0]
    assert got.noise == pytest.approx(3.5, rel=0.06)


def test_values_that_do_not_vary() -> None:
    got = compare(np.full((128, 16), 1000.0), [0, 64, 128])
    assert np.all(got.noise == 0.0)
    assert np.all(got.kept == 16)
    few = np.full((64, 16), 1000.0)
    few[3, 3] = 1001.0
    compare(few, [0, 64])


def test_a_block_without_a_value_has_no_noise() -> None:
    values = adu((96, 16), 5)
    values[32:64] = np.nan
    got = compare(values, [0, 32, 64, 96])
    assert list(np.isnan(got.noise)) == [False, True, False]


def test_any_number_of_threads_and_any_other_block_give_the_same_bits() -> None:
    values, about = adu((512, 64), 6), table(64)
    settings = {"kappa": KAPPA, "truncation": truncation_factor(KAPPA)}
    bounds = np.arange(0, 513, 64)
    one = row_statistics(values, bounds, about, **settings)
    two = row_statistics(values, bounds, about, threads=3, **settings)
    part = row_statistics(values[128:320], bounds[2:6] - 128, about, **settings)
    for name in ("median", "mean", "count", "kept"):
        np.testing.assert_array_equal(getattr(two, name), getattr(one, name))
        np.testing.assert_array_equal(getattr(part, name), getattr(one, name)[128:320])
    np.testing.assert_array_equal(two.noise, one.noise)
    np.testing.assert_array_equal(part.noise, one.noise[2:5])


def test_columns_in_the_other_order_are_no_copy_for_the_caller() -> None:
    values = adu((64, 20), 7)
    about, settings = table(20), {"kappa": KAPPA, "truncation": truncation_factor(KAPPA)}
    one = row_statistics(values[:, ::-1], np.array([0, 64]), about, **settings)
    other = row_statistics(values, np.array([0, 64]), about, **settings)
    np.testing.assert_array_equal(one.median, other.median)


@pytest.mark.parametrize("bounds", [[0, 63], [1, 64], [0, 32, 32, 64], [0, 40, 30, 64], [64]])
def test_blocks_must_cover_the_rows(bounds: list[int]) -> None:
    with pytest.raises(ValueError, match="do not cover 64 rows"):
        row_statistics(adu((64, 8), 8), np.array(bounds), table(8), kappa=3.5, truncation=0.99)


def test_the_table_must_have_every_number() -> None:
    with pytest.raises(ValueError, match="do not agree"):
        row_statistics(adu((64, 8), 9), np.array([0, 64]), table(7), kappa=3.5, truncation=0.99)
