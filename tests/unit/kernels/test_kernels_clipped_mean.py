"""The clipped mean, against numpy pixel by pixel."""

import numpy as np
import pytest
from reference_combine import clipped_pixel, image_by_image

from fiducial import kernels


def check(frames, usable=None, scale=None, *, kappa=3.0, iterations=3):
    mean, variance, used, clipped = kernels.clipped_mean(
        frames, usable, scale, kappa=kappa, iterations=iterations
    )
    scaled = frames if scale is None else (frames / scale[:, None]).astype(np.float32)
    expected = image_by_image(lambda v, _: clipped_pixel(v, kappa, iterations), scaled, usable)
    np.testing.assert_array_equal(used, expected[2])
    np.testing.assert_array_equal(clipped, expected[3])
    # The kernel sums in float64 and rounds once to float32: half a unit in the last place, and as
    # much again where numpy's different order of sums crosses a rounding boundary.
    np.testing.assert_allclose(mean, expected[0], rtol=1.2e-7)
    np.testing.assert_allclose(variance, expected[1], rtol=1.2e-7, atol=1e-12)
    return mean, variance, used, clipped


def frames_with_outliers(n, pixels, seed=1):
    rng = np.random.default_rng(seed)
    frames = rng.normal(1000, 5, (n, pixels)).astype(np.float32)
    hit = rng.random((n, pixels)) < 0.02
    frames[hit] += rng.exponential(500, hit.sum()).astype(np.float32)
    return frames


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20, 31, 64, 65, 100, 257, 1000])
def test_any_number_of_frames(n):
    _, _, _, clipped = check(frames_with_outliers(n, 700 if n < 100 else 90, seed=n))
    # No value deviates by 3 s from the median of fewer than nine (see largest_deviation).
    assert (clipped.sum() > 0) == (n >= 9)


@pytest.mark.parametrize("kappa", [1.0, 1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("iterations", [0, 1, 2, 10])
def test_limits_and_rounds(kappa, iterations):
    check(frames_with_outliers(20, 600), kappa=kappa, iterations=iterations)


def test_masked_and_not_finite_values_are_not_used():
    rng = np.random.default_rng(3)
    frames = frames_with_outliers(12, 900)
    for value in (np.nan, np.inf, -np.inf):
        frames[rng.random(frames.shape) < 0.05] = value
    usable = (rng.random(frames.shape) < 0.8).astype(np.uint8)
    usable[:, 17] = 0
    frames[:, 18] = np.nan
    usable[1:, 19] = 0
    frames[0, 19] = 7.5
    usable[0, 19] = 1
    usable[2:, 20] = 0
    frames[:2, 20] = 3.0, 5.0
    usable[:2, 20] = 1
    mean, variance, used, clipped = check(frames, usable)
    for empty in (17, 18):
        assert np.isnan(mean[empty])
        assert np.isnan(variance[empty])
        assert (used[empty], clipped[empty]) == (0, 0)
    assert (mean[19], used[19]) == (7.5, 1)
    assert np.isnan(variance[19])  # one value has no scatter
    assert (mean[20], variance[20]) == (4.0, 1.0)  # s^2 / 2 of 3 and 5
    assert frames.shape[0] == 12


def test_integers_with_many_ties():
    rng = np.random.default_rng(4)
    frames = np.rint(rng.normal(1000, 0.6, (21, 2000))).astype(np.float32)
    frames[5, ::10] += 3
    _, _, _, clipped = check(frames, kappa=2.5, iterations=5)
    assert clipped.sum() > 0


@pytest.mark.parametrize("height", [1.0, 3.0, 7.0, 65535.0, 0.1])
def test_a_deviation_equal_to_the_limit_is_kept(height):
    # One of nine frames deviates: its deviation is 3 s exactly, whatever it is.
    frames = np.full((9, 4), 12.0, dtype=np.float32)
    frames[3] += np.float32(height)
    _, _, used, _ = check(frames, kappa=3.0, iterations=3)
    assert (used == 9).all()


def test_constant_stacks_have_no_variance_and_reject_nothing():
    frames = np.full((20, 50), 65535, dtype=np.float32)
    mean, variance, used, clipped = check(frames)
    assert (mean == 65535).all()
    assert (variance == 0).all()
    assert (used == 20).all()
    assert (clipped == 0).all()


def test_a_constant_stack_with_one_outlier_loses_it():
    frames = np.full((20, 5), 65535, dtype=np.float32)
    frames[7, 2] = 1000
    mean, variance, used, clipped = check(frames)
    assert (mean[2], variance[2], used[2], clipped[2]) == (65535, 0, 19, 1)


def test_frames_are_divided_by_their_scale():
    frames = frames_with_outliers(15, 500)
    scale = np.linspace(0.5, 3.0, 15)
    frames = (frames * scale[:, None]).astype(np.float32)
    check(frames, scale=scale)


def test_huge_and_tiny_values():
    # Float32 squares of these overflow; the sums are float64.
    frames = frames_with_outliers(20, 100) * np.float32(1e30)
    mean, _, used, _ = kernels.clipped_mean(frames, None, None, kappa=3, iterations=3)
    small = kernels.clipped_mean(frames / np.float32(1e30), None, None, kappa=3, iterations=3)
    np.testing.assert_allclose(mean / 1e30, small[0], rtol=3e-7)
    np.testing.assert_array_equal(used, small[2])


@pytest.mark.parametrize("pixels", [0, 1, 31, 32, 33, 511, 512, 513, 5000])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_pixels_and_threads(pixels, threads):
    frames = frames_with_outliers(11, pixels)
    one = kernels.clipped_mean(frames, None, None, kappa=3, iterations=3)
    many = kernels.clipped_mean(frames, None, None, kappa=3, iterations=3, threads=threads)
    for a, b in zip(one, many, strict=True):
        assert a.shape == (pixels,)
        np.testing.assert_array_equal(a, b)


def test_inputs_are_not_changed():
    frames = frames_with_outliers(12, 300)
    frames[0, 0] = np.nan
    before = frames.copy()
    frames.flags.writeable = False
    kernels.clipped_mean(frames, None, None, kappa=3, iterations=3)
    np.testing.assert_array_equal(frames, before)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"frames": np.zeros((3, 4))}, "float32"),
        ({"frames": np.zeros((0, 4), np.float32)}, "frames"),
        ({"usable": np.ones((3, 5), np.uint8)}, "usable"),
        ({"scale": np.ones(4)}, "scale"),
        ({"scale": np.array([1.0, 0.0, 1.0])}, "scale"),
        ({"kappa": 0.9}, "kappa"),
        ({"kappa": np.nan}, "kappa"),
        ({"iterations": -1}, "rounds"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, word):
    given = {"frames": np.zeros((3, 4), np.float32), "usable": None, "scale": None, "kappa": 3.0}
    given |= {"iterations": 3} | arguments
    with pytest.raises((ValueError, TypeError), match=word):
        kernels.clipped_mean(given.pop("frames"), given.pop("usable"), given.pop("scale"), threads=1, **given)
