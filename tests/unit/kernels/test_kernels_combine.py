"""All modes of combining frames, against numpy pixel by pixel."""

import numpy as np
import pytest
from reference_combine import combined_pixel, image_by_image

from fiducial.kernels import MODES, Rule, combine

RULES = [
    Rule("mean"),
    Rule("median"),
    Rule("clipped_mean", 2.5, 4),
    Rule("clipped_mean", 1.0, 9),
    Rule("clipped_median", 2.5, 4),
    Rule("clipped_median", 1.5, 1),
]


def check(frames, rule, *, usable=None, level=None, gain=1.0, zero=None, scale=None, weights=None):
    """In float64, but for the rounding of a value to float32 that is part of the definition."""
    n = len(frames)
    found = combine(
        frames, rule, usable=usable, level=level, gain=gain, zero=zero, scale=scale, weights=weights
    )
    values = frames.reshape(n, -1, frames.shape[-1]).astype(np.float64)
    if level is not None:
        values -= level[:, :, None]
    values *= gain
    if zero is not None:
        values -= zero[:, None, None]
    if scale is not None:
        values /= scale[:, None, None]
    if frames.dtype != np.int32:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32).astype(np.float64)
    flags = None if usable is None else usable.reshape(n, -1)
    expected = image_by_image(
        lambda v, k: combined_pixel(v, rule, None if weights is None else weights[k], n),
        values.reshape(n, -1),
        flags,
    )
    value, variance, used, clipped = (plane.ravel() for plane in found)
    np.testing.assert_array_equal(used, expected[2])
    np.testing.assert_array_equal(clipped, expected[3])
    # The kernel sums in float64 and rounds once to float32: half a unit in the last place (6e-8), and as
    # much again where numpy's different order of sums crosses a rounding boundary.
    np.testing.assert_allclose(value, expected[0], rtol=1.2e-7, atol=1e-9)
    # Deviations are of values of size V with 1e-16 V: so is what is left of a scatter of zero, squared.
    scatter = np.nanmax(np.abs(np.where(np.isfinite(values), values, 0.0))) * 1e-15
    np.testing.assert_allclose(variance, expected[1], rtol=1.3e-7, atol=scatter**2 + 1e-300)
    return found


def noise(n, pixels, seed=1, outliers=0.03):
    rng = np.random.default_rng(seed)
    frames = rng.normal(1000, 5, (n, pixels))
    hit = rng.random(frames.shape) < outliers
    frames[hit] += rng.exponential(500, hit.sum())
    return frames


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.mode} {r.kappa}")
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32])
@pytest.mark.parametrize("n", [2, 3, 8, 9, 20, 65])
def test_any_number_and_type_of_frames(n, dtype, rule):
    frames = noise(n, 400, seed=n)
    check(frames.astype(dtype) if dtype == np.float32 else np.rint(frames).astype(dtype), rule)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [1, 1000])
def test_one_frame_and_a_thousand(n, mode):
    frames = np.rint(noise(n, 40)).astype(np.uint16)
    check(frames, Rule(mode, 3.0, 5, n // 10, n // 7))


@pytest.mark.parametrize(("low", "high"), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 5), (10, 9), (0, 19)])
def test_lowest_and_highest_values_are_left_out(low, high):
    frames = noise(20, 300).astype(np.float32)
    rule = Rule("minmax", low=low, high=high)
    *_, used, clipped = check(frames, rule)
    assert set(used) == {20 - low - high}
    assert set(clipped) == {low + high}
    usable = (np.random.default_rng(2).random(frames.shape) < 0.5).astype(np.uint8)
    usable[:, :20] = np.tri(20, dtype=np.uint8)  # 1 to 20 usable values: something is left of each
    *_, used, _ = check(frames, rule, usable=usable)
    assert (used[:20] > 0).all()


@pytest.mark.parametrize("rule", [*RULES, Rule("minmax", low=2, high=3)], ids=lambda r: f"{r.mode} {r.kappa}")
def test_masked_and_not_finite_values_are_not_used(rule):
    rng = np.random.default_rng(3)
    frames = noise(12, 300).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        frames[rng.random(frames.shape) < 0.05] = value
    usable = (rng.random(frames.shape) < 0.8).astype(np.uint8)
    usable[:, 17] = 0
    frames[:, 18] = np.nan
    usable[1:, 19], usable[0, 19], frames[0, 19] = 0, 1, 7.5
    value, variance, used, clipped = check(frames, rule, usable=usable)
    for empty in (17, 18):
        assert np.isnan([value[empty], variance[empty]]).all()
        assert (used[empty], clipped[empty]) == (0, 0)
    assert (value[19], used[19]) == (7.5, 1)
    assert np.isnan(variance[19])


@pytest.mark.parametrize("rule", [*RULES, Rule("minmax", low=1, high=2)], ids=lambda r: f"{r.mode} {r.kappa}")
def test_ties_and_saturation(rule):
    rng = np.random.default_rng(4)
    check(np.rint(rng.normal(1000, 0.6, (21, 500))).astype(np.uint16), rule)
    check(np.full((9, 40), 65535, np.uint16), rule)
    mixed = np.where(rng.random((16, 300)) < 0.5, 0, 65535).astype(np.uint16)
    check(mixed, rule)


@pytest.mark.parametrize("rule", [*RULES, Rule("minmax", low=1, high=2)], ids=lambda r: f"{r.mode} {r.kappa}")
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_raw_rows_of_an_amplifier_are_detrended_on_the_way(rule, dtype):
    """Its columns stand within larger frames, each row has its overscan level, each frame its level."""
    rng = np.random.default_rng(5)
    n, ny, nx = 11, 7, 90
    raw = np.rint(noise(n, ny * nx)).astype(dtype).reshape(n, ny, nx)[:, 1:, 20:77]
    usable = (rng.random(raw.shape) < 0.9).astype(np.uint8)
    check(
        raw,
        rule,
        usable=usable,
        level=rng.normal(900, 3, raw.shape[:2]),
        gain=1.37,
        zero=rng.normal(0, 2, n),
        scale=rng.uniform(0.5, 2, n),
    )


def test_integers_of_32_bits_keep_all_of_them():
    """Float32 would round 2e9 to steps of 128."""
    rng = np.random.default_rng(6)
    frames = (2_000_000_000 + rng.integers(-20, 20, (15, 200))).astype(np.int32)
    for rule in RULES:
        _, variance, _, _ = check(frames, rule)
    assert variance.max() < 20**2


@pytest.mark.parametrize("mode", ["mean", "clipped_mean"])
def test_weights_of_frames(mode):
    rng = np.random.default_rng(7)
    frames = noise(20, 500).astype(np.float32)
    frames[rng.random(frames.shape) < 0.1] = np.nan
    frames[1:, 3] = np.nan
    weights = rng.uniform(0.1, 10, 20)
    check(frames, Rule(mode), weights=weights)
    equal = combine(frames, Rule(mode), weights=np.full(20, 3.0))
    for a, b in zip(equal, combine(frames, Rule(mode)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1.3e-7)


def test_the_scatter_is_that_of_the_result():
    """Of many pixels of Gaussian frames the mean quoted variance is the results' own, to 3 per cent.

    20,000 results have a variance known to sqrt(2 / 20,000) = 1 per cent, and the quoted ones scatter less.
    """
    frames = np.random.default_rng(8).normal(0, 3, (15, 20_000)).astype(np.float32)
    for rule, weights in (
        (Rule("mean"), None),
        (Rule("minmax", low=1, high=1), None),
        (Rule("minmax", low=4, high=4), None),
    ):
        value, variance, _, _ = combine(frames, rule, weights=weights)
        assert np.mean(variance) == pytest.approx(np.var(value), rel=0.03)
    weights = np.linspace(0.2, 5, 15)
    frames /= np.sqrt(weights)[:, None].astype(np.float32)
    value, variance, _, _ = combine(frames, Rule("mean"), weights=weights)
    assert np.mean(variance) == pytest.approx(np.var(value), rel=0.03)


@pytest.mark.parametrize("mode", MODES)
def test_bits_depend_on_neither_threads_nor_strips_nor_order(mode):
    rng = np.random.default_rng(9)
    frames = noise(20, 30 * 130).astype(np.float32).reshape(20, 30, 130)
    frames[rng.random(frames.shape) < 0.02] = np.nan
    rule, level = Rule(mode, 2.5, 4, 2, 3), rng.normal(0, 3, (20, 30))
    whole = combine(frames, rule, level=level)
    order = rng.permutation(20)
    for other in (
        combine(frames, rule, level=level, threads=3),
        combine(frames[order], rule, level=level[order]),
        [np.concatenate(p) for p in zip(*(combine(frames[:, y : y + 7], rule, level=level[:, y : y + 7])
                                          for y in range(0, 30, 7)), strict=True)],
        [np.concatenate(p, axis=1) for p in zip(*(combine(frames[:, :, x : x + 17], rule, level=level)
                                                  for x in range(0, 130, 17)), strict=True)],
    ):  # fmt: skip
        for a, b in zip(whole, other, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("frames", "rule", "options", "word"),
    [
        (np.zeros((3, 4)), Rule(), {}, "float64"),
        (np.zeros((3, 4), ">i2"), Rule(), {}, ">i2"),
        (np.zeros(4, np.float32), Rule(), {}, "npix"),
        (np.zeros((3, 4), np.float32), Rule("mode"), {}, "median"),
        (np.zeros((3, 4), np.float32), Rule(kappa=0.5), {}, "kappa"),
        (np.zeros((3, 4), np.float32), Rule("minmax", low=2, high=1), {}, "rejected"),
        (np.zeros((3, 4), np.float32), Rule("minmax", low=-1), {}, "rejected"),
        (np.zeros((3, 4), np.float32), Rule(), {"level": np.zeros((3, 4))}, "levels"),
        (np.zeros((3, 4), np.float32), Rule(), {"zero": np.zeros(4)}, "zero"),
        (np.zeros((3, 4), np.float32), Rule(), {"scale": np.zeros(3)}, "scale"),
        (np.zeros((3, 4), np.float32), Rule(), {"weights": np.array([1.0, 0, 1])}, "weights"),
        (np.zeros((3, 4), np.float32), Rule("median"), {"weights": np.ones(3)}, "weights"),
        (np.zeros((3, 4), np.float32), Rule(), {"usable": np.ones((3, 5), np.uint8)}, "usable"),
    ],
)
def test_what_makes_no_sense_is_refused(frames, rule, options, word):
    with pytest.raises((ValueError, TypeError), match=word):
        combine(frames, rule, **options)
