"""Clipped differences of pairs and their lagged products, against plain numpy."""

import numpy as np
import pytest

from fiducial import kernels
from lagged_reference import ROUNDING, lagged

SHAPES = [(1, 1), (1, 700), (60, 1), (3, 5), (37, 53), (130, 96)]


def frames(rng, shape, dtype, bad=0.0):
    level = 30_000.0 * (1 + 0.1 * rng.random())
    first, second = level + rng.normal(0, 120, (2, *shape))
    first[rng.random(shape) < 0.003] += 9000
    usable = rng.random(shape) >= bad
    if dtype == np.float32:
        second[rng.random(shape) < 0.002] = np.nan
        first[rng.random(shape) < 0.002] = np.inf
        return first.astype(dtype), second.astype(dtype), usable
    return np.rint(first).astype(dtype), np.rint(second).astype(dtype), usable


def plain(first, second, usable, kappa, rounds):
    """Which pixels are kept, and the differences in double."""
    with np.errstate(invalid="ignore"):
        difference = first.astype(float) - second
    kept = there = usable & np.isfinite(difference)
    for _ in range(rounds):
        if not kept.any():
            break
        mean, sigma = difference[kept].mean(), difference[kept].std()
        inside = there & (np.abs(np.where(there, difference, 0) - mean) <= kappa * sigma)
        if not inside.any():
            break
        kept, before = inside, kept
        if kept.sum() == before.sum():
            break
    return kept, there, np.where(kept, difference, 0)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bad", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("lag", [0, 7, 10])
def test_against_numpy(dtype, shape, bad, lag):
    rng = np.random.default_rng(3)
    first, second, usable = frames(rng, shape, dtype, bad)
    given = usable if bad else None
    kept, there, difference = plain(first, second, usable, 5.0, 20)
    found = kernels.pair_products(first, second, given, max_lag=lag)
    assert found.number == kept.sum()
    assert found.clipped == there.sum() - kept.sum()
    if not kept.any():
        assert np.isnan(found.difference)
        return
    # Sums in double: 1e-13 of the largest numbers that go in, 4e4 and its share of the square.
    assert found.first == pytest.approx(first[kept].mean(dtype=float), rel=1e-12)
    assert found.second == pytest.approx(second[kept].mean(dtype=float), rel=1e-12)
    assert found.difference == pytest.approx(difference[kept].mean(), rel=1e-11, abs=1e-8)
    assert found.variance == pytest.approx(difference[kept].var(), rel=1e-9, abs=1e-6)
    centred = np.where(kept, difference - difference[kept].mean(), 0)
    expected, magnitudes, pairs = lagged(centred, kept, lag)
    np.testing.assert_array_equal(found.counts, pairs)
    # Exact integers leave the rounding of doubles; floats that of the differences too.
    tolerance = 1e-12 if dtype == np.uint16 else ROUNDING + 2e-7
    assert (np.abs(found.sums - expected) <= tolerance * magnitudes + 1e-6 * found.number * 1e-3).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("both_sides", [False, True])
def test_neither_threads_nor_strides_nor_sides_change_a_bit(dtype, both_sides):
    rng = np.random.default_rng(4)
    first, second, usable = frames(rng, (200, 150), dtype, 0.01)
    one = kernels.pair_products(first, second, usable, max_lag=9)
    wide = np.zeros((200, 300), dtype)
    wide[:, 20:170] = first
    two = kernels.pair_products(wide[:, 20:170], second, usable, max_lag=9, both_sides=both_sides, threads=3)
    there = slice(0 if both_sides else 9, None)
    np.testing.assert_array_equal(one.sums[:, there], two.sums)
    np.testing.assert_array_equal(one.counts[:, there], two.counts)
    assert (one.number, one.first, one.variance) == (two.number, two.first, two.variance)


def test_differences_too_wide_for_small_integers():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 65536, (2, 90, 80)).astype(np.uint16)
    found = kernels.pair_products(first, second, max_lag=3)
    difference = first.astype(float) - second
    centred = difference - difference.mean()
    expected, magnitudes, pairs = lagged(centred, np.ones(centred.shape, bool), 3)
    assert found.clipped == 0
    assert found.variance == pytest.approx(difference.var(), rel=1e-12)
    np.testing.assert_array_equal(found.counts, pairs)
    assert (np.abs(found.sums - expected) <= (ROUNDING + 2e-7) * magnitudes).all()


def test_largest_integers_do_not_overflow():
    """Differences of +-5,792 add up to 2^31 in 64 products, which must have moved on by then."""
    first = np.full((40, 500), 5792, np.uint16)
    first[:, ::2] = 0
    second = np.full_like(first, 2896)
    second[::2] += 2896
    second[1::2] -= 2896
    found = kernels.pair_products(first, second, max_lag=2, kappa=2.0)
    difference = first.astype(float) - second
    centred = difference - difference.mean()
    expected, _, _ = lagged(centred, np.ones(centred.shape, bool), 2)
    np.testing.assert_allclose(found.sums, expected, rtol=1e-12)


def test_values_that_do_not_vary():
    same = np.full((20, 30), 700.3, np.float32)
    found = kernels.pair_products(same, same, max_lag=2)
    assert (found.number, found.clipped, found.variance) == (600, 0, 0.0)
    assert not found.sums.any()


def test_other_types_and_orders_of_bytes():
    rng = np.random.default_rng(6)
    first, second, usable = frames(rng, (50, 60), np.uint16, 0.01)
    expected = kernels.pair_products(first, second, usable, max_lag=2)
    for a, b in ((first.astype(">u2"), second.astype(">u2")), (first[:, ::-1], second[:, ::-1])):
        mask = usable if a.dtype.byteorder == ">" else usable[:, ::-1]
        found = kernels.pair_products(a, b, mask, max_lag=2)
        assert found.variance == expected.variance
    doubles = kernels.pair_products(first.astype(float), second.astype(float), usable, max_lag=2)
    assert doubles.variance == pytest.approx(expected.variance, rel=1e-9)


def test_what_makes_no_sense_is_refused():
    image = np.zeros((3, 3), np.float32)
    for arguments, words in (
        ((image, image[:2]), "one shape"),
        ((image[:0], image[:0]), "one shape"),
        ((image, image, np.ones((2, 2), bool)), "usable"),
    ):
        with pytest.raises(ValueError, match=words):
            kernels.pair_products(*arguments, max_lag=1)
    with pytest.raises(ValueError, match="lag"):
        kernels.pair_products(image, image, max_lag=-1)
    with pytest.raises(ValueError, match="kappa"):
        kernels.pair_products(image, image, max_lag=1, kappa=0.5)
