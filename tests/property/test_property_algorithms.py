"""What must hold for the algorithms whatever the pixels are."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fiducial.algorithms.flat import solve_levels
from fiducial.algorithms.overscan import METHODS, fit_overscan
from fiducial.algorithms.pairs import pair_noise
from fiducial.algorithms.statistics import clipped_mean

RAW = hnp.arrays(
    np.uint16,
    st.tuples(st.integers(12, 40), st.integers(3, 12)),
    elements=st.integers(900, 1100),
)


@given(RAW, st.integers(-800, 800))
@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
@settings(max_examples=25, deadline=None)
def test_a_pedestal_moves_the_level_and_nothing_else(method, image, pedestal):
    options = {"order": 3, "skip_leading": 0, "skip_trailing": 0, "first_column_left": True}
    model = fit_overscan(image, method=method, **options)
    moved = fit_overscan(image.astype(np.int64) + pedestal, method=method, **options)
    np.testing.assert_allclose(moved.level, model.level + pedestal, rtol=1e-9)
    np.testing.assert_allclose(moved.variance, model.variance, rtol=1e-6, atol=1e-12)
    assert moved.noise == pytest.approx(model.noise, rel=1e-6, abs=1e-9, nan_ok=True)


@given(RAW, st.integers(0, 1), st.integers(0, 1))
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
def test_a_mirrored_readout_is_the_mirrored_image(method, image, leading, trailing):
    options = {"order": 2, "skip_leading": leading, "skip_trailing": trailing}
    left = fit_overscan(image, method=method, first_column_left=True, **options)
    right = fit_overscan(image[:, ::-1], method=method, first_column_left=False, **options)
    np.testing.assert_array_equal(left.level, right.level)
    np.testing.assert_array_equal(left.variance, right.variance)
    np.testing.assert_equal((left.noise, left.used), (right.noise, right.used))


@given(RAW, st.floats(0.01, 100))
def test_noise_scales_with_the_pixels(image, factor):
    a, b = image[:-1].astype(float), image[1:].astype(float)
    assume(np.ptp(a - b) > 0)
    plain, scaled = pair_noise(a, b), pair_noise(a * factor, b * factor)
    assert scaled.sigma == pytest.approx(plain.sigma * factor, rel=1e-6)
    assert pair_noise(b, a).sigma == pytest.approx(plain.sigma, rel=1e-9)


@given(hnp.arrays(np.float64, st.integers(1, 300), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_every_finite_value_is_used_or_clipped(values):
    found = clipped_mean(values)
    finite = values[np.isfinite(values)]
    assert found.used + found.clipped == finite.size
    if finite.size:
        slack = 1e-9 * np.abs(finite).max()
        assert finite.min() - slack <= found.mean <= finite.max() + slack


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.floats(10, 1e5)),
    st.floats(0.1, 10),
)
def test_levels_scale_with_the_light(levels, factor):
    weights = np.ones_like(levels)
    plain = solve_levels(levels, weights)
    brighter = levels.copy()
    brighter[0] *= factor
    scaled = solve_levels(brighter, weights)
    assert scaled.exposure[0] == pytest.approx(plain.exposure[0] * factor)
    np.testing.assert_allclose(scaled.exposure[1:], plain.exposure[1:])
    np.testing.assert_allclose(scaled.unit, plain.unit)
    np.testing.assert_allclose(scaled.residual, plain.residual, atol=1e-9)
