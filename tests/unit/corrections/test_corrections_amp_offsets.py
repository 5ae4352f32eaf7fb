"""Amplifiers matched along their edge, and what the header says of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.single_pass import CorrectedFrame, correct_frame
from fiducial.kinds.detrend import product_of
from fiducial.products.masks import Plane
from frame_arrays import frame, raw_pixels, tiny_camera

NAMES = ("saturation", "overscan", "assembly", "variance", "nan", "amp_offsets", "statistics")


def pixels_with(offset: float, slope: float = 0.0) -> np.ndarray:
    """A sky of 500 adu with a slope over the detector, B higher by an offset; B lies turned in the file."""
    x = np.arange(40)
    sky = 500.0 + slope * x
    signal = {"A": sky[:20], "B": sky[20:][::-1] + offset}
    return raw_pixels(tiny_camera(), signal, noise=3.0, seed=9)


def corrected(pixels: np.ndarray, **settings: Any) -> tuple[DetectorFrame, CorrectedFrame, Any]:
    camera, config = tiny_camera(), CorrectionsConfig()
    config.amp_offsets.update(**settings)
    chain = build_chain(NAMES, config, camera=camera, detector=0)
    one = frame(camera, pixels)
    chain.prepare(one)
    whole = correct_frame(chain, one)
    return one, whole, product_of(one, chain, whole)


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_a_step_is_taken_off(slope: float) -> None:
    one, whole, _ = corrected(pixels_with(30.0, slope))
    offsets = [float(one.notes[f"FID AMP {name} OFFSET"]) for name in "AB"]
    errors = [float(one.notes[f"FID AMP {name} OFFSET ERROR"]) for name in "AB"]
    assert sum(offsets) == pytest.approx(0.0, abs=1e-9)
    assert errors[0] == pytest.approx(errors[1])
    # Rows' means of 18 pixels of noise 3, and of their overscan, over 96 rows; the slope's error on top.
    assert 0.05 < errors[1] < 0.5
    assert offsets[1] == pytest.approx(15.0, abs=5 * errors[1])
    step = whole.image[:, 20:].mean() - whole.image[:, :20].mean() - 20.0 * slope
    assert step == pytest.approx(0.0, abs=10 * errors[1])


def test_its_error_is_in_the_variance() -> None:
    one, whole, _ = corrected(pixels_with(0.0))
    left_out, without, _ = corrected(pixels_with(0.0), share=1.0, largest=0.0)
    error = float(one.notes["FID AMP A OFFSET ERROR"])
    assert "FID AMP A OFFSET" not in left_out.notes
    assert (whole.variance - without.variance)[:, :20] == pytest.approx(
        error**2, abs=1e-4
    )  # of float32 near 500


def test_a_dead_amplifier_is_left_out() -> None:
    pixels = pixels_with(30.0)
    pixels[:, 40:60] = np.nan
    one, whole, _ = corrected(pixels)
    assert not any("OFFSET" in key for key in one.notes)
    assert (whole.mask[:, 20:] == Plane.UNMASKED_NAN).all()


def test_steps_that_are_none_are_not_used() -> None:
    one, _, _ = corrected(pixels_with(30.0), largest=10.0)
    assert not any("OFFSET" in key for key in one.notes)


def test_the_header_has_level_noise_and_masked_pixels() -> None:
    pixels = pixels_with(0.0)
    pixels[10:13, 5] = 65535.0
    pixels[20, 6] = np.nan
    _, whole, product = corrected(pixels)
    keys = product.metadata
    left = whole.image[:, :20][whole.mask[:, :20] == 0]
    # The kernel's median is that of numpy, in float64.
    assert keys["FID AMP A LEVEL"] == pytest.approx(np.median(left), rel=1e-6)
    # 1,824 differences, half independent: 3 per cent.
    assert keys["FID AMP A PIXEL NOISE"] == pytest.approx(3.0, rel=5 * 0.03)
    for plane, number in (("SAT", 3), ("SUSPECT", 3), ("UNMASKED_NAN", 1), ("BAD", 0)):
        assert keys[f"FID AMP A PIXELS {plane}"] == number
        assert keys[f"FID AMP B PIXELS {plane}"] == 0
