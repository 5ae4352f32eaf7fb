"""Frames: which pixels a strip brings, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.corrections.frame import DetectorFrame, WholeImages
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.errors import LayoutMismatch
from frame_arrays import RAW_SHAPE, ArrayRaw, facts, frame, tiny_camera


def test_cuts_hold_data_and_overscan_of_their_rows() -> None:
    camera = tiny_camera()
    pixels = np.arange(np.prod(RAW_SHAPE), dtype=np.int32).reshape(RAW_SHAPE)
    one = frame(camera, pixels)
    first, second = plan_strips(one.amplifiers, 64)
    lower, upper = one.cuts(first)
    assert np.array_equal(lower.raw, pixels[0:64, 0:20])
    assert np.array_equal(lower.overscan, pixels[0:64, 20:30])
    assert np.array_equal(upper.raw, pixels[36:100, 40:60])
    assert np.array_equal(upper.overscan, pixels[36:100, 30:40])
    assert Segment.of_raw(lower).image.dtype == np.float32
    assert one.cuts(second)[1].rows == (4, 36)


def test_a_frame_of_another_shape_is_refused() -> None:
    with pytest.raises(LayoutMismatch, match="binned 2x2"):
        frame(tiny_camera(), np.zeros((50, 30), np.uint16))


def test_a_missing_hdu_is_refused() -> None:
    camera = tiny_camera()
    amp = camera.layouts["two"].amplifiers[0].model_copy(update={"hdu": 3})
    layout = camera.layouts["two"].model_copy(update={"amplifiers": (amp,)})
    other = camera.model_copy(update={"layouts": {"two": layout}})
    raw = ArrayRaw(np.zeros(RAW_SHAPE, np.uint16))
    with pytest.raises(LayoutMismatch, match="HDU 3"):
        DetectorFrame(raw, other, 0, facts())  # type: ignore[arg-type]


def test_whole_images_are_read_once() -> None:
    camera = tiny_camera()
    one = frame(camera)
    one.pixels = WholeImages(one.raw)
    for strip in plan_strips(one.amplifiers, 16):
        one.cuts(strip)
    assert one.raw.read_pixels == np.prod(RAW_SHAPE)  # type: ignore[attr-defined]
    assert one.kept_bytes == 4 * np.prod(RAW_SHAPE)
    with pytest.raises(ValueError, match="read-only"):
        one.pixels.read()[0, 0] = 1
