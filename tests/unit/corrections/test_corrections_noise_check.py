"""Amplifiers noisier, or quieter, than they should be: told, marked, or refused."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.errors import FrameError
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, frame, raw_pixels, tiny_camera


def pixels_with(noise_a: float, noise_b: float) -> np.ndarray:
    """Noise in adu of each amplifier; 4 and 2 are those of the camera file."""
    rng = np.random.default_rng(11)
    pixels = raw_pixels(tiny_camera())
    pixels[:, :30] += (noise_a * rng.standard_normal((RAW_SHAPE[0], 30))).astype(np.float32)
    pixels[:, 30:] += (noise_b * rng.standard_normal((RAW_SHAPE[0], 30))).astype(np.float32)
    return pixels


def corrected(
    pixels: np.ndarray, layout: str = "two", **settings: Any
) -> tuple[DetectorFrame, list[Segment]]:
    camera, config = tiny_camera(layout), CorrectionsConfig()
    config.noise_check.update(**settings)
    chain = build_chain(["overscan", "noise_check", "assembly"], config, camera=camera, detector=0)
    one = frame(camera, pixels)
    chain.prepare(one)
    return one, chain.run(one, plan_strips(one.amplifiers)[0])


def test_as_it_should_be(caplog: pytest.LogCaptureFixture) -> None:
    one, segments = corrected(pixels_with(4.0, 2.0), outside="refuse")
    assert not caplog.records
    for name in "AB":
        assert one.notes[f"FID AMP {name} NOISE CHECK"] == "ok"
        # 96 rows of 9 pixels: an error of 2.6 per cent.
        assert one.notes[f"FID AMP {name} NOISE RATIO"] == pytest.approx(1.0, abs=5 * 0.026)
    assert not any(segment.mask.any() for segment in segments)


def test_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        one, segments = corrected(pixels_with(4.0, 6.0))
    assert "exposure 1: the overscan noise of amplifier B is" in caplog.text
    assert "amplifier A" not in caplog.text
    assert one.notes["FID AMP A NOISE CHECK"] == "ok"
    assert one.notes["FID AMP B NOISE CHECK"] == "high"
    assert not any(segment.mask.any() for segment in segments)


def test_a_bad_amplifier() -> None:
    _, (lower, upper) = corrected(pixels_with(4.0, 6.0), outside="bad")
    assert not lower.mask.any()
    assert (upper.mask == Plane.BAD).all()


@pytest.mark.parametrize(("noise", "says"), [(60.0, "A is 1"), (0.0, "A is 0 times")])
def test_a_refusal(noise: float, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        corrected(pixels_with(noise, 2.0), outside="refuse")


def test_the_limits_are_settings() -> None:
    one, _ = corrected(pixels_with(4.0, 6.0), high=4.0)
    assert one.notes["FID AMP B NOISE CHECK"] == "ok"
    one, _ = corrected(pixels_with(4.0, 2.0), low=1.5, high=2.0)
    assert one.notes["FID AMP A NOISE CHECK"] == "low"


def test_an_overscan_of_nothing_is_too_quiet() -> None:
    pixels = pixels_with(4.0, 2.0)
    pixels[:, 20:30] = np.nan
    camera, config = tiny_camera(), CorrectionsConfig()
    config.noise_check.outside = "bad"
    chain = build_chain(["noise_check", "assembly"], config, camera=camera, detector=0)
    one = frame(camera, pixels)
    chain.prepare(one)
    assert one.notes["FID AMP A NOISE CHECK"] == "low"
    assert list(one.bad_amplifiers) == ["A"]


def test_without_overscan_nothing_is_judged() -> None:
    one, segments = corrected(np.full(RAW_SHAPE, 100.0, np.float32), "bare", outside="refuse")
    assert not one.notes
    assert not any(segment.mask.any() for segment in segments)
