"""The product that people look at: binning, profiles, and the way to FITS and back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits

from fiducial.algorithms.binning import bin_image
from fiducial.cameras.regions import Region
from fiducial.products.residuals import (
    LONGEST_SIDE,
    MOST_BYTES,
    Z_EDGES,
    ResidualStack,
    bin_factor,
    images_bytes,
)
from fiducial.verify.expected import ReadNoise
from fiducial.verify.residual_stack import ResidualGatherer
from fiducial.verify.rows import FrameIdentity
from fiducial.verify.window import Residual

WINDOWS = {"A": Region(0, 300, 0, 200), "B": Region(300, 600, 0, 200, flip_x=True)}


def gathered(frames: int = 3, second: bool = True) -> ResidualStack:
    gatherer = ResidualGatherer(
        "electron", (200, 600), WINDOWS, frames, second_overscan="clipped_mean" if second else ""
    )
    rng = np.random.default_rng(1)
    for k in range(frames):
        identity = FrameIdentity("bias", 100 + k, 4, "", 60000.0 + k, "first" if k == 0 else "input")
        residuals = {}
        for name in WINDOWS:
            values = rng.standard_normal((200, 300)).astype(np.float32) * 6 + (2.0 if name == "B" else 0.0)
            usable = np.ones((200, 300), bool)
            usable[:10, :10] = False
            values[:10, :10] = 1e9
            sigma = np.full((200, 300), 6.0, np.float32)
            residuals[name] = Residual(values, sigma, usable, "electron", ReadNoise(6.0, 0.0, "overscan"))
        other = {n: (r.residual + 1, r.usable) for n, r in residuals.items()} if second else None
        gatherer.add(identity, 1.0, residuals, other)
    return gatherer.product("bias", 4, "")


def test_small_detectors_keep_their_pixels_and_large_ones_are_binned() -> None:
    assert bin_factor((350, 2048)) == 1
    assert bin_factor((1024, 2048)) == 1
    assert bin_factor((4096, 4224)) == 9
    for side in (1600, 2048, 4096, 9216):
        assert -(-side // bin_factor((side, side))) <= LONGEST_SIDE


@pytest.mark.parametrize("shape", [(1024, 1024), (4096, 4096), (350, 2048), (1, 3)])
@pytest.mark.parametrize("images", [1, 20, 400, 5000])
def test_many_images_are_binned_until_they_are_within_their_memory(
    shape: tuple[int, int], images: int
) -> None:
    factor = bin_factor(shape, images)
    assert images_bytes(shape, images, factor) <= MOST_BYTES
    assert factor >= bin_factor(shape)
    if factor > bin_factor(shape):
        assert images_bytes(shape, images, factor - 1) > MOST_BYTES


def test_bins_are_means_of_usable_pixels() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    usable = np.ones((4, 5), bool)
    usable[0, 0] = False
    usable[2:, 2:4] = False
    found = bin_image(image, usable, 2)
    assert found.shape == (2, 3)
    assert found[0, 0] == pytest.approx((1 + 5 + 6) / 3)
    assert np.isnan(found[1, 1])
    assert found[1, 2] == pytest.approx((14 + 19) / 2)  # the bin at the edge is half as wide


def test_nothing_masked_gets_into_the_product() -> None:
    stack = gathered()
    assert stack.binning == 1
    assert stack.images.shape == (3, 200, 600)
    assert np.nanmax(np.abs(stack.images)) < 100
    assert stack.histograms.sum(axis=2).tolist() == [[59_900, 59_900]] * 3
    assert stack.row_profiles.shape == stack.column_profiles.shape == (3, 2, 300)
    assert np.isnan(stack.row_profiles[:, :, 200:]).all()
    assert np.isfinite(stack.row_profiles[:, :, :200]).all()


def test_amplifiers_stand_where_they_belong() -> None:
    """B is 2 electrons higher; each half of the image is the mean of 60,000 pixels of sigma 6."""
    image = gathered().images[0]
    assert np.nanmean(image[:, :300]) == pytest.approx(0.0, abs=0.15)
    assert np.nanmean(image[:, 300:]) == pytest.approx(2.0, abs=0.15)


def test_the_second_overscan_model_is_kept_beside_the_first() -> None:
    stack = gathered()
    difference = stack.second_images - stack.images
    assert difference[np.isfinite(difference)] == pytest.approx(1.0, abs=1e-5)
    assert stack.second_overscan == "clipped_mean"


def test_the_histogram_holds_everything() -> None:
    z = np.array([[-50.0, -9.99, 0.0, 0.01, 9.99, 50.0]], dtype=np.float32)
    gatherer = ResidualGatherer("adu", (1, 6), {"A": Region(0, 6, 0, 1)}, 1)
    residual = Residual(z, np.ones_like(z), np.ones(z.shape, bool), "adu", ReadNoise(1.0, 0.0, "certified"))
    gatherer.add(FrameIdentity("dark", 1, 0, "", 0.0, "input"), 30.0, {"A": residual})
    (histogram,) = gatherer.product("dark", 0, "").histograms[0]
    assert histogram.sum() == 6
    assert (histogram[0], histogram[-1]) == (2, 2)
    assert len(Z_EDGES) == len(histogram) + 1


@pytest.mark.parametrize(("frames", "second"), [(3, True), (2, False), (0, False)])
def test_the_product_survives_fits(frames: int, second: bool) -> None:
    stack = gathered(frames, second)
    file = io.BytesIO()
    stack.to_hdus().writeto(file)
    file.seek(0)
    with fits.open(file) as hdus:
        back = ResidualStack.from_hdus(hdus)
    for name in ResidualStack.__dataclass_fields__:
        a, b = getattr(stack, name), getattr(back, name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=name)
            assert a.dtype == b.dtype, name
            assert b.dtype.isnative
        else:
            assert a == b, name


def test_another_product_is_refused() -> None:
    hdus = gathered(1).to_hdus()
    hdus[0].header["FIDSCHEM"] = 99
    with pytest.raises(ValueError, match="layout 99"):
        ResidualStack.from_hdus(hdus)
    with pytest.raises(ValueError, match="residuals"):
        ResidualStack.from_hdus(fits.HDUList([fits.PrimaryHDU()]))


def test_the_repository_knows_how_to_read_it() -> None:
    from fiducial.products.base import product_hdus, read_product

    assert isinstance(read_product(product_hdus(gathered(1)), "here"), ResidualStack)
