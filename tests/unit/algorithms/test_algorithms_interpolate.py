"""Pixels filled in: their values, and whether their variances tell the truth."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.interpolate import Filled, interpolate_lines, wander_of
from fiducial.algorithms.interpolate_process import interpolate_process


def fill(image: np.ndarray, wanted: np.ndarray, longest: int = 20, variance: float = 1.0) -> Filled:
    plane = np.full(image.shape, variance, np.float32)
    usable = ~wanted & np.isfinite(image)
    return interpolate_lines(image.astype(np.float32), plane, wanted, usable, longest=longest)


def values(filled: Filled) -> dict[tuple[int, int], float]:
    return {(int(y), int(x)): v for y, x, v in zip(filled.y, filled.x, filled.value, strict=True)}


def test_a_plane_is_filled_exactly() -> None:
    y, x = np.mgrid[:30, :40]
    image = 100.0 + 2.0 * x - 3.0 * y
    wanted = np.zeros(image.shape, np.bool_)
    wanted[10, 12] = wanted[15:19, 20:22] = wanted[:, 30] = True
    filled = fill(image, wanted)
    assert len(filled.y) == 1 + 8 + 30
    # A float32 near 200 is good to 1e-5.
    assert filled.value == pytest.approx(image[filled.y, filled.x], abs=1e-4)


def test_the_shorter_gap_is_used() -> None:
    image = np.zeros((20, 20))
    image[:, :5], image[:, 8:] = 7.0, 7.0
    wide, tall = np.zeros((20, 20), np.bool_), np.zeros((20, 20), np.bool_)
    wide[10, 5:8] = True
    assert set(values(fill(image, wide)).values()) == {0.0}  # along the column: one pixel
    tall[8:13, 5] = True
    found = values(fill(image, tall))  # along the row, from 7 to 0
    assert set(found.values()) == {3.5}


def test_one_side_gives_its_value() -> None:
    image = np.tile(np.arange(10.0), (5, 1))
    wanted = np.zeros((5, 10), np.bool_)
    wanted[:, :2] = True
    found = values(fill(image, wanted))
    assert set(found.values()) == {2.0}
    assert len(found) == 10


def test_long_gaps_stay() -> None:
    image = np.zeros((40, 40))
    wanted = np.zeros((40, 40), np.bool_)
    wanted[10:21, 10:21] = True
    wanted[30, 5] = True
    assert len(fill(image, wanted, longest=11).y) == 122
    assert list(values(fill(image, wanted, longest=10))) == [(30, 5)]


def test_nothing_to_fill_and_nothing_to_fill_from() -> None:
    image = np.zeros((4, 4))
    assert not len(fill(image, np.zeros((4, 4), np.bool_)).y)
    assert not len(fill(image, np.ones((4, 4), np.bool_)).y)


def test_what_is_not_usable_is_passed_over() -> None:
    image = np.tile(np.arange(11.0), (3, 1))
    wanted = np.zeros(image.shape, np.bool_)
    wanted[:, 5] = True
    image[:, 6] = np.nan
    assert set(values(fill(image, wanted)).values()) == {5.0}


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("wander", [0.0, 3.0])
def test_the_variance_is_that_of_the_difference_to_what_was_hidden(width: int, wander: float) -> None:
    rng = np.random.default_rng(17)
    shape, noise = (400, 400), 2.0
    light = 1000.0 + np.cumsum(wander * rng.standard_normal(shape), axis=1)
    image = light + noise * rng.standard_normal(shape)
    wanted = np.zeros(shape, np.bool_)
    for start in range(20, 380, 12):
        wanted[:, start : start + width] = True
    filled = fill(image, wanted, variance=noise**2)
    pulls = (filled.value - image[filled.y, filled.x]) / np.sqrt(filled.variance)
    # 12,000 gaps, whose pixels are not independent: a deviation is known to 1 / sqrt(24000), q to 1 per
    # cent, and taking q from differences beyond three sigma makes variances a few per cent larger.
    assert pulls.std() == pytest.approx(1.0, abs=0.06)
    assert abs(pulls.mean()) < 5 / np.sqrt(len(pulls) / width)
    assert (filled.variance > noise**2).all()


def test_a_steep_place_is_uncertain() -> None:
    image = np.zeros((9, 9))
    image[:, 5:] = 1000.0
    wanted = np.zeros(image.shape, np.bool_)
    wanted[:, 4] = True
    filled = fill(image, wanted)
    # Half of 1000 between the two: q is 1000^2 / 2, and q a b / (a + b) the square of 500.
    assert np.sqrt(filled.variance) == pytest.approx(500.0, rel=1e-3)


def test_wander_is_what_noise_does_not_explain() -> None:
    rng = np.random.default_rng(2)
    image = np.cumsum(3.0 * rng.standard_normal((200, 500)), axis=1) + 2.0 * rng.standard_normal((200, 500))
    everywhere = np.ones(image.shape, np.bool_)
    # (9 + 2 * 4) from 100,000 differences by their median deviation: 17 to 0.7 per cent.
    assert wander_of(image.astype(np.float32), np.full(image.shape, 4.0), everywhere) == pytest.approx(
        9.0, abs=5 * 0.12
    )
    assert wander_of(image.astype(np.float32), np.full(image.shape, 40.0), everywhere) == 0.0


def test_a_process_fills_small_groups_and_its_variance_holds() -> None:
    rng = np.random.default_rng(8)
    shape, length, noise = (300, 300), 3.0, 0.3
    y, x = np.mgrid[-12:13, -12:13]
    # White noise smoothed by a Gaussian of sigma l / sqrt(2) has the covariance of the process.
    kernel = np.exp(-(x**2 + y**2) / length**2)
    spectrum = np.fft.rfft2(kernel / np.sqrt(np.sum(kernel**2)), shape)
    light = 10.0 * np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * spectrum, shape)
    image = (light + noise * rng.standard_normal(shape)).astype(np.float32)
    wanted = np.zeros(shape, np.bool_)
    for top in range(10, 290, 15):
        for left in range(10, 290, 15):
            wanted[top : top + 3, left : left + 3] = True
    wanted[100:110, 200:210] = True  # joins others: more than nine pixels
    plane = np.full(shape, noise**2, np.float32)
    filled = interpolate_process(image, plane, wanted, ~wanted, length=length, most=9)
    groups = len(filled.y) / 9
    assert groups == pytest.approx(19 * 19, abs=4)
    off = filled.value - image[filled.y, filled.x]
    pulls = off / np.sqrt(filled.variance)
    # The amplitude is that of 300 pixels about, a few lengths wide: known to some ten per cent only.
    assert pulls.std() == pytest.approx(1.0, abs=0.1)
    straight = interpolate_lines(image, plane, wanted, ~wanted, longest=3)
    lines = straight.value - image[straight.y, straight.x]
    assert off.std() < 0.7 * lines.std()


def test_a_process_needs_surroundings() -> None:
    wanted = np.ones((5, 5), np.bool_)
    wanted[0, :4] = False
    plane = np.ones((5, 5), np.float32)
    assert not len(interpolate_process(plane, plane, wanted, ~wanted, length=2.0, most=25).y)


def test_a_process_through_constants() -> None:
    image = np.full((9, 9), 5.0, np.float32)
    wanted = np.zeros((9, 9), np.bool_)
    wanted[4, 4] = True
    filled = interpolate_process(image, np.full((9, 9), 1e-20), wanted, ~wanted, length=2.0, most=9)
    assert filled.value == pytest.approx([5.0])
    assert np.isfinite(filled.variance).all()


def test_variances_follow_the_wander_where_it_is() -> None:
    """A flat whose pixels differ by a per cent: one of little light, and one of much."""
    rng = np.random.default_rng(23)
    light = np.where(np.arange(512) < 256, 500.0, 20_000.0) * np.ones((256, 1))
    variance = (light + 25.0).astype(np.float32)
    image = light * (1 + 0.01 * rng.standard_normal(light.shape))
    image = (image + rng.standard_normal(light.shape) * np.sqrt(variance)).astype(np.float32)
    wanted = np.zeros(light.shape, np.bool_)
    wanted[:, 10:500:6] = True
    filled = interpolate_lines(image, variance, wanted, ~wanted, longest=3)
    pulls = (filled.value - image[filled.y, filled.x]) / np.sqrt(filled.variance)
    for side in (filled.x < 240, filled.x > 270):
        # Pixels differ by themselves here, and do not wander: half of what the step between two of them
        # has is given to one between the two, of 1.5 that it has.
        noise, own = light[0, filled.x[side][0]] + 25.0, (0.01 * light[0, filled.x[side][0]]) ** 2
        expected = np.sqrt(1.5 * (noise + own) / (1.5 * noise + own))
        assert pulls[side].std() == pytest.approx(expected, rel=0.04)
