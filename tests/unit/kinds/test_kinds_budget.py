"""Forecasts: strips stay within their bound, and more of anything costs more."""

from __future__ import annotations

import pytest

from fiducial.cameras import load_camera
from fiducial.kinds.budget import STRIPS, forecast, kept_bytes, raw_bytes, strip_bytes, strip_height
from frame_arrays import tiny_camera


@pytest.mark.parametrize("frames", [3, 20, 200])
@pytest.mark.parametrize("name", ["latiss", "decam", "kast-blue", "stl1001"])
def test_strips_stay_within_the_bound(name: str, frames: int) -> None:
    camera = load_camera(name)
    amplifiers = camera.amplifiers(camera.detectors[0].id)
    height = strip_height(amplifiers, frames, STRIPS, threads=2)
    assert strip_bytes(amplifiers, height, frames, threads=2) <= STRIPS
    tallest = max(amp.data.shape[0] for amp in amplifiers)
    assert height == tallest or strip_bytes(amplifiers, height + 1, frames, threads=2) > STRIPS


def test_a_strip_has_some_rows_whatever_the_bound() -> None:
    assert strip_height(tiny_camera().amplifiers(0), 1000, 1.0) == 8


def test_raw_bytes_of_one_and_of_many_images() -> None:
    assert raw_bytes(tiny_camera(), 0) == 100 * 60 * 2
    latiss = load_camera("latiss")
    rows, columns = latiss.layout(0).raw_shape
    assert raw_bytes(latiss, 0) == 16 * rows * columns * 2


def test_images_are_kept_only_where_it_saves_something_and_fits() -> None:
    camera = tiny_camera()
    assert kept_bytes(camera, 0, 10, 1e9, twice=True) == 120_000
    assert kept_bytes(camera, 0, 10, 1e9, twice=False) == 0
    assert kept_bytes(camera, 0, 10, 200_000, twice=True) == 0


def test_forecasts_grow_with_what_is_asked() -> None:
    camera = load_camera("latiss")
    few = forecast("bias", n_frames=10, camera=camera, detector=0)
    many = forecast("bias", n_frames=20, camera=camera, detector=0)
    assert many.read_bytes == pytest.approx(2 * few.read_bytes)
    assert many.seconds > few.seconds
    assert many.disk_bytes == few.disk_bytes
    flat = forecast("flat", n_frames=20, camera=camera, detector=0)
    assert flat.read_bytes > 2 * many.read_bytes
    assert flat.memory > many.memory
    assert forecast("bias", n_frames=20, camera=camera, detector=0, strips=2 * STRIPS).memory > many.memory
