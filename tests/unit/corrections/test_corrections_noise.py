"""Variance: every term, in both worlds; and pixels that are not a number."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.corrections.variance import expected_variance
from fiducial.products.masks import Plane
from frame_arrays import GAIN, READ_NOISE, frame, raw_pixels, tiny_camera


def corrected(names: list[str], pixels: np.ndarray, poisson: bool = True) -> list[Segment]:
    config = CorrectionsConfig()
    config.variance.poisson = poisson
    camera = tiny_camera()
    chain = build_chain(names, config, camera=camera, detector=0)
    one = frame(camera, pixels)
    return chain.run(one, plan_strips(one.amplifiers)[0])


def test_electrons() -> None:
    pixels = raw_pixels(tiny_camera(), 100.0)
    for segment in corrected(["overscan", "gain", "assembly", "variance"], pixels):
        signal = 100.0 * GAIN[segment.amplifier.name]
        assert segment.variance == pytest.approx(signal + READ_NOISE**2)


def test_adu() -> None:
    pixels = raw_pixels(tiny_camera(), 100.0)
    for segment in corrected(["overscan", "assembly", "variance"], pixels):
        gain = GAIN[segment.amplifier.name]
        assert segment.variance == pytest.approx(100.0 / gain + (READ_NOISE / gain) ** 2)


def test_a_negative_signal_makes_no_noise() -> None:
    pixels = raw_pixels(tiny_camera(), -100.0)
    for segment in corrected(["overscan", "gain", "assembly", "variance"], pixels):
        assert segment.variance == pytest.approx(READ_NOISE**2)


def test_the_overscan_model_adds_its_own() -> None:
    pixels = raw_pixels(tiny_camera(), 0.0, noise=6.0)
    for segment in corrected(["overscan", "gain", "assembly", "variance"], pixels, poisson=False):
        added = segment.row_variance[:, None] + np.zeros(20)
        assert segment.variance == pytest.approx(READ_NOISE**2 + added, rel=1e-5)
        assert (added > 0).all()


def test_expected_variance_of_a_model() -> None:
    amp = tiny_camera().amplifiers(0)[0]
    signal = np.array([-5.0, 0.0, 10.0, np.nan], np.float32)
    assert expected_variance(signal, amp, "electron", 1.0)[:3].tolist() == [65.0, 65.0, 75.0]
    assert expected_variance(signal, amp, "adu", 1.0)[:3].tolist() == [17.0, 17.0, 22.0]
    assert np.isnan(expected_variance(signal, amp, "adu")[3])


def test_unexplained_nan_is_marked() -> None:
    pixels = raw_pixels(tiny_camera())
    pixels[0, 0], pixels[0, 1] = np.nan, np.inf
    lower, _ = corrected(["saturation", "assembly", "nan"], pixels)
    assert lower.mask[0, 0] == Plane.UNMASKED_NAN
    assert lower.mask[0, 1] == Plane.SAT | Plane.SUSPECT  # the mask says why
    assert np.isnan(lower.image[0, :2]).all()
    assert np.count_nonzero(lower.mask) == 2
