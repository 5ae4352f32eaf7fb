"""A frame in one pass gives the pixels of its corrections one after the other, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from fiducial.algorithms.linearity_models import Spline
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.single_pass import correct_frame
from fiducial.corrections.strips import plan_strips
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, SHAPE, frame, master, tiny_camera
from linearity_samples import defect_master, linearity_master

FULL = ["saturation", "overscan", "gain", "assembly", "bias", "variance", "dark", "flat", "nan"]
CHAINS = [
    FULL,
    [name for name in FULL if name != "gain"],
    [name for name in FULL if name not in ("bias", "dark")],
    [name for name in FULL if name not in ("dark", "flat", "nan")],
    [name for name in FULL if name not in ("bias", "flat")],
    [name for name in FULL if name != "variance"],
    ["overscan", "saturation", "assembly", "variance"],
    ["assembly"],
    ["saturation", "overscan", "gain", "linearity", *FULL[3:]],
    ["saturation", "overscan", "linearity", *FULL[3:]],
    ["saturation", "overscan", "gain", "suspect", "linearity", *FULL[3:]],
    ["overscan", "gain", "linearity", "saturation", "assembly", "bias", "dark", "nan"],
    ["saturation", "overscan", "suspect", "assembly", "variance"],
    ["linearity", "assembly"],
    [*FULL[:7], "defects", *FULL[7:]],
    [*FULL[:3], "linearity", "assembly", "defects", *FULL[4:]],
]


def some_chain(
    names: list[str], *, parallel: bool = False, poisson: bool = True, layout: str = "two"
) -> Chain:
    rng = np.random.default_rng(2)
    world = "electron" if "gain" in names else "adu"
    shape = SHAPE if layout == "two" else RAW_SHAPE

    def made(kind: str, centre: float, sigma: float) -> Any:
        image = rng.normal(centre, sigma, shape).astype(np.float32)
        variance = np.abs(rng.normal(0.3, 0.1, shape)).astype(np.float32)
        image[4, 7], variance[5, 8] = np.nan, np.nan
        if kind == "flat":
            image[9, 9], image[10, 10] = 0.0, -1.0
        mask = np.where(rng.random(shape) < 0.05, np.int32(Plane.BAD | Plane.CLIPPED), np.int32(0))
        return master(kind, image, world=world, variance=variance, mask=mask, shape=shape)

    masters: dict[str, Any] = {
        "bias": made("bias", 3.0, 1.0),
        "dark": made("dark", 0.1, 0.05),
        "flat": made("flat", 1.0, 0.05),
    }
    curves = {"A": Spline(np.array([0.0, 500.0, 3e4]), np.array([0.0, 5.0, -900.0])), "B": None}
    linearizer, defects = linearity_master(curves), defect_master(rng.random(shape) < 0.03)
    masters |= {"linearizer": linearizer, "defects": defects}
    config = CorrectionsConfig()
    config.suspect.turnoff = 700.0
    config.overscan.parallel = parallel
    config.variance.poisson = poisson
    camera = tiny_camera(layout)
    return build_chain(names, config, camera=camera, detector=0, masters=masters)


def pixels(dtype: DTypeLike) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(1500.0, 200.0, RAW_SHAPE)
    values[rng.random(RAW_SHAPE) < 0.01] = 32000 if dtype == np.int16 else 64000
    values[rng.random(RAW_SHAPE) < 0.01] = 0.95 * 60000 if dtype != np.int16 else 0
    if np.issubdtype(dtype, np.floating):
        values[10, 3], values[70, 45], values[20, 4] = np.nan, np.inf, -np.inf
    return values.astype(dtype)


def one_by_one(chain: Chain, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one = frame(chain.context.camera, raw)
    chain.prepare(one)
    shape = chain.context.camera.layout(0).shape
    image, variance = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    mask = np.full(shape, np.int32(Plane.NO_DATA))
    (whole,) = plan_strips(one.amplifiers)
    for segment in chain.run_single(one, whole):
        where = segment.place.slices
        image[where], mask[where] = segment.image, segment.mask
        variance[where] = segment.total_variance()
    return image, variance, mask


def assert_same(chain: Chain, raw: np.ndarray, threads: int = 1) -> None:
    one = frame(chain.context.camera, raw)
    chain.prepare(one)
    found = correct_frame(chain, one, threads=threads)
    for got, want in zip((found.image, found.variance, found.mask), one_by_one(chain, raw), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("names", CHAINS)
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32])
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_every_bit_is_that_of_the_single_corrections(
    names: list[str], dtype: DTypeLike, parallel: bool, threads: int
) -> None:
    chain = some_chain(names, parallel=parallel)
    assert chain.single_pass is not None
    assert_same(chain, pixels(dtype), threads)


@pytest.mark.parametrize("layout", ["two", "bare"])
def test_without_poisson_noise_and_without_overscan(layout: str) -> None:
    chain = some_chain(FULL, poisson=False, layout=layout)
    assert chain.single_pass is not None
    assert_same(chain, pixels(np.uint16))


@pytest.mark.parametrize(
    "names",
    [
        ["gain", "overscan", "assembly", "bias", "variance", "dark", "flat", "nan"],
        ["overscan", "assembly", "nan", "bias"],
        ["overscan", "assembly", "bias", "nan", "variance", "flat"],
        ["overscan", "linearity", "gain", "assembly", "bias", "nan"],
        ["overscan", "suspect", "gain", "assembly", "bias", "nan"],
        ["overscan", "assembly", "bias", "nan", "defects"],
    ],
)
def test_unusual_chains_are_done_one_by_one(names: list[str]) -> None:
    chain = some_chain(names)
    assert chain.single_pass is None
    assert_same(chain, pixels(np.uint16))


def test_pixels_of_a_type_that_the_kernel_does_not_know() -> None:
    assert_same(some_chain(FULL), pixels(np.float64))


def test_a_correction_of_a_plugin_is_not_passed_over() -> None:
    """Even one that calls itself by a known name and is made from it."""
    known = some_chain(FULL)

    class Other(type(known.corrections[-1])):  # type: ignore[misc]
        pass

    other = Other(CorrectionsConfig().nan, known.context)
    assert Chain([*known.corrections[:-1], other], known.context).single_pass is None


def test_the_segments_tell_what_those_of_the_single_corrections_tell() -> None:
    chain = some_chain(FULL, parallel=True)
    one = frame(chain.context.camera, pixels(np.uint16))
    chain.prepare(one)
    (whole,) = plan_strips(one.amplifiers)
    for got, want in zip(correct_frame(chain, one).segments, chain.run_single(one, whole), strict=True):
        assert (got.amplifier, got.rows, got.world, got.window) == (
            want.amplifier,
            want.rows,
            want.world,
            want.window,
        )
        np.testing.assert_array_equal(got.row_variance, want.row_variance)
        np.testing.assert_array_equal(got.column_variance, want.column_variance)
        np.testing.assert_array_equal(got.total_variance(), want.total_variance())
        assert set(got.models) == set(want.models)
        assert got.models["serial"].noise == want.models["serial"].noise
