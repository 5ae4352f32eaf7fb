"""The numpy face of the combinations: shapes, types, what is refused."""

import numpy as np
import pytest

from fiducial.algorithms.combine import (
    Combined,
    combine_clipped,
    combine_expected,
    largest_deviation,
    mean_variance_factor,
    scatter_variance_factor,
    unbiased_variance,
)

SHAPE = (6, 7, 11)


def stack(seed=1):
    return np.random.default_rng(seed).normal(100, 5, SHAPE).astype(np.float32)


def check(combined):
    assert isinstance(combined, Combined)
    for name, dtype in (("image", "f4"), ("variance", "f4"), ("used", "i4"), ("clipped", "i4")):
        array = getattr(combined, name)
        assert array.shape == SHAPE[1:]
        assert array.dtype == dtype


def test_rows_and_columns_stay_where_they_are():
    frames = np.broadcast_to(np.arange(77, dtype=np.float32).reshape(7, 11), SHAPE)  # not contiguous
    for combined in (
        combine_clipped(frames, None, kappa=3, iterations=3),
        combine_expected(frames, None, variance=np.ones(6), kappa=3, iterations=3),
    ):
        check(combined)
        np.testing.assert_array_equal(combined.image, frames[0])


def test_a_mask_that_is_not_contiguous():
    usable = np.zeros((7, 11, 6), bool)
    usable[2, 3] = True
    combined = combine_clipped(stack(), usable.transpose(2, 0, 1), kappa=3, iterations=0)
    assert combined.used[2, 3] == 6
    assert combined.used.sum() == 6
    assert np.isnan(combined.image).sum() == 76


def test_variances_of_frames_and_of_pixels_agree():
    known = np.linspace(1, 9, 6)
    by_frame = combine_expected(stack(), None, variance=known, kappa=4, iterations=5)
    by_pixel = combine_expected(
        stack(), None, variance=np.broadcast_to(known[:, None, None], SHAPE), kappa=4, iterations=5
    )
    # The variances of pixels are float32.
    np.testing.assert_allclose(by_frame.image, by_pixel.image, rtol=2e-7)
    np.testing.assert_array_equal(by_frame.used, by_pixel.used)


def test_the_largest_deviation_is_reached_and_not_exceeded():
    rng = np.random.default_rng(1)
    for n in range(2, 40):
        half = n // 2
        between = max((n - 1) // 2 - 1, 0)  # values between the middle and the extreme one
        values = np.zeros(n)
        values[0] = 1.0
        values[1 : 1 + between] = 1 / (half + 2)
        assert np.median(values) == (0.5 if n == 2 else 0.0)
        reached = (values[0] - np.median(values)) / np.std(values, ddof=1)
        assert reached <= largest_deviation(n) * (1 + 1e-12)
        if n > 3:
            assert reached == pytest.approx(largest_deviation(n))
        random = rng.standard_t(1, (2000, n))
        deviation = np.abs(random - np.median(random, axis=1, keepdims=True)).max(axis=1)
        assert (deviation / np.std(random, axis=1, ddof=1)).max() <= largest_deviation(n) * (1 + 1e-12)


def test_unbiased_variance_divides_by_the_factor_of_each_pixel():
    n = 12
    rng = np.random.default_rng(2)
    frames = rng.normal(0, 1, (n, 5, 40)).astype(np.float32)
    usable = rng.random(frames.shape) < 0.9
    usable[1:, 0, 0] = False
    usable[:, 0, 1] = False
    combined = combine_clipped(frames, usable, kappa=2.5, iterations=4)
    out = unbiased_variance(combined, kappa=2.5, iterations=4)
    assert out.dtype == np.float32
    for index in np.ndindex(5, 40):
        m = int(usable[(slice(None), *index)].sum())
        if m < 2:
            assert np.isnan(out[index])
        else:
            expected = combined.variance[index] / scatter_variance_factor(m, 2.5, 4)
            assert out[index] == pytest.approx(expected, rel=1e-6)


def test_factors_are_the_same_every_time():
    first = scatter_variance_factor(15, 3.0, 3), mean_variance_factor(15, 3.0, 3)
    from fiducial.algorithms import combine

    combine._variances_of_clipped_mean.cache_clear()
    assert (scatter_variance_factor(15, 3.0, 3), mean_variance_factor(15, 3.0, 3)) == first


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"stack": np.zeros((3, 4), np.float32)}, "stack"),
        ({"stack": np.zeros(SHAPE)}, "float32"),
        ({"usable": np.ones(SHAPE, np.uint8)}, "bool"),
        ({"usable": np.ones((6, 7), bool)}, "usable"),
        ({"variance": np.ones(5)}, "variance"),
        ({"variance": np.ones((6, 7))}, "variance"),
        ({"scale": np.zeros(6)}, "scale"),
        ({"kappa": 0.5}, "kappa"),
    ],
)
def test_what_makes_no_sense_is_refused(change, word):
    arguments = {
        "stack": stack(),
        "usable": None,
        "scale": None,
        "variance": np.ones(6),
        "kappa": 3.0,
    } | change
    with pytest.raises(ValueError, match=word):
        combine_expected(arguments.pop("stack"), arguments.pop("usable"), iterations=3, **arguments)
