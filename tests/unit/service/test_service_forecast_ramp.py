"""What a ramp costs: memory for two frames however many there are, and time for each."""

from __future__ import annotations

import pytest

from fiducial.cameras import load_camera
from fiducial.kinds.budget import LIBRARIES, raw_bytes
from fiducial.service.planning_ramps import forecast_ramp


@pytest.mark.parametrize("name", ["simcam", "latiss"])
def test_more_frames_take_time_and_no_memory(name: str) -> None:
    camera = load_camera(name)
    few, many = (forecast_ramp(camera, [0], number, 1) for number in (10, 100))
    assert few.memory == many.memory
    assert many.seconds > few.seconds
    assert many.read_bytes - few.read_bytes == pytest.approx(90 * 1.05 * raw_bytes(camera, 0))
    assert few.disk_bytes == many.disk_bytes


def test_processes_share_the_time_and_each_has_its_memory() -> None:
    camera = load_camera("simcam")
    one, two = (forecast_ramp(camera, [0, 1], 40, processes) for processes in (1, 2))
    assert two.memory == 2 * one.memory
    assert two.seconds < one.seconds
    ny, nx = camera.layout(0).shape
    # Two frames of image, variance and mask, and a bias and a dark in memory: 24 and 40 bytes a pixel.
    assert one.memory > LIBRARIES + ny * nx * (24 + 40)
