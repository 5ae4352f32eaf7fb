"""An overscan without a pixel that tells a level: its amplifier says nothing there, and all others go on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.frames.records import FrameRecord
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import planes_of
from fiducial.products.masks import UNUSABLE, Plane
from frame_arrays import ArrayRaw, Handle, facts, raw_pixels, tiny_camera

CAMERA = tiny_camera()
OVERSCAN = slice(20, 30)  # columns of A's
METHODS = ["median_per_row", "mean", "legendre"]


def frames(count: int = 12, dtype: Any = np.uint16) -> list[np.ndarray]:
    return [np.rint(raw_pixels(CAMERA, 500.0, noise=4.0, seed=i)).astype(dtype) for i in range(count)]


def offered(pixels: list[np.ndarray]) -> dict[str, Any]:
    records = {
        i + 1: FrameRecord(
            facts=facts(i + 1), detector=0, file="x", size=1, sha256=f"{i + 1:064d}", content=()
        )
        for i in range(len(pixels))
    }
    raws = [Offered(i + 1, Handle(ArrayRaw(frame))) for i, frame in enumerate(pixels)]
    return {"raws": raws, "camera": CAMERA, "detector": 0, "records": records}


def bias(pixels: list[np.ndarray], method: str, threads: int = 1) -> Any:
    config = BiasConfig()
    config.corrections.overscan.method = method
    return planes_of(BiasTask(config=config).run(**offered(pixels), threads=threads).bias)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_frame_whose_overscan_is_saturated_does_not_count_there(method: str, dtype: Any) -> None:
    pixels = frames(dtype=dtype)
    without = bias(pixels[1:], method)
    pixels[0][:, OVERSCAN] = 65535
    pixels[0][:, :20] = 40_000
    found = bias(pixels, method, threads=2)
    np.testing.assert_array_equal(found.image[:, :20], without.image[:, :20])
    assert not (found.mask[:, 20:] & int(UNUSABLE)).any()
    assert np.isfinite(found.image).all()


@pytest.mark.parametrize("method", METHODS)
def test_an_amplifier_whose_overscan_is_always_saturated_is_bad_and_the_other_goes_on(method: str) -> None:
    pixels = frames()
    good = bias(pixels, method)
    for frame in pixels:
        frame[:, OVERSCAN] = 65535
    found = bias(pixels, method)
    assert (found.mask[:, :20] & int(Plane.NO_DATA)).all()
    np.testing.assert_array_equal(found.image[:, 20:], good.image[:, 20:])


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_trail_in_the_overscan_costs_the_rows_of_its_block(dtype: Any) -> None:
    (pixels,) = frames(1, dtype)
    config = DetrendConfig()
    config.chain = ["saturation", "overscan", "gain", "assembly", "variance", "nan"]

    def detrended(raw: np.ndarray) -> Any:
        given = offered([raw])
        return (
            DetrendTask(config=config)
            .run(raw=given["raws"][0], camera=CAMERA, detector=0, record=given["records"][1])
            .detrended
        )

    before = planes_of(detrended(pixels.copy()))
    pixels[64:96, OVERSCAN] = 65535  # the second block of 64 readout rows, as far as it goes
    product = detrended(pixels)
    after = planes_of(product)
    assert (after.mask[64:96, :20] == int(Plane.UNMASKED_NAN)).all()
    np.testing.assert_array_equal(after.image[:64], before.image[:64])
    np.testing.assert_array_equal(after.image[:, 20:], before.image[:, 20:])
    assert product.metadata["FID AMP A OVERSCAN NOISE"] == pytest.approx(4.0, rel=0.2)
    pixels[:, OVERSCAN] = 65535
    product = detrended(pixels)
    assert "FID AMP A OVERSCAN NOISE" not in product.metadata
    assert (planes_of(product).mask[:, :20] == int(Plane.UNMASKED_NAN)).all()
