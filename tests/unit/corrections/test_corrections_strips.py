"""Strips: every data pixel of every amplifier in exactly one, at its place on the detector."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.cameras.regions import Region
from fiducial.corrections.strips import BLOCK, columns_needed, plan_strips, raw_rows, strip_windows
from frame_arrays import RAW_SHAPE, SHAPE, tiny_camera


@pytest.mark.parametrize("height", [None, 1, 7, 64, 65, 1000])
def test_every_data_pixel_is_read_once(height: int | None) -> None:
    amplifiers = tiny_camera().amplifiers(0)
    counts = np.zeros(RAW_SHAPE, int)
    placed = np.zeros(SHAPE, int)
    for strip in plan_strips(amplifiers, height):
        for span in strip.spans:
            for index in span.amplifiers:
                data = amplifiers[index].data
                counts[span.y0 : span.y1, data.x0 : data.x1] += 1
        for _, window in strip_windows(amplifiers, strip):
            placed[window.slices] += 1
    for amp in amplifiers:
        assert (counts[amp.data.slices] == 1).all()
    assert counts.sum() == sum(np.prod(amp.data.shape) for amp in amplifiers)
    assert (placed == 1).all()


def test_strips_start_at_multiples_of_the_block() -> None:
    amplifiers = tiny_camera().amplifiers(0)
    assert [s.first for s in plan_strips(amplifiers, BLOCK + 1)] == [0, BLOCK]
    assert [s.first for s in plan_strips(amplifiers, BLOCK // 2 + 3)] == [0, 32, 64]


def test_readout_rows_run_from_the_read_corner() -> None:
    lower, upper = tiny_camera().amplifiers(0)
    assert raw_rows(lower, 0, 10) == (0, 10)
    assert raw_rows(upper, 0, 10) == (90, 100)
    assert raw_rows(upper, 90, 200) == (4, 10)


def test_amplifiers_of_the_same_rows_share_a_span() -> None:
    camera = tiny_camera()
    amp = camera.amplifiers(0)[0]
    beside = amp.model_copy(
        update={"name": "C", "data": Region(40, 60, 0, 96), "serial_overscan": Region(30, 40, 0, 96)}
    )
    (strip,) = plan_strips((amp, beside))
    assert [span.amplifiers for span in strip.spans] == [(0, 1)]


def test_whole_rows_are_read_unless_little_of_them_is_needed() -> None:
    lower, upper = tiny_camera().amplifiers(0)
    assert columns_needed([lower, upper], 60) == (0, 60)
    assert columns_needed([lower], 60) == (0, 30)
    assert columns_needed([lower], 59) == (0, 59)
