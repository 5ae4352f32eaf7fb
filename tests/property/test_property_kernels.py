"""What must hold for the kernels whatever the pixels are."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial import kernels

VALUES = st.one_of(
    st.floats(-1e4, 7e4, width=32),
    st.integers(990, 1010).map(float),  # raw pixels: many ties
    st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 65535.0]),
)


@st.composite
def stacks(draw):
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 70)))
    frames = draw(hnp.arrays(np.float32, shape, elements=VALUES, fill=st.just(1000.0)))
    masked = draw(st.booleans())
    usable = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 1))) if masked else None
    return frames, usable


def clipped(frames, usable, threads=1, **options):
    return kernels.clipped_mean(
        frames, usable, None, **({"kappa": 2.5, "iterations": 4} | options), threads=threads
    )


def expected(frames, usable, threads=1):
    known = np.linspace(4, 90, len(frames))
    return kernels.expected_mean(frames, usable, None, known, kappa=3, iterations=6, threads=threads)


def dark(frames, usable, threads=1):
    times = np.linspace(5, 300, len(frames))
    read = np.linspace(9, 30, len(frames))
    return kernels.dark_rate(frames, usable, times, read, gain=1.7, kappa=4, iterations=6, threads=threads)


def by_rule(mode):
    def combine(frames, usable, threads=1):
        ends = (len(frames) - 1) // 3
        return kernels.combine(frames, kernels.Rule(mode, 2.0, 4, ends, ends), usable=usable, threads=threads)

    combine.__name__ = mode
    return combine


ALL = [clipped, expected, dark, *map(by_rule, kernels.MODES)]


def good_pixels(frames, usable):
    good = np.isfinite(frames)
    return good if usable is None else good & (usable > 0)


@given(stacks())
@pytest.mark.parametrize("combine", ALL)
def test_every_usable_value_is_used_or_clipped(combine, stack):
    frames, usable = stack
    mean, variance, used, rejected = combine(frames, usable)
    good = good_pixels(frames, usable)
    np.testing.assert_array_equal(used + rejected, good.sum(axis=0))
    assert ((used > 0) == good.any(axis=0)).all()
    np.testing.assert_array_equal(np.isfinite(mean), used > 0)
    assert not (variance < 0).any()


@given(stacks())
@pytest.mark.parametrize("combine", [clipped, expected])
def test_a_mean_lies_among_its_values(combine, stack):
    frames, usable = stack
    mean, _, used, _ = combine(frames, usable)
    good = good_pixels(frames, usable)
    some = used > 0
    low = np.where(good, frames, np.inf).min(axis=0)[some]
    high = np.where(good, frames, -np.inf).max(axis=0)[some]
    slack = 1e-6 * np.maximum(np.abs(low), np.abs(high))  # weights sum to 1 up to rounding
    assert (mean[some] >= low - slack).all()
    assert (mean[some] <= high + slack).all()


@given(stacks(), st.integers(2, 6))
@pytest.mark.parametrize("combine", ALL)
def test_threads_do_not_change_a_bit(combine, stack, threads):
    for one, many in zip(combine(*stack), combine(*stack, threads=threads), strict=True):
        np.testing.assert_array_equal(one, many)


@given(stacks(), st.integers(0, 70))
@pytest.mark.parametrize("combine", ALL)
def test_strips_do_not_change_a_bit(combine, stack, cut):
    frames, usable = stack
    whole = combine(frames, usable)
    parts = [
        combine(
            np.ascontiguousarray(frames[:, columns]),
            None if usable is None else np.ascontiguousarray(usable[:, columns]),
        )
        for columns in (np.s_[:cut], np.s_[cut:])
    ]
    for image, (left, right) in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(image, np.concatenate([left, right]))


@given(stacks(), st.randoms(use_true_random=False))
def test_the_order_of_frames_does_not_change_a_bit_of_a_clipped_mean(stack, random):
    frames, usable = stack
    order = list(range(len(frames)))
    random.shuffle(order)
    shuffled = clipped(frames[order], None if usable is None else usable[order])
    for one, other in zip(clipped(frames, usable), shuffled, strict=True):
        np.testing.assert_array_equal(one, other)


@given(stacks(), st.randoms(use_true_random=False))
def test_the_order_of_frames_changes_a_weighted_mean_by_rounding_only(stack, random):
    frames, usable = stack
    order = list(range(len(frames)))
    random.shuffle(order)
    known = np.linspace(4, 90, len(frames))
    options = {"kappa": 3, "iterations": 6}
    one = kernels.expected_mean(frames, usable, None, known, **options)
    other = kernels.expected_mean(
        frames[order], None if usable is None else usable[order], None, known[order], **options
    )
    np.testing.assert_array_equal(one[2], other[2])
    # Sums in another order, in float64, rounded to float32.
    np.testing.assert_allclose(one[0], other[0], rtol=3e-7, atol=1e-7)
    np.testing.assert_allclose(one[1], other[1], rtol=3e-7)


@given(stacks())
@pytest.mark.parametrize("combine", [clipped, expected])
def test_a_masked_value_is_as_good_as_one_that_is_not_finite(combine, stack):
    frames, usable = stack
    if usable is None:
        usable = (frames < 1000).astype(np.uint8)
    blanked = np.where(usable > 0, frames, np.float32(np.nan))
    for one, other in zip(combine(frames, usable), combine(blanked, None), strict=True):
        np.testing.assert_array_equal(one, other)


@given(stacks())
def test_powers_of_two_scale_exactly(stack):
    frames, usable = stack
    mean, variance, used, rejected = clipped(frames, usable)
    doubled = clipped(frames * np.float32(2), usable)
    np.testing.assert_array_equal(doubled[0], mean * 2)
    np.testing.assert_array_equal(doubled[1], variance * 4)
    np.testing.assert_array_equal(doubled[2], used)
    divided = kernels.clipped_mean(
        frames, usable, np.full(len(frames), 0.5), kappa=2.5, iterations=4, threads=1
    )
    for one, other in zip(doubled, divided, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(rejected, doubled[3])


@given(stacks())
@settings(max_examples=50)
def test_more_rounds_never_use_more(stack):
    used = [clipped(*stack, iterations=rounds)[2] for rounds in range(5)]
    for fewer, more in zip(used[1:], used[:-1], strict=True):
        assert (fewer <= more).all()


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=30),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_lag_products_are_symmetric(image):
    lag = 3
    sums, counts = kernels.lag_products(image, None, lag)
    turned, turned_counts = kernels.lag_products(np.ascontiguousarray(image[:, ::-1]), None, lag)
    np.testing.assert_array_equal(counts, turned_counts[:, ::-1])
    # A product, and each of the additions after it in a lane and of the lanes, is rounded to float.
    magnitudes, _ = kernels.lag_products(np.abs(image), None, lag)
    assert (np.abs(sums - turned[:, ::-1]) <= 2 * 2.3e-6 * magnitudes).all()
    np.testing.assert_array_equal(sums[0], sums[0, ::-1])
