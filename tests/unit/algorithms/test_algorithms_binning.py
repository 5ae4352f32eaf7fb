"""Sums over blocks, rows and columns, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.binning import bin_image, group_sums
from fiducial.kernels import band_sums


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (64, 128), (130, 67)])
@pytest.mark.parametrize("factor", [1, 2, 5, 200])
def test_bins_are_the_means_of_their_usable_pixels(shape: tuple[int, int], factor: int) -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(0.0, 100.0, shape).astype(np.float32)
    usable = rng.random(shape) > 0.3
    image[~usable] = np.nan  # what is not usable may hold anything
    found = bin_image(image, usable, factor)
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            part = np.s_[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            inside = image[part][usable[part]].astype(np.float64)
            expected = inside.mean() if inside.size else np.nan
            np.testing.assert_allclose(found[y, x], np.float32(expected), rtol=1e-6, atol=1e-5)


def test_sums_are_those_of_float64() -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(1e4, 1.0, (200, 333)).astype(np.float32)
    usable = rng.random(image.shape) > 0.1
    rows, columns = np.array([0, 50, 170]), np.array([0, 100, 101])
    sums, counts = group_sums(image, usable, rows, columns)
    exact = np.where(usable, image, 0).astype(np.float64)
    np.testing.assert_allclose(sums.rows[:, 0], exact.sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(sums.columns[0], exact.sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(sums.blocks[1, 2], exact[50:170, 101:].sum(), rtol=1e-14)
    np.testing.assert_array_equal(
        counts.blocks[1], [usable[50:170, a:b].sum() for a, b in ((0, 100), (100, 101), (101, 333))]
    )
    np.testing.assert_array_equal(counts.rows[:, 0], usable.sum(axis=1))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    image = rng.normal(0.0, 1.0, (300, 77)).astype(np.float32)
    usable = np.ones(image.shape, bool)
    bounds = np.arange(0, 301, 30)
    one, three = band_sums(image, usable, bounds), band_sums(image, usable, bounds, threads=3)
    np.testing.assert_array_equal(one.bands, three.bands)
    np.testing.assert_array_equal(one.rows, three.rows)


def test_shapes_must_agree() -> None:
    image = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match="not one image each"):
        band_sums(image, np.ones((4, 5), bool), np.array([0, 4]))
    with pytest.raises(ValueError, match="do not cover 4 rows"):
        band_sums(image, np.ones((4, 4), bool), np.array([0, 3]))
