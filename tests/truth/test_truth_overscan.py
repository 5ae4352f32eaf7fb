"""Overscan models against truth: level, quoted variance, and the noise of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.overscan import METHODS, fit_overscan

ROWS, COLUMNS, SIGMA = 400, 24, 4.0
FRAMES = 150


def level_of(method):
    y = np.linspace(-1, 1, ROWS)
    if method in ("mean", "clipped_mean", "median"):
        return np.full(ROWS, 1000.4)
    if method.endswith("_per_row"):
        return 1000.4 + np.random.default_rng(5).normal(0, 2, ROWS)
    return 1000.4 + 3 * y - 2 * y**2 + 0.5 * y**3  # within the reach of every curve


def simulate(rng, level, *, outliers=False, trail=False):
    image = level[:, None] + rng.normal(0, SIGMA, (ROWS, COLUMNS))
    if outliers:
        hit = rng.random(image.shape) < 0.002
        image[hit] += rng.exponential(500, int(hit.sum()))
    if trail:  # rows 100 to 199 are lit: the first columns read carry what the transfer left behind
        image[100:200, :3] += [60.0, 12.0, 3.0]
    return image


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
@pytest.mark.parametrize("outliers", [False, True])
def test_level_variance_and_noise(method, outliers):
    rng = np.random.default_rng(METHODS.index(method))
    level = level_of(method)
    order = 8 if method.endswith("_spline") else 3
    options = {"order": order, "skip_leading": 2, "skip_trailing": 1, "first_column_left": True}
    models = [
        fit_overscan(simulate(rng, level, outliers=outliers), method=method, **options) for _ in range(FRAMES)
    ]
    if method == "mean" and outliers:
        assert np.mean([m.level[0] for m in models]) > level[0] + 0.5  # a plain mean is what it says
        return
    difference = np.array([m.level - level for m in models])
    quoted = np.array([m.variance for m in models])
    # The pull's mean square over rows and frames. Constants and curves have few independent values:
    # one a frame, four, and eight.
    independent = FRAMES * {True: ROWS, False: 1}[method.endswith("_per_row")]
    square = np.mean(difference**2 / quoted)
    # One pixel in 500 is an outlier that a median of 21 does not throw out but only orders: 3 per cent.
    allowed = 5 * np.sqrt(2 / independent) + (0.05 if outliers else 0.01)
    assert abs(square - 1) < allowed
    pull = np.mean(difference / np.sqrt(quoted))
    shift = 0.05 if outliers and method.startswith("median") else 0.0
    assert abs(pull) < 5 / np.sqrt(independent) + shift
    # Noise of a pixel: 400 x 21 pixels a frame.
    noise = np.array([m.noise for m in models])
    assert noise.mean() == pytest.approx(SIGMA, rel=0.004)
    assert noise.std() == pytest.approx(SIGMA / np.sqrt(2 * ROWS * 21), rel=0.25)
    assert {m.used for m in models} <= {20, 21}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 32])
@pytest.mark.parametrize("method", ["mean_per_row", "median_per_row"])
def test_variance_of_rows_of_few_pixels(method, n):
    rng = np.random.default_rng(n)
    image = 1000 + rng.normal(0, SIGMA, (40_000, n))
    model = fit_overscan(
        image, method=method, order=0, skip_leading=0, skip_trailing=0, first_column_left=True
    )
    if n == 1:
        assert np.isnan(model.noise)  # one pixel a row: nothing tells noise from level
        return
    # Residuals about the median of three are not Gaussian, so clipped tails are restored to 1 per cent.
    assert model.noise == pytest.approx(SIGMA, rel=0.02)
    assert np.mean((model.level - 1000) ** 2) == pytest.approx(model.variance.mean(), rel=0.05)


@pytest.mark.parametrize("method", ["median_per_row", "mean_per_row", "polynomial", "akima_spline"])
@pytest.mark.parametrize("left", [True, False])
def test_skipped_columns_keep_the_trail_out(method, left):
    rng = np.random.default_rng(3)
    level = level_of("polynomial")
    image = simulate(rng, level, trail=True)
    if not left:
        image = image[:, ::-1]
    options = {"order": 8 if method.endswith("spline") else 3, "skip_trailing": 0, "first_column_left": left}
    good = fit_overscan(image, method=method, skip_leading=3, **options)
    pull = (good.level - level) / np.sqrt(good.variance)
    assert abs(np.mean(pull[100:200])) < 5 / np.sqrt(100 if method.endswith("row") else 2)


def test_lit_rows_hardly_move_the_clipped_methods_even_unskipped():
    rng = np.random.default_rng(4)
    level = np.full(ROWS, 1000.0)
    image = np.mean([simulate(rng, level, trail=True) for _ in range(50)], axis=0)  # little noise
    options = {"order": 3, "skip_leading": 0, "skip_trailing": 0, "first_column_left": True}
    plain = fit_overscan(image, method="mean", **options)
    assert plain.level[0] == pytest.approx(1000 + 75 / 24 / 4, abs=0.1)
    for method in ("clipped_mean", "mean_per_row", "median_per_row", "polynomial"):
        model = fit_overscan(image, method=method, **options)
        assert abs(model.level[150] - 1000) < 0.4
