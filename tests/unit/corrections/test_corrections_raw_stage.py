"""The raw stage in one pass gives the pixels of its corrections one after the other, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import DTypeLike

from fiducial.corrections.chain import build_chain
from fiducial.corrections.raw_stage import RawStage
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, frame, tiny_camera

CHAINS = [
    ["saturation", "overscan", "gain", "assembly", "nan"],
    ["overscan", "gain", "saturation", "assembly", "nan"],
    ["overscan", "assembly"],
    ["saturation", "gain", "assembly"],
    ["assembly"],
]


@pytest.mark.parametrize("names", CHAINS)
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("method", "parallel"), [("median_per_row", False), ("legendre", True)])
def test_every_bit_is_that_of_the_single_corrections(
    names: list[str], dtype: DTypeLike, method: str, parallel: bool
) -> None:
    camera = tiny_camera(method=method)
    rng = np.random.default_rng(1)
    pixels = rng.normal(1000.0, 30.0, RAW_SHAPE)
    top = 32000 if dtype == np.int16 else 64000
    pixels[rng.random(RAW_SHAPE) < 0.01] = top  # saturated, overscan pixels too
    pixels[30, 5] = 0.95 * 60000 if top > 60000 else 0
    if np.issubdtype(dtype, np.floating):
        pixels[10, 3], pixels[70, 45] = np.nan, np.inf
    config = CorrectionsConfig()
    config.overscan.parallel = parallel
    chain = build_chain(names, config, camera=camera, detector=0)
    one = frame(camera, pixels.astype(dtype))
    chain.prepare(one)
    for strip in plan_strips(one.amplifiers, 64):
        expected = [Segment.of_raw(cut) for cut in one.cuts(strip)]
        for correction in chain.corrections:
            correction.apply(expected, one)
        for got, want in zip(chain.run(one, strip), expected, strict=True):
            np.testing.assert_array_equal(got.image, want.image)
            np.testing.assert_array_equal(got.mask, want.mask)
            np.testing.assert_array_equal(got.row_variance, want.row_variance)
            np.testing.assert_array_equal(got.column_variance, want.column_variance)
            assert (got.window, got.world, set(got.models)) == (want.window, want.world, set(want.models))
            if "saturation" in names and top > 60000:
                assert (got.mask & Plane.SAT).any()


@pytest.mark.parametrize("names", CHAINS)
def test_these_chains_begin_with_a_raw_stage(names: list[str]) -> None:
    chain = build_chain(names, CorrectionsConfig(), camera=tiny_camera(), detector=0)
    stage, rest = RawStage.of(chain.corrections)
    assert stage is not None
    assert [one.name for one in rest] == [name for name in names if name == "nan"]


@pytest.mark.parametrize(
    "names", [["gain", "overscan", "assembly"], ["odd_even", "assembly"], ["nan", "assembly"]]
)
def test_others_are_done_one_by_one(names: list[str]) -> None:
    """In another order, or with something between that only its own code knows."""

    class Other:
        name = "other"

    known = build_chain(
        ["overscan", "gain", "assembly", "nan"], CorrectionsConfig(), camera=tiny_camera(), detector=0
    )
    by_name = {one.name: one for one in known.corrections}
    corrections = [by_name.get(name, Other()) for name in names]
    stage, rest = RawStage.of(corrections)  # type: ignore[arg-type]
    assert stage is None
    assert list(rest) == corrections
