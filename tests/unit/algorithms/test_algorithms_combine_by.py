"""Frames combined by every rule: the quoted variance is the scatter of the results."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.combine import combine_clipped, unbiased_variance
from fiducial.algorithms.combine_by import MODES, Rule, combine_by, loss_of_median

SIDE = 120


def frames(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return rng.normal(100.0, 3.0, (count, SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [5, 8, 20, 21, 70])
def test_the_variance_is_without_bias(mode: str, count: int) -> None:
    found = combine_by(frames(count), None, Rule(mode, 2.5, 4, 1, 1))
    # The results' own: sqrt(2 / 14400) = 1.2 per cent; the quoted ones' mean, of 4 degrees of freedom at
    # least, 0.6; simulated variances of clipping 0.5. Three sigma of all.
    assert float(found.variance.mean()) == pytest.approx(float(found.image.var()), rel=0.05)
    assert float(found.image.mean()) == pytest.approx(100.0, abs=0.2)


def test_the_default_is_the_clipped_mean() -> None:
    stack = frames(20)
    found = combine_by(stack, None, Rule(kappa=2.5, iterations=4))
    expected = combine_clipped(stack, None, kappa=2.5, iterations=4)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.variance, unbiased_variance(expected, kappa=2.5, iterations=4))


def test_masks_and_scales() -> None:
    stack = frames(9)
    usable = np.ones(stack.shape, bool)
    usable[:, 0, 0] = False
    usable[1:, 0, 1] = False
    scale = np.linspace(0.5, 2.0, 9)
    for mode in MODES:
        found = combine_by(stack * scale[:, None, None].astype(np.float32), usable, Rule(mode), scale=scale)
        assert np.isnan(found.image[0, 0])
        assert found.image[0, 1] == pytest.approx(stack[0, 0, 1], rel=1e-6)
        assert np.isnan(found.variance[0, :2]).all()
        assert found.image[1:].mean() == pytest.approx(100.0, abs=0.2)


def test_weights() -> None:
    stack = frames(5)
    weights = np.array([1.0, 1.0, 1.0, 1.0, 1e6])
    found = combine_by(stack, None, Rule("mean"), weights=weights)
    np.testing.assert_allclose(found.image, stack[4], rtol=1e-5)


def test_what_a_median_loses() -> None:
    assert [loss_of_median(1), loss_of_median(2)] == pytest.approx([1.0, 1.0], rel=1e-6)
    assert loss_of_median(3) == pytest.approx(1.3460, abs=1e-3)  # David & Nagaraja 2003: 0.4487 x 3
    assert loss_of_median(100_000) == pytest.approx(np.pi / 2, rel=1e-4)
