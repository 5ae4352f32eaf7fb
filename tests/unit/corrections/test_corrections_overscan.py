"""Overscan: levels of rows and columns, whole or by strips, settings of the camera or the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from frame_arrays import RAW_SHAPE, SHAPE, frame, raw_pixels, tiny_camera

METHODS = ["mean", "clipped_mean", "median", "mean_per_row", "median_per_row", "polynomial", "chebyshev"]
METHODS += ["legendre", "natural_spline", "cubic_spline", "akima_spline"]


def chain_of(camera: Any = None, **settings: Any) -> Chain:
    config = CorrectionsConfig()
    for key, value in settings.items():
        setattr(config.overscan, key, value)
    return build_chain(["overscan", "assembly"], config, camera=camera or tiny_camera(), detector=0)


def corrected(chain: Chain, pixels: np.ndarray, height: int | None = None) -> list[Segment]:
    one = frame(chain.context.camera, pixels)
    chain.prepare(one)
    return [s for strip in plan_strips(one.amplifiers, height) for s in chain.run(one, strip)]


def assembled(segments: list[Segment]) -> np.ndarray:
    image = np.full(SHAPE, np.nan)
    for segment in segments:
        image[segment.place.slices] = segment.image
    return image


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_level_is_removed(method: str) -> None:
    pixels = raw_pixels(tiny_camera(), {"A": 50.0, "B": 70.0})
    image = assembled(corrected(chain_of(method=method, order=5), pixels))
    assert np.allclose(image[:, :20], 50.0, atol=1e-3)
    assert np.allclose(image[:, 20:], 70.0, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_strips_give_what_the_whole_frame_gives(method: str) -> None:
    pixels = raw_pixels(tiny_camera(), 50.0, noise=4.0, ramp=30.0, seed=1)
    chain = chain_of(method=method, order=5)
    whole, strips = corrected(chain, pixels), corrected(chain, pixels, 64)
    assert np.array_equal(assembled(whole), assembled(strips))
    variance = np.concatenate([s.row_variance for s in strips if s.amplifier.name == "A"])
    assert np.array_equal(variance, whole[0].row_variance)
    assert (variance > 0).all()


def test_a_level_that_changes_along_the_rows_is_followed() -> None:
    pixels = raw_pixels(tiny_camera(), 50.0, ramp=40.0)
    assert np.allclose(assembled(corrected(chain_of(), pixels)), 50.0, atol=1e-3)
    flat = assembled(corrected(chain_of(method="median"), pixels))
    assert np.ptp(flat[:, 0]) == pytest.approx(40.0 * 95 / 100, abs=1e-2)


def test_none_leaves_the_level() -> None:
    pixels = raw_pixels(tiny_camera())
    assert np.array_equal(assembled(corrected(chain_of(method="none"), pixels))[:, :20], pixels[:96, :20])


def test_the_added_variance_is_that_of_a_median_of_nine_pixels() -> None:
    # Nine of ten columns are used; the variance of a median of 9 Gaussian values is 0.166 sigma^2.
    pixels = raw_pixels(tiny_camera(), noise=5.0, seed=2)
    lower, upper = corrected(chain_of(), pixels)
    # 96 rows of 9 pixels know the noise to 1 / sqrt(2 * 864) = 2.4 %; three of those, twice for a square.
    assert lower.row_variance.mean() == pytest.approx(0.166 * 25, rel=0.15)
    assert upper.row_variance.mean() == pytest.approx(0.166 * 25, rel=0.15)


def test_leading_columns_are_skipped_in_readout_order() -> None:
    camera = tiny_camera()
    pixels = raw_pixels(camera)
    pixels[:, 20] += 900.0  # A's first overscan column read
    pixels[:, 39] += 900.0  # B's, whose columns run the other way
    assert np.allclose(assembled(corrected(chain_of(method="mean"), pixels)), 0.0, atol=1e-3)
    spoiled = assembled(corrected(chain_of(method="mean", skipLeading=0), pixels))
    assert np.allclose(spoiled, -90.0, atol=1e-2)


def test_trailing_columns_are_skipped() -> None:
    pixels = raw_pixels(tiny_camera())
    pixels[:, [29, 30]] += 900.0
    assert np.allclose(assembled(corrected(chain_of(method="mean", skipTrailing=1), pixels)), 0.0, atol=1e-3)


def test_saturated_overscan_pixels_are_passed_over() -> None:
    pixels = raw_pixels(tiny_camera())
    pixels[10:20, 20:28] = 65535.0
    image = assembled(corrected(chain_of(method="mean_per_row"), pixels))
    assert np.allclose(image, 0.0, atol=1e-3)


def test_the_parallel_overscan_takes_the_level_of_columns() -> None:
    camera = tiny_camera()
    pixels = raw_pixels(camera)
    columns = np.linspace(0, 30, 20, dtype=np.float32)
    pixels[:, 0:20] += columns
    pixels[:, 40:60] += columns
    assert np.allclose(assembled(corrected(chain_of(parallel=True), pixels)), 0.0, atol=1e-3)
    for segment in corrected(chain_of(parallel=True), pixels + np.float32(0.0)):
        assert set(segment.models) == {"serial", "parallel"}
    without = assembled(corrected(chain_of(), pixels))
    assert np.allclose(without[:, :20], columns, atol=1e-3)


@pytest.mark.parametrize("method", ["median", "chebyshev"])
def test_methods_for_the_whole_overscan_take_the_parallel_one_too(method: str) -> None:
    pixels = raw_pixels(tiny_camera(), 10.0, ramp=0.0)
    segments = corrected(chain_of(method=method, parallel=True), pixels)
    assert np.allclose(assembled(segments), 10.0, atol=1e-3)


def test_the_camera_decides_unless_the_run_does() -> None:
    camera = tiny_camera(method="legendre")
    assert chain_of(camera).notes()["OVERSCAN METHOD"] == "legendre"
    assert chain_of(camera, method="mean", order=2).notes() == {
        "OVERSCAN METHOD": "mean",
        "OVERSCAN ORDER": 2,
        "OVERSCAN SKIP": "1,0",
        "OVERSCAN PARALLEL": False,
    }
    assert chain_of(camera).whole_frame
    assert not chain_of(camera, method="median_per_row").whole_frame


def test_an_amplifier_without_overscan_keeps_its_level() -> None:
    camera = tiny_camera("bare")
    pixels = raw_pixels(camera, 5.0)
    (segment,) = corrected(chain_of(camera), pixels)
    assert np.array_equal(segment.image, pixels)
    assert not segment.models
    assert segment.image.shape == RAW_SHAPE


def test_overscan_rows_beside_those_of_the_data_are_found() -> None:
    camera = tiny_camera()
    amp = camera.layouts["two"].amplifiers[0]
    short = amp.model_copy(update={"serial_overscan": type(amp.data)(20, 30, 10, 90)})
    layout = camera.layouts["two"].model_copy(update={"amplifiers": (short,)})
    other = camera.model_copy(update={"layouts": {"two": layout}})
    pixels = raw_pixels(other, 3.0)
    pixels[:, 20:30] = 1000.0
    (segment,) = corrected(chain_of(other), pixels)
    assert np.allclose(segment.image, 3.0, atol=1e-3)
