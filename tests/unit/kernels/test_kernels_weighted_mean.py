"""The means of frames of known variance, against numpy pixel by pixel."""

import numpy as np
import pytest
from reference_combine import image_by_image, weighted_pixel

from fiducial import kernels


def compare(result, expected):
    mean, variance, used, clipped = result
    np.testing.assert_array_equal(used, expected[2])
    np.testing.assert_array_equal(clipped, expected[3])
    # One rounding to float32; rates near zero lose relative, not absolute precision.
    np.testing.assert_allclose(mean, expected[0], rtol=1.2e-7, atol=1e-10)
    np.testing.assert_allclose(variance, expected[1], rtol=1.2e-7)


def check_expected(frames, usable, scale, variance, kappa=4.0, iterations=5):
    result = kernels.expected_mean(frames, usable, scale, variance, kappa=kappa, iterations=iterations)
    divisor = np.ones(len(frames)) if scale is None else scale
    scaled = frames.astype(np.float64) / divisor[:, None]
    if variance.ndim == 1:
        expected = image_by_image(
            lambda v, k: weighted_pixel(v, lambda _: (variance / divisor**2)[k], kappa, iterations),
            scaled,
            usable,
        )
    else:
        with np.errstate(divide="ignore"):
            known = np.isfinite(variance) & (variance > 0)
        column = iter(range(frames.shape[1]))

        def pixel(v, k):
            at = next(column)
            return weighted_pixel(
                v, lambda _: variance[k, at].astype(np.float64) / divisor[k] ** 2, kappa, iterations
            )

        good = known if usable is None else known & (usable > 0)
        expected = image_by_image(pixel, scaled, good)
    compare(result, expected)
    return result


def frames_of(sigma, pixels, seed=1, rate=0.03):
    rng = np.random.default_rng(seed)
    frames = (
        rng.normal(100, 1, (len(sigma), pixels)) * np.asarray(sigma)[:, None] ** 0
        + rng.normal(0, 1, (len(sigma), pixels)) * np.asarray(sigma)[:, None]
    )
    hit = rng.random(frames.shape) < rate
    frames[hit] += rng.exponential(300, hit.sum())
    return frames.astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 10, 20, 32])
def test_any_number_of_frames(n):
    sigma = np.linspace(2, 9, n)
    _, _, _, clipped = check_expected(frames_of(sigma, 800, seed=n), None, None, sigma**2 + 1)
    assert (clipped.sum() > 0) == (n >= 2)


@pytest.mark.parametrize("n", [33, 100, 1000])
def test_many_frames_reject_the_outliers(n):
    # Beyond 32 frames the mean starts from some of the values only; outliers go all the same.
    rng = np.random.default_rng(n)
    sigma = rng.uniform(2, 9, n)
    clean = (100 + rng.normal(0, 1, (n, 300)) * sigma[:, None]).astype(np.float32)
    hit = rng.random(clean.shape) < 0.02
    dirty = clean + np.where(hit, np.float32(500), np.float32(0))
    mean, _, used, clipped = kernels.expected_mean(dirty, None, None, sigma**2, kappa=5, iterations=10)
    np.testing.assert_array_equal(clipped, hit.sum(axis=0))
    w = np.where(hit, 0, sigma[:, None] ** -2)
    np.testing.assert_allclose(mean, (w * clean).sum(axis=0) / w.sum(axis=0), rtol=2e-7)
    np.testing.assert_array_equal(used + clipped, n)


@pytest.mark.parametrize("kappa", [1.0, 2.0, 3.5, 6.0])
@pytest.mark.parametrize("iterations", [0, 1, 2, 20])
def test_limits_and_rounds(kappa, iterations):
    sigma = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    check_expected(frames_of(sigma, 500), None, None, sigma**2, kappa, iterations)


def test_variance_of_each_pixel_masks_and_scales():
    rng = np.random.default_rng(5)
    sigma = np.linspace(2, 9, 9)
    frames = frames_of(sigma, 900)
    variance = rng.uniform(4, 90, frames.shape).astype(np.float32)
    variance[rng.random(frames.shape) < 0.02] = 0
    variance[rng.random(frames.shape) < 0.02] = np.nan
    variance[rng.random(frames.shape) < 0.02] = -1
    variance[rng.random(frames.shape) < 0.02] = np.inf
    frames[rng.random(frames.shape) < 0.05] = np.nan
    frames[rng.random(frames.shape) < 0.01] = np.inf
    usable = (rng.random(frames.shape) < 0.7).astype(np.uint8)
    usable[:, 3] = 0
    mean, quoted, used, _ = check_expected(frames, usable, np.linspace(0.5, 2, 9), variance)
    assert np.isnan(mean[3])
    assert np.isnan(quoted[3])
    assert used[3] == 0


def test_integers_with_ties():
    rng = np.random.default_rng(6)
    frames = np.rint(rng.normal(10, 1, (6, 2000))).astype(np.float32)
    frames[2, ::9] += 5
    check_expected(frames, None, None, np.ones(6), kappa=3.0)


def test_of_two_that_disagree_the_lower_stays():
    frames = np.array([[100.0, 7.0], [10.0, 7.0]], dtype=np.float32)
    mean, variance, used, clipped = kernels.expected_mean(
        frames, None, None, np.array([4.0, 4.0]), kappa=5, iterations=3
    )
    np.testing.assert_array_equal(mean, [10, 7])
    np.testing.assert_array_equal(variance, [4, 2])
    np.testing.assert_array_equal(used, [1, 2])
    np.testing.assert_array_equal(clipped, [1, 0])


def test_an_outlier_in_the_most_precise_frame_is_found():
    # It carries nearly all weight, so the mean of all follows it.
    frames = np.array([[130.0], [99.0], [101.5], [100.0], [102.0]], dtype=np.float32)
    variance = np.array([0.01, 1.0, 1.0, 1.0, 1.0])
    mean, _, used, clipped = kernels.expected_mean(frames, None, None, variance, kappa=4, iterations=5)
    assert (used[0], clipped[0]) == (4, 1)
    assert mean[0] == pytest.approx(100.625)


TIMES = np.array([10.0, 20.0, 30.0, 60.0, 60.0, 150.0, 300.0])


def darks(pixels, seed=1, hot=0.05):
    rng = np.random.default_rng(seed)
    rate = np.where(rng.random(pixels) < hot, rng.exponential(20, pixels), 0.02)
    counts = rng.poisson(rate * TIMES[:, None]) + rng.normal(0, 6, (len(TIMES), pixels))
    hit = rng.random(counts.shape) < 1e-4 * TIMES[:, None]
    counts[hit] += rng.exponential(800, hit.sum())
    return rate, counts.astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 1.9])
def test_dark_rates(gain):
    _, counts = darks(1500)
    usable = (np.random.default_rng(2).random(counts.shape) < 0.9).astype(np.uint8)
    read = np.linspace(30, 40, len(TIMES))
    result = kernels.dark_rate(counts, usable, TIMES, read, gain=gain, kappa=4, iterations=5)

    def pixel(v, k):
        def variance_at(rate):
            return read[k] / TIMES[k] ** 2 + max(rate, 0.0) / (TIMES[k] * gain)

        return weighted_pixel(v, variance_at, 4, 5)

    expected = image_by_image(pixel, counts / TIMES[:, None], usable)
    compare(result, expected)
    assert result[3].sum() > 0


def test_a_hot_pixel_is_not_clipped_for_its_shot_noise():
    rng = np.random.default_rng(8)
    counts = (
        rng.poisson(50.0, (len(TIMES), 4000)) * 0 + rng.poisson(50.0 * TIMES[:, None], (7, 4000))
    ).astype(np.float32)
    rate, variance, _, clipped = kernels.dark_rate(
        counts, None, TIMES, np.full(7, 25.0), gain=1, kappa=5, iterations=5
    )
    # Beyond 5 sigma: 5.7e-7 x 28,000 values.
    assert clipped.sum() <= 1
    # Photon noise is all there is: variance = rate / sum(t), up to the read noise.
    np.testing.assert_allclose(variance, 50 / TIMES.sum(), rtol=0.05)
    assert abs(rate.mean() - 50) < 4 * np.sqrt(50 / TIMES.sum() / 4000)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_change_a_bit(threads):
    _, counts = darks(5000)
    arguments = (counts, None, TIMES, np.full(7, 36.0))
    one = kernels.dark_rate(*arguments, gain=1, kappa=4, iterations=5)
    many = kernels.dark_rate(*arguments, gain=1, kappa=4, iterations=5, threads=threads)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("times", "read", "gain", "word"),
    [
        ([1.0, 0.0], [1.0, 1.0], 1.0, "times"),
        ([1.0, np.nan], [1.0, 1.0], 1.0, "times"),
        ([1.0], [1.0, 1.0], 1.0, "times"),
        ([1.0, 1.0], [1.0, -1.0], 1.0, "read"),
        ([1.0, 1.0], [1.0, 1.0], 0.0, "gain"),
    ],
)
def test_darks_that_make_no_sense_are_refused(times, read, gain, word):
    with pytest.raises(ValueError, match=word):
        kernels.dark_rate(
            np.zeros((2, 3), np.float32),
            None,
            np.array(times),
            np.array(read),
            gain=gain,
            kappa=4,
            iterations=1,
        )


def test_variances_that_do_not_fit_are_refused():
    frames = np.zeros((3, 4), np.float32)
    for shape in ((4,), (3, 5), (4, 3)):
        with pytest.raises(ValueError, match="variance"):
            kernels.expected_mean(frames, None, None, np.ones(shape), kappa=4, iterations=1)
