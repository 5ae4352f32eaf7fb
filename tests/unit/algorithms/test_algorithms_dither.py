"""Noise that is the same whichever rows are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.dither import VARIANCE, uniform_rows


@pytest.mark.parametrize("width", [40, 41, 43])
def test_rows_do_not_depend_on_those_before(width: int) -> None:
    whole = uniform_rows("a", 0, (50, width))
    parts = [uniform_rows("a", first, (last - first, width)) for first, last in ((0, 7), (7, 8), (8, 50))]
    assert np.array_equal(np.concatenate(parts), whole)


def test_other_keys_are_other_noise() -> None:
    one, other = uniform_rows("a", 0, (100, 100)), uniform_rows("b", 0, (100, 100))
    # Independent: the correlation of 10,000 pairs has an error of 0.01.
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05
    assert np.array_equal(one, uniform_rows("a", 0, (100, 100)))


def test_it_is_uniform() -> None:
    noise = uniform_rows("a", 3, (400, 250))
    assert noise.dtype == np.float32
    assert np.abs(noise).max() <= 0.5
    # Errors of 100,000 values: of the mean 0.2887 / 316, of each decile's count sqrt(9000).
    assert abs(noise.mean()) < 5 * np.sqrt(VARIANCE / noise.size)
    counts, _ = np.histogram(noise, 10, (-0.5, 0.5))
    assert np.abs(counts - 10_000).max() < 5 * np.sqrt(9000)
