"""Sums of lagged products, against loops."""

import numpy as np
import pytest

from fiducial import kernels
from lagged_reference import ROUNDING, lagged


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (33, 47), (64, 64), (50, 17), (9, 1100)])
@pytest.mark.parametrize("lag", [0, 1, 8, 10])
@pytest.mark.parametrize("usable_share", [None, 0.995, 0.8])
def test_against_loops(shape, lag, usable_share):
    rng = np.random.default_rng(1)
    usable = (rng.random(shape) < (usable_share or 2)).astype(np.uint8)
    values = (rng.normal(0, 5, shape) * usable).astype(np.float32)
    given = None if usable_share is None else usable
    sums, counts = kernels.lag_products(values, given, lag)
    expected, magnitudes, pairs = lagged(values, usable, lag)
    np.testing.assert_array_equal(counts, pairs)
    assert (np.abs(sums - expected) <= ROUNDING * magnitudes).all()
    for threads in (2, 3):
        again = kernels.lag_products(values, given, lag, threads=threads)
        np.testing.assert_array_equal(again[0], sums)
        np.testing.assert_array_equal(again[1], counts)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="lag"):
        kernels.lag_products(np.zeros((3, 3), np.float32), None, -1)
    with pytest.raises(ValueError, match="usable"):
        kernels.lag_products(np.zeros((3, 3), np.float32), np.ones((3, 4), np.uint8), 1)
