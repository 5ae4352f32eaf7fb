"""Sums of lagged products, against loops."""

import numpy as np
import pytest

from fiducial import kernels


def reference(values, usable, lag):
    ny, nx = values.shape
    sums = np.zeros((lag + 1, 2 * lag + 1))
    counts = np.zeros((lag + 1, 2 * lag + 1), dtype=np.int64)
    for dy in range(lag + 1):
        for dx in range(-lag, lag + 1):
            if dy >= ny or abs(dx) >= nx:
                continue
            here = (slice(0, ny - dy), slice(max(0, -dx), nx - max(0, dx)))
            there = (slice(dy, ny), slice(max(0, dx), nx - max(0, -dx)))
            both = usable[here] & usable[there]
            sums[dy, dx + lag] = np.sum(values[here].astype(float) * values[there] * both)
            counts[dy, dx + lag] = both.sum()
    return sums, counts


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (33, 47), (64, 64), (50, 17)])
@pytest.mark.parametrize("lag", [0, 1, 8])
@pytest.mark.parametrize("masked", [False, True])
def test_against_loops(shape, lag, masked):
    rng = np.random.default_rng(1)
    usable = (rng.random(shape) < (0.8 if masked else 2)).astype(np.uint8)
    values = (rng.normal(0, 5, shape) * usable).astype(np.float32)
    sums, counts = kernels.lag_products(values, usable if masked else None, lag)
    expected = reference(values, usable, lag)
    np.testing.assert_array_equal(counts, expected[1])
    np.testing.assert_allclose(sums, expected[0], rtol=1e-12, atol=1e-9)
    for threads in (2, 3):
        again = kernels.lag_products(values, usable if masked else None, lag, threads=threads)
        np.testing.assert_array_equal(again[0], sums)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="lag"):
        kernels.lag_products(np.zeros((3, 3), np.float32), None, -1)
    with pytest.raises(ValueError, match="usable"):
        kernels.lag_products(np.zeros((3, 3), np.float32), np.ones((3, 4), np.uint8), 1)
