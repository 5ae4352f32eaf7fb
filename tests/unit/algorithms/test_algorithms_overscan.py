"""Overscan models: orientation, masked pixels, outliers of whole rows, what is refused."""

import numpy as np
import pytest

from fiducial.algorithms.overscan import BY_ROW, METHODS, fit_overscan, fit_overscan_rows
from fiducial.cameras.model import OverscanDefaults
from fiducial.errors import AlgorithmError

OPTIONS = {"order": 3, "skip_leading": 0, "skip_trailing": 0, "first_column_left": True}
CURVES = [m for m in METHODS if m.endswith("_spline") or m in ("polynomial", "chebyshev", "legendre")]


def region(seed=1, rows=200, columns=20, level=1000.0):
    return level + np.random.default_rng(seed).normal(0, 4, (rows, columns))


def test_methods_are_those_of_the_camera_files():
    annotation = OverscanDefaults.model_fields["method"].annotation
    assert set(METHODS) == set(annotation.__args__)


@pytest.mark.parametrize("method", METHODS)
def test_shapes_and_types(method):
    image = region()
    image.flags.writeable = False
    model = fit_overscan(image, method=method, **OPTIONS)
    assert model.level.shape == model.variance.shape == (200,)
    assert model.level.dtype == model.variance.dtype == np.float64
    assert model.noise == pytest.approx(4, rel=0.05)
    assert model.used == 20
    assert (model.variance >= 0).all()
    assert np.isfinite(model.level).all()


def test_values_of_the_simple_methods():
    image = region()
    np.testing.assert_array_equal(fit_overscan(image, method="none", **OPTIONS).level, 0)
    assert fit_overscan(image, method="mean", **OPTIONS).level[7] == pytest.approx(image.mean())
    assert fit_overscan(image, method="median", **OPTIONS).level[7] == np.median(image)
    by_row = fit_overscan(image, method="median_per_row", **OPTIONS)
    np.testing.assert_array_equal(by_row.level, np.median(image, axis=1))
    means = fit_overscan(image, method="mean_per_row", kappa=10, **OPTIONS)
    np.testing.assert_allclose(means.level, image.mean(axis=1))
    np.testing.assert_allclose(means.variance, means.noise**2 / 20)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize(("leading", "trailing"), [(0, 0), (3, 0), (0, 2), (3, 2), (19, 0)])
def test_columns_are_skipped_in_readout_order(left, leading, trailing):
    image = region()
    model = fit_overscan(
        image,
        method="median_per_row",
        order=0,
        skip_leading=leading,
        skip_trailing=trailing,
        first_column_left=left,
    )
    read = image if left else image[:, ::-1]
    np.testing.assert_array_equal(model.level, np.median(read[:, leading : 20 - trailing], axis=1))
    assert model.used == 20 - leading - trailing


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_any_raw_type(method, dtype):
    image = np.rint(region())
    model = fit_overscan(image.astype(dtype), method=method, **OPTIONS)
    expected = fit_overscan(image, method=method, **OPTIONS)
    np.testing.assert_allclose(model.level, expected.level)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_masked_pixels_are_passed_over_and_empty_rows_filled(method):
    image = region()
    image[::3, ::2] = np.nan
    image[50] = np.nan
    image[198:] = np.nan
    model = fit_overscan(image, method=method, **OPTIONS)
    assert np.isfinite(model.level).all()
    assert np.isfinite(model.variance).all()
    assert abs(model.level - 1000).max() < 8
    if method.endswith("_per_row"):
        assert model.level[50] == pytest.approx((model.level[49] + model.level[51]) / 2)
        assert model.level[199] == model.level[197]
        # Half of the pixels, more variance.
        assert model.variance[3] > 1.7 * model.variance[4]
    assert model.noise == pytest.approx(4, rel=0.06)


@pytest.mark.parametrize("method", CURVES)
def test_curves_leave_out_rows_that_are_lifted(method):
    clean = fit_overscan(
        region(), method=method, order=5, **{k: v for k, v in OPTIONS.items() if k != "order"}
    )
    image = region()
    image[40:50] += 300.0
    image[120] -= 50.0
    model = fit_overscan(image, method=method, order=5, **{k: v for k, v in OPTIONS.items() if k != "order"})
    # The rows left out had their share of the noise: the curve moves within its error.
    assert (np.abs(model.level - clean.level) < 3 * np.sqrt(model.variance)).all()


@pytest.mark.parametrize("method", ["polynomial", "chebyshev", "legendre"])
def test_polynomials_of_all_names_are_the_same_curve(method):
    y = np.linspace(-1, 1, 200)
    image = region() + (5 * y**3 - 2 * y)[:, None]
    model = fit_overscan(image, method=method, kappa=10, **OPTIONS)
    expected = np.polyval(np.polyfit(y, image.mean(axis=1), 3), y)
    np.testing.assert_allclose(model.level, expected, rtol=1e-9)
    # The textbook variance: the leverage of each row times the variance of a row.
    q, _ = np.linalg.qr(np.vander(y, 4))
    np.testing.assert_allclose(model.variance, np.sum(q**2, axis=1) * 16 / 20, rtol=0.1)


@pytest.mark.parametrize("method", ["natural_spline", "cubic_spline", "akima_spline"])
@pytest.mark.parametrize("order", [2, 3, 4, 30])
def test_splines_of_any_number_of_groups(method, order):
    y = np.linspace(-1, 1, 200)
    line = 1000 + 20 * y
    image = line[:, None] + np.random.default_rng(1).normal(0, 0.1, (200, 20))
    options = OPTIONS | {"order": order}
    model = fit_overscan(image, method=method, **options)
    assert np.abs(model.level - line).max() < 0.3
    assert (np.abs(model.level - line) < 5 * np.sqrt(model.variance)).all()


def test_row_noise_widens_the_variance_of_a_curve():
    # Rows that wander more than their pixels' noise tells: the curve knows less.
    rng = np.random.default_rng(2)
    calm = fit_overscan(region(), method="polynomial", **OPTIONS)
    wandering = fit_overscan(region() + rng.normal(0, 5, 200)[:, None], method="polynomial", **OPTIONS)
    assert np.mean(wandering.variance) / np.mean(calm.variance) == pytest.approx(1 + 25 / (16 / 20), rel=0.3)


def test_constant_pixels_have_no_noise():
    for method in METHODS:
        model = fit_overscan(np.full((40, 8), 500, np.uint16), method=method, **OPTIONS)
        np.testing.assert_allclose(model.level, 0 if method == "none" else 500)
        assert model.noise < 1e-9
        assert (model.variance < 1e-18).all()


def test_the_parallel_overscan_is_the_transpose():
    image = region(rows=20, columns=300)
    model = fit_overscan(image.T, method="median_per_row", **OPTIONS)
    np.testing.assert_array_equal(model.level, np.median(image, axis=0))


@pytest.mark.parametrize(
    ("image", "options", "word"),
    [
        (np.ones((5, 4)), {"skip_leading": 3, "skip_trailing": 1}, "skipped"),
        (np.full((5, 4), np.nan), {}, "finite"),
        (np.ones((3, 4)), {"method": "legendre", "order": 3}, "3 rows"),
        (np.ones((30, 4)), {"method": "cubic_spline", "order": 1}, "at least 2"),
        (np.ones((3, 4)), {"method": "cubic_spline", "order": 4}, "3 rows"),
    ],
)
def test_what_cannot_be_fitted_is_an_error(image, options, word):
    with pytest.raises(AlgorithmError, match=word):
        fit_overscan(image, **({"method": "mean"} | OPTIONS | options))


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match="wavelet"):
        fit_overscan(region(), method="wavelet", **OPTIONS)


@pytest.mark.parametrize("height", [1, 3])
@pytest.mark.parametrize("method", ["natural_spline", "legendre"])
def test_rows_that_are_equal_but_for_a_few_still_have_a_level(method: str, height: int) -> None:
    """Clipping by a noise of nothing would leave no row to draw a curve through."""
    pixels = np.full((12, 3), 900, np.uint16)
    pixels[0, 0], pixels[6, 0] = 900 + height, 900 + height
    model = fit_overscan(
        pixels, method=method, order=2, skip_leading=0, skip_trailing=1, first_column_left=True
    )
    assert np.all(np.abs(model.level - 900) <= height)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("method", BY_ROW)
def test_blocks_of_rows_are_fitted_each_by_itself(method: str, holes: bool) -> None:
    image = region(rows=100)
    image[70, 3] += 500  # noise of its block alone
    if holes:
        image[[0, 31, 32, 99]] = np.nan  # at the edges of blocks, whose neighbours must not fill them
        image[50, 4:] = np.nan
    bounds = np.array([0, 32, 64, 100])
    whole = fit_overscan_rows(
        image, bounds, method=method, skip_leading=1, skip_trailing=2, first_column_left=True
    )
    options = OPTIONS | {"skip_leading": 1, "skip_trailing": 2}
    blocks = [fit_overscan(part, method=method, **options) for part in np.split(image, bounds[1:-1])]
    np.testing.assert_array_equal(whole.level, np.concatenate([block.level for block in blocks]))
    np.testing.assert_array_equal(whole.variance, np.concatenate([block.variance for block in blocks]))
    assert whole.noise == np.median([block.noise for block in blocks])
    assert whole.used == 17


def test_a_block_without_a_pixel_is_refused() -> None:
    image = region(rows=100)
    image[32:64] = np.nan
    with pytest.raises(AlgorithmError, match="finite"):
        fit_overscan_rows(
            image,
            np.array([0, 32, 64, 100]),
            method="mean_per_row",
            skip_leading=0,
            skip_trailing=0,
            first_column_left=True,
        )
