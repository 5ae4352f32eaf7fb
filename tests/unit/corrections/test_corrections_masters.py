"""Masters: applied by windows, their variance shared, and refused where they do not belong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.base import Weights
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.masters import Master
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.masks import Plane
from frame_arrays import READ_NOISE, SHAPE, frame, master, raw_pixels, tiny_camera

GRADIENT = np.linspace(1.0, 2.0, np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def chain_of(names: list[str], *masters: Master, **settings: bool) -> Chain:
    config = CorrectionsConfig()
    for name, value in settings.items():
        getattr(config, name).matchState = value
    found = {m.kind: m for m in masters}
    return build_chain(names, config, camera=tiny_camera(), detector=0, masters=found)


def corrected(chain: Chain, signal: float, height: int | None = None, **changes: Any) -> list[Segment]:
    one = frame(chain.context.camera, raw_pixels(chain.context.camera, signal), **changes)
    chain.prepare(one)
    return [s for strip in plan_strips(one.amplifiers, height) for s in chain.run_single(one, strip)]


def assembled(segments: list[Segment], what: str = "image") -> np.ndarray:
    image = np.full(SHAPE, np.nan)
    for segment in segments:
        value = segment.total_variance() if what == "variance" else getattr(segment, what)
        image[segment.place.slices] = value
    return image


@pytest.mark.parametrize("height", [None, 32])
def test_all_masters_in_one_chain(height: int | None) -> None:
    # (100 - 3 G - 12 s * 2 G) / G, by hand, in adu with gains 2 and 4.
    names = ["overscan", "assembly", "bias", "variance", "dark", "flat", "nan"]
    chain = chain_of(
        names,
        master("bias", 3.0 * GRADIENT, variance=0.5),
        master("dark", 2.0 * GRADIENT, variance=0.01),
        master("flat", GRADIENT, variance=1e-4),
    )
    found = corrected(chain, 100.0, height)
    image = (100.0 - 27.0 * GRADIENT) / GRADIENT
    assert np.allclose(assembled(found), image, rtol=1e-5)
    gain = np.where(np.arange(SHAPE[1]) < 20, 2.0, 4.0)
    own = (100.0 - 3.0 * GRADIENT) / gain + (READ_NOISE / gain) ** 2  # the dark's charge has noise too
    shared = 0.5 + 144 * 0.01
    expected = (own + shared + image**2 * 1e-4) / GRADIENT**2
    assert np.allclose(assembled(found, "variance"), expected, rtol=1e-4)


def test_pixels_that_a_flat_does_not_light_are_lost() -> None:
    flat = np.ones(SHAPE, np.float32)
    flat[0, 0], flat[0, 1], flat[0, 2] = 0.005, np.nan, -1.0
    found = corrected(
        chain_of(["overscan", "assembly", "variance", "flat", "nan"], master("flat", flat)), 100.0
    )
    image, mask = assembled(found), assembled(found, "mask")
    assert np.isnan(image[0, :3]).all()
    assert (mask[0, :3] == int(Plane.BAD | Plane.NO_DATA)).all()
    assert np.isnan(assembled(found, "variance")[0, :3]).all()
    assert np.count_nonzero(mask) == 3


def test_frames_inherit_what_is_bad_in_their_masters() -> None:
    mask = np.zeros(SHAPE, np.int32)
    mask[5, 5], mask[6, 6] = int(Plane.BAD | Plane.NO_DATA | Plane.CLIPPED), int(Plane.CLIPPED)
    found = corrected(chain_of(["assembly", "bias"], master("bias", 0.0, mask=mask)), 0.0)
    inherited = assembled(found, "mask")
    assert inherited[5, 5] == int(Plane.BAD | Plane.NO_DATA)
    assert np.count_nonzero(inherited) == 1


def test_a_stack_shares_the_variance_of_its_masters_once() -> None:
    chain = chain_of(
        ["assembly", "bias", "dark"], master("bias", 0.0, variance=2.0), master("dark", 0.0, variance=0.5)
    )
    window = plan_window()
    shared = chain.share(np.zeros(window.shape, np.float32), window, Weights(total=0.1, time=3.0))
    assert shared == pytest.approx(np.full(window.shape, 0.01 * 2.0 + 9.0 * 0.5))
    assert chain_of(["assembly"]).share(np.zeros((2, 2), np.float32), window, Weights(1, 1)) is None


def plan_window() -> Any:
    return tiny_camera().amplifiers(0)[0].detector


def test_an_unknown_variance_of_a_master_counts_as_none() -> None:
    chain = chain_of(["assembly", "bias"], master("bias", 0.0, variance=np.nan))
    window = plan_window()
    assert (chain.share(np.zeros(window.shape, np.float32), window, Weights(1, 0)) == 0.0).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (master("bias", 0.0, DETECTOR=1), "detector 1, not TinyCam detector 0"),
        (master("bias", 0.0, INSTRUME="Other"), "is of Other"),
        (master("bias", 0.0, world="electron"), "the chain works in adu"),
        (master("bias", 0.0, shape=(10, 10)), "has 10 x 10 pixels, the detector 40 x 96"),
    ],
)
def test_a_master_of_something_else_is_refused(wrong: Master, says: str) -> None:
    with pytest.raises(CalibrationMismatch, match=says):
        chain_of(["assembly", "bias"], wrong)


def test_a_master_in_another_unit_is_refused() -> None:
    dark = master("dark", 0.0)
    with pytest.raises(CalibrationMismatch, match="adu / s"):
        chain_of(["assembly", "bias"], Master("bias", dark.product))


def test_a_missing_master_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no master dark"):
        chain_of(["assembly", "dark"])


def test_another_camera_state_is_refused() -> None:
    warm = master("bias", 0.0, **{"FID STATE TEMP_SET": -90.0, "FID STATE SEQFILE": "fast.seq"})
    with pytest.raises(CalibrationMismatch, match=r"TEMP_SET is -100.0 and -90.0"):
        corrected(chain_of(["assembly", "bias"], warm), 0.0)
    corrected(chain_of(["assembly", "bias"], warm, bias=False), 0.0)


def test_an_unknown_or_close_state_is_none() -> None:
    close = master("bias", 0.0, **{"FID STATE TEMP_SET": -99.6})
    corrected(chain_of(["assembly", "bias"], close), 0.0)
    corrected(chain_of(["assembly", "bias"], close), 0.0, state={"TEMP_SET": None})


def test_a_flat_of_another_filter_is_refused() -> None:
    red = master("flat", 1.0, FILTER="r")
    with pytest.raises(CalibrationMismatch, match="of filter r, exposure 1 of g"):
        corrected(chain_of(["assembly", "flat"], red), 0.0)
