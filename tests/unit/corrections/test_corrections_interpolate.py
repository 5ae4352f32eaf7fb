"""Masked pixels and bad amplifiers filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain, require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.single_pass import CorrectedFrame, correct_frame
from fiducial.corrections.strips import plan_strips
from fiducial.errors import ConfigurationError
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, SHAPE, frame, master, raw_pixels, tiny_camera

BASE = ("saturation", "overscan", "gain", "assembly", "bias", "variance", "nan")


def corrected(
    name: str, mask: np.ndarray, pixels: np.ndarray | None = None, **settings: Any
) -> CorrectedFrame:
    """A frame whose master bias has a mask."""
    camera, config = tiny_camera(), CorrectionsConfig()
    getattr(config, name).update(**settings)
    masters = {"bias": master("bias", 0.0, world="electron", variance=1.0, mask=mask)}
    chain = build_chain([*BASE, name], config, camera=camera, detector=0, masters=masters)
    one = frame(camera, raw_pixels(camera, 100.0, noise=3.0, seed=5) if pixels is None else pixels)
    chain.prepare(one)
    return correct_frame(chain, one)


def none_masked() -> np.ndarray:
    return np.zeros(SHAPE, np.int32)


def bad_at(*places: tuple[Any, Any]) -> np.ndarray:
    mask = none_masked()
    for place in places:
        mask[place] = Plane.BAD
    return mask


@pytest.mark.parametrize("process", [False, True])
def test_masked_pixels_are_filled_and_say_so(process: bool) -> None:
    before = corrected("interpolate", none_masked())
    mask = bad_at((30, 7), (slice(None), 19))
    after = corrected("interpolate", mask, process=process)
    filled = mask != 0
    assert (after.mask[filled] == Plane.BAD | Plane.INTRP).all()
    assert not after.mask[~filled].any()
    assert np.array_equal(after.image[~filled], before.image[~filled])
    assert np.array_equal(after.variance[~filled], before.variance[~filled])
    # Read from its neighbours: noise 6 electrons about 200.
    assert after.image[30, 7] == pytest.approx(200.0, abs=30.0)
    assert after.image[30, 7] != before.image[30, 7]
    assert (after.variance[filled] > 0.9 * before.variance[filled]).all()


def test_a_gap_ends_in_the_next_amplifier() -> None:
    mask = bad_at((slice(None), 19))
    after = corrected("interpolate", mask)
    # Linear between columns 18 (200 electrons) and 20 (400 electrons), rows' noise of 12 and 6.
    assert after.image[:, 19].mean() == pytest.approx(
        0.5 * (after.image[:, 18] + after.image[:, 20]).mean(), abs=0.01
    )


def test_the_masters_share_is_in_the_variance_once() -> None:
    plain = raw_pixels(tiny_camera(), 100.0)
    after = corrected("interpolate", bad_at((30, 7)), pixels=plain)
    # No noise, so no wander: (1/2 + 1) times that of its neighbours, 200 + 8^2 + 1.
    assert after.variance[30, 6] == pytest.approx(265.0)
    assert after.variance[30, 7] == pytest.approx(1.5 * 265.0)


def test_other_planes_are_left() -> None:
    pixels = raw_pixels(tiny_camera(), 100.0)
    pixels[50, 7] = 65535.0
    after = corrected("interpolate", bad_at((30, 7)), pixels=pixels, planes=["SAT"])
    assert after.mask[30, 7] == Plane.BAD
    assert after.mask[50, 7] == Plane.SAT | Plane.SUSPECT | Plane.INTRP
    with pytest.raises(ConfigurationError, match="names HOLE, which is no mask plane"):
        corrected("interpolate", none_masked(), planes=["HOLE"])


def test_not_a_number_is_filled() -> None:
    pixels = raw_pixels(tiny_camera(), 100.0)
    pixels[30, 7] = np.nan
    after = corrected("interpolate", none_masked(), pixels=pixels)
    assert after.image[30, 7] == pytest.approx(200.0)
    assert after.mask[30, 7] == Plane.UNMASKED_NAN | Plane.INTRP


def test_without_variance_the_image_is_filled_all_the_same() -> None:
    config, camera = CorrectionsConfig(), tiny_camera()
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    pixels[30, 7] = 65535
    names = ["saturation", "assembly", "interpolate"]
    chain = build_chain(names, config, camera=camera, detector=0)
    one = frame(camera, pixels)
    lower, _ = chain.run(one, plan_strips(one.amplifiers)[0])
    assert lower.image[30, 7] == 1000.0
    assert lower.variance is None
    with pytest.raises(ConfigurationError, match="needs the whole detector"):
        chain.run(one, plan_strips(one.amplifiers, 64)[0])


@pytest.mark.parametrize("name", ["interpolate", "fill_regions", "amp_offsets", "statistics"])
@pytest.mark.parametrize("first", ["nan", "flat"])
def test_they_stand_behind_what_makes_pixels_bad(name: str, first: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{first} stands after {name}"):
        require_valid(["assembly", name, first])


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_a_bad_amplifier_is_filled(statistic: str) -> None:
    mask = bad_at((slice(None), slice(0, 20)), (40, 30))
    before = corrected("fill_regions", none_masked())
    after = corrected("fill_regions", mask, statistic=statistic)
    bad, good = np.s_[:, :20], np.delete(before.image[:, 20:].ravel(), 40 * 20 + 10)
    # The kernel interpolates in float64, images are float32.
    assert after.image[bad] == pytest.approx(getattr(np, statistic)(good.astype(np.float64)), rel=1e-6)
    assert np.sqrt(after.variance[bad]) == pytest.approx(good.std(), rel=0.1)  # 1,919 values: 1.6 per cent
    assert np.array_equal(after.mask, mask)
    assert np.array_equal(after.image[:, 20:], before.image[:, 20:])  # its one bad pixel stays


def test_all_that_is_bad_can_be_filled() -> None:
    mask = bad_at((40, 30))
    before = corrected("fill_regions", none_masked())
    after = corrected("fill_regions", mask, everywhere=True)
    assert after.image[40, 30] == pytest.approx(np.median(np.delete(before.image.ravel(), 40 * 40 + 30)))
    assert np.count_nonzero(after.image != before.image) == 1


def test_nothing_good_fills_nothing() -> None:
    before = corrected("fill_regions", none_masked())
    after = corrected("fill_regions", bad_at((slice(None), slice(None))))
    assert np.array_equal(after.image, before.image)
