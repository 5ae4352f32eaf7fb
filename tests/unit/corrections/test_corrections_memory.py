"""Memory that frames are corrected in, one after the other, and threads, change no pixel and no note."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.memory import FrameMemory, for_each, for_each_band, new_planes
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.single_pass import CorrectedFrame, correct_frame
from fiducial.corrections.strips import plan_strips
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, SHAPE, frame, master, tiny_camera

USUAL = ["saturation", "overscan", "gain", "assembly", "bias", "variance", "dark", "flat", "nan"]
NOISELESS = ["saturation", "overscan", "assembly", "bias", "nan"]
UNUSUAL = [
    *("dither", "noise_check", "saturation", "overscan", "gain", "assembly", "edges", "bleeds", "bias"),
    *("variance", "dark", "flat", "nan", "fill_regions", "interpolate", "amp_offsets", "statistics"),
]
CHAINS = {"usual": USUAL, "noiseless": NOISELESS, "unusual": UNUSUAL}


def chain_of(names: list[str]) -> Chain:
    rng = np.random.default_rng(3)
    world = "electron" if "gain" in names else "adu"

    def made(kind: str, centre: float) -> Any:
        mask = np.where(rng.random(SHAPE) < 0.03, np.int32(Plane.BAD), np.int32(0))
        image = rng.normal(centre, 0.02, SHAPE).astype(np.float32)
        return master(kind, image, world=world, variance=0.1, mask=mask)

    masters = {"bias": made("bias", 0.0), "dark": made("dark", 0.1), "flat": made("flat", 1.0)}
    config = CorrectionsConfig()
    config.dither.below = 100.0
    return build_chain(names, config, camera=tiny_camera(), detector=0, masters=masters)


def pixels(seed: int, dtype: DTypeLike = np.uint16) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(1500.0, 40.0, RAW_SHAPE)
    values[30:60, 5] = 62000  # a trail
    values[rng.random(RAW_SHAPE) < 0.01] = 62000
    return values.astype(dtype)


def corrected(chain: Chain, raw: np.ndarray, **options: Any) -> tuple[CorrectedFrame, dict[str, Any]]:
    one = frame(chain.context.camera, raw)
    chain.prepare(one, threads=options.get("threads", 1))
    return correct_frame(chain, one, **options), one.notes


@pytest.mark.parametrize("names", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_next_frame_in_the_same_memory_is_that_of_its_own(names: list[str], threads: int) -> None:
    chain, memory = chain_of(names), FrameMemory()
    for seed, dtype in ((1, np.uint16), (2, np.uint16), (3, np.float32), (4, np.uint16)):
        found, notes = corrected(chain, pixels(seed, dtype), threads=threads, memory=memory)
        alone, expected = corrected(chain, pixels(seed, dtype))
        for plane in ("image", "variance", "mask"):
            np.testing.assert_array_equal(getattr(found, plane), getattr(alone, plane))
        assert list(notes.items()) == list(expected.items())  # in the same order, too


def test_an_unusual_chain_in_the_planes_is_that_of_segments_by_themselves() -> None:
    chain = chain_of(UNUSUAL)
    assert chain.single_pass is None
    found, _ = corrected(chain, pixels(5), threads=2)
    one = frame(chain.context.camera, pixels(5))
    chain.prepare(one)
    (whole,) = plan_strips(one.amplifiers)
    assert one.planes is None
    for segment in chain.run_single(one, whole):
        where = segment.place.slices
        np.testing.assert_array_equal(found.image[where], segment.image)
        np.testing.assert_array_equal(found.mask[where], segment.mask)
        np.testing.assert_array_equal(found.variance[where], segment.total_variance())
    assert (found.mask & np.int32(Plane.INTRP)).any()
    assert (found.mask & np.int32(Plane.SAT)).any()


def test_memory_is_used_again_and_a_variance_that_is_none_takes_none() -> None:
    chain, memory = chain_of(NOISELESS), FrameMemory()
    first, _ = corrected(chain, pixels(1), memory=memory)
    second, _ = corrected(chain, pixels(2), memory=memory)
    assert np.shares_memory(first.image, second.image)
    assert second.variance.strides == (0, 0)
    assert np.isnan(second.variance).all()


def test_planes_are_filled_where_no_amplifier_is() -> None:
    one = frame(tiny_camera())
    planes = new_planes(one)
    assert planes.image.shape == SHAPE
    image, mask = planes.of_file(one.amplifiers[1])
    image[...], mask[...] = np.arange(image.size).reshape(image.shape), 7
    where = one.amplifiers[1].detector
    turned = slice(None, None, -1 if where.flip_y else 1), slice(None, None, -1 if where.flip_x else 1)
    np.testing.assert_array_equal(planes.image[where.slices][turned], image)
    assert (planes.mask[where.slices] == 7).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_work_keeps_its_order_and_its_errors(threads: int) -> None:
    assert for_each(lambda x: x * x, range(9), threads) == [x * x for x in range(9)]
    seen = np.zeros(200, int)

    def add(rows: slice) -> None:
        seen[rows] += 1

    for_each_band(add, 200, threads)
    assert (seen == 1).all()
    with pytest.raises(ZeroDivisionError):
        for_each(lambda x: 1 / x, [1, 0, 2], threads)
