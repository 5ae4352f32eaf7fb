"""Integers dithered: where, by how much, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.cameras import camera_from_yaml
from fiducial.cameras.model import Camera
from fiducial.corrections.chain import build_chain, require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.strips import plan_strips
from fiducial.errors import ConfigurationError
from frame_arrays import RAW_SHAPE, SHAPE, YAML, frame, tiny_camera


def quiet_camera() -> Camera:
    """Read noise 0.8 electron: 0.4 adu in A and 0.2 adu in B."""
    text = YAML.replace("LAYOUT", "two").replace("METHOD", "mean_per_row").replace("noise: 8.0", "noise: 0.8")
    return camera_from_yaml(text, "quiet.yaml")


def corrected(
    camera: Camera,
    pixels: np.ndarray,
    *names: str,
    height: int | None = None,
    below: float = 0.5,
    **facts: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Image, and what the overscan adds to the variance."""
    config = CorrectionsConfig()
    config.dither.below = below
    chain = build_chain([*names, "assembly"], config, camera=camera, detector=0)
    one = frame(camera, pixels, **facts)
    chain.prepare(one)
    image, added = np.full(SHAPE, np.nan), np.full(SHAPE, np.nan)
    for strip in plan_strips(one.amplifiers, height):
        for segment in chain.run(one, strip):
            image[segment.place.slices] = segment.image
            added[segment.place.slices] = segment.added_variance()
    return image, added


def test_quiet_amplifiers_are_dithered() -> None:
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    image, added = corrected(quiet_camera(), pixels, "dither")
    off = image - 1000.0
    # 3,840 values of standard deviation 0.2887.
    assert abs(off.mean()) < 5 * 0.2887 / np.sqrt(off.size)
    assert off.std() == pytest.approx(0.2887, rel=0.05)
    assert np.abs(off).max() <= 0.5
    assert np.unique(off).size > 1000
    assert added == pytest.approx(1 / 12)


def test_noisy_amplifiers_are_not() -> None:
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    image, added = corrected(tiny_camera(), pixels, "dither")
    assert (image == 1000.0).all()
    assert (added == 0.0).all()
    image, _ = corrected(quiet_camera(), pixels, "dither", below=0.3)
    assert (image[:, :20] == 1000.0).all()
    assert (image[:, 20:] != 1000.0).mean() > 0.99


def test_what_is_no_integer_is_not() -> None:
    image, _ = corrected(quiet_camera(), np.full(RAW_SHAPE, 1000.25, np.float32), "dither")
    assert (image == 1000.25).all()


def test_strips_have_the_noise_of_the_whole() -> None:
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    whole, _ = corrected(quiet_camera(), pixels, "dither", "overscan", "gain")
    strips, _ = corrected(quiet_camera(), pixels, "dither", "overscan", "gain", height=64)
    assert np.array_equal(whole, strips)
    other, _ = corrected(quiet_camera(), pixels, "dither", "overscan", "gain", exposure=2)
    assert (whole != other).mean() > 0.99


def test_medians_of_rounded_values_come_near_the_truth() -> None:
    # Noise of 0.3 adu about 1000.3, rounded: 74.4 per cent are 1000, and so is the median. Dithered, the
    # density between 999.5 and 1000.5 is 0.744, and the median 999.5 + (0.5 - 0.0038) / 0.744 = 1000.167;
    # that of 1,920 values has an error of 0.5 / (0.744 sqrt(1920)) = 0.015.
    rng = np.random.default_rng(3)
    pixels = np.round(1000.3 + 0.3 * rng.standard_normal(RAW_SHAPE)).astype(np.uint16)
    plain, _ = corrected(quiet_camera(), pixels)
    image, _ = corrected(quiet_camera(), pixels, "dither")
    assert np.median(plain) == 1000.0
    assert np.median(image[:, :20]) == pytest.approx(1000.167, abs=5 * 0.015)


def test_the_variance_follows_the_gain_and_the_overscan_adds_to_it() -> None:
    rng = np.random.default_rng(4)
    pixels = np.round(1000.0 + rng.standard_normal(RAW_SHAPE)).astype(np.uint16)
    _, without = corrected(quiet_camera(), pixels, "overscan", "gain")
    _, added = corrected(quiet_camera(), pixels, "dither", "overscan", "gain")
    # A row's mean of 9 overscan pixels, each with 1 + 1/12 adu^2 of rounding: dither adds 1/12 to each,
    # estimated from 864 pixels to 5 per cent.
    for columns, gain in ((slice(0, 20), 2.0), (slice(20, 40), 4.0)):
        expected = without[:, columns].mean() + gain**2 * (1 / 12 + 1 / 12 / 9)
        assert added[:, columns].mean() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("first", ["overscan", "gain"])
def test_its_place_is_before_what_makes_integers_real(first: str) -> None:
    with pytest.raises(ConfigurationError, match=f"dither stands after {first}"):
        require_valid([first, "dither", "assembly"])


def test_the_header_names_the_amplifiers() -> None:
    chain = build_chain(["dither", "assembly"], CorrectionsConfig(), camera=quiet_camera(), detector=0)
    assert chain.notes()["DITHER AMPLIFIERS"] == "A,B"
