"""Corrections of raw amplifiers: saturation, gain, assembly."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.products.masks import Plane
from frame_arrays import GAIN, RAW_SHAPE, SHAPE, frame, raw_pixels, tiny_camera


def whole(chain: Chain, pixels: np.ndarray | None = None) -> list[Segment]:
    one = frame(chain.context.camera, pixels)
    chain.prepare(one)
    return chain.run(one, plan_strips(one.amplifiers)[0])


def chain_of(*names: str) -> Chain:
    return build_chain(names, CorrectionsConfig(), camera=tiny_camera(), detector=0)


def test_saturation_is_judged_on_raw_pixels() -> None:
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    pixels[3, 5], pixels[3, 6], pixels[3, 7], pixels[3, 8] = 65535, 60000, 54000, 53999
    lower, upper = whole(chain_of("overscan", "gain", "saturation", "assembly"), pixels)
    both = int(Plane.SAT | Plane.SUSPECT)
    assert lower.mask[3, 5:9].tolist() == [both, both, int(Plane.SUSPECT), 0]
    assert np.count_nonzero(lower.mask) == 3
    assert not upper.mask.any()


def test_the_suspect_fraction_is_a_setting() -> None:
    config = CorrectionsConfig()
    config.saturation.suspect = 0.5
    chain = build_chain(["saturation", "assembly"], config, camera=tiny_camera(), detector=0)
    lower, _ = whole(chain, np.full(RAW_SHAPE, 30000, np.uint16))
    assert (lower.mask == Plane.SUSPECT).all()


def test_gain_makes_electrons() -> None:
    pixels = np.full(RAW_SHAPE, 100.0, np.float32)
    chain = chain_of("gain", "assembly")
    assert chain.world == "electron"
    for segment in whole(chain, pixels):
        assert segment.world == "electron"
        assert (segment.image == 100.0 * GAIN[segment.amplifier.name]).all()


def test_without_gain_all_stays_in_adu() -> None:
    chain = chain_of("assembly")
    assert chain.world == "adu"
    assert {segment.world for segment in whole(chain)} == {"adu"}


def test_assembly_turns_amplifiers_and_puts_them_in_their_places() -> None:
    pixels = np.arange(np.prod(RAW_SHAPE), dtype=np.float32).reshape(RAW_SHAPE)
    image = np.full(SHAPE, np.nan)
    for segment in whole(chain_of("assembly"), pixels):
        image[segment.place.slices] = segment.image
    assert np.array_equal(image[:, :20], pixels[0:96, 0:20])
    assert np.array_equal(image[:, 20:], pixels[4:100, 40:60][::-1, ::-1])


@pytest.mark.parametrize("height", [16, 64])
def test_strips_assemble_to_the_whole(height: int) -> None:
    camera = tiny_camera()
    pixels = raw_pixels(camera, noise=5.0, ramp=20.0)
    chain = chain_of("saturation", "overscan", "gain", "assembly", "nan")
    one = frame(camera, pixels)
    expected, found = np.full(SHAPE, np.nan), np.full(SHAPE, np.nan)
    for strips, image in (
        (plan_strips(one.amplifiers), expected),
        (plan_strips(one.amplifiers, height), found),
    ):
        for strip in strips:
            for segment in chain.run(one, strip):
                image[segment.place.slices] = segment.image
    assert np.array_equal(found, expected)
