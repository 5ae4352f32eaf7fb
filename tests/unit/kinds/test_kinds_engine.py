"""The engine: every pixel once, bad frames set aside, the same result for any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.errors import CalibrationMismatch, NothingToDo
from fiducial.kinds.bias import BiasCombiner, BiasConfig
from fiducial.kinds.engine import Means
from fiducial.kinds.stack import Stacked, stack_frames
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, SHAPE, ArrayRaw, facts, frame, master, raw_pixels, tiny_camera

NAMES = ["saturation", "overscan", "gain", "assembly", "nan"]


def chain_of(camera: Camera, names: list[str] | None = None, **masters: Any) -> Chain:
    return build_chain(names or NAMES, CorrectionsConfig(), camera=camera, detector=0, masters=masters)


def frames_of(camera: Camera, count: int, **settings: Any) -> list[DetectorFrame]:
    return [
        frame(camera, raw_pixels(camera, 10.0, noise=4.0, seed=i), exposure=i + 1, **settings)
        for i in range(count)
    ]


def stack(frames: list[DetectorFrame], chain: Chain, **means: Any) -> Stacked:
    settings: dict[str, Any] = {"minimum": 3, "memory": 1e6, "threads": 1} | means
    return stack_frames(frames, chain, BiasCombiner(BiasConfig()), Means(**settings))


@pytest.mark.parametrize("memory", [1e9, 4e5, 1.0])
def test_every_pixel_is_read_once(memory: float) -> None:
    camera = tiny_camera()
    frames = frames_of(camera, 5)
    stack(frames, chain_of(camera), memory=memory)
    needed = 2 * 96 * 30  # each amplifier's 96 rows of 20 data and 10 overscan columns
    assert {one.raw.read_pixels for one in frames} == {needed}  # type: ignore[attr-defined]


def test_pixels_are_kept_where_they_would_be_read_twice() -> None:
    camera = tiny_camera(method="median")
    frames = frames_of(camera, 4)
    stack(frames, chain_of(camera))
    assert {one.raw.read_pixels for one in frames} == {np.prod(RAW_SHAPE)}  # type: ignore[attr-defined]


@pytest.mark.parametrize("changes", [{"threads": 3}, {"memory": 4e5}, {"memory": 1e9, "threads": 2}])
def test_the_result_depends_on_neither_threads_nor_memory(changes: dict[str, Any]) -> None:
    camera = tiny_camera()
    one, other = (stack(frames_of(camera, 12), chain_of(camera), **kw) for kw in ({}, changes))
    for name in ("image", "variance", "mask"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_a_frame_that_cannot_be_read_in_the_middle_is_set_aside() -> None:
    camera = tiny_camera()
    frames = frames_of(camera, 6)
    frames[2].raw.corrupt_rows = range(80, 81)  # type: ignore[attr-defined]
    found = stack(frames, chain_of(camera), memory=4e5, threads=2)
    assert [(note.exposure, note.reason) for note in found.aside] == [(3, "array: a tile is corrupt")]
    without = stack([f for i, f in enumerate(frames_of(camera, 6)) if i != 2], chain_of(camera))
    assert np.array_equal(found.image, without.image)
    assert [one.exposure for one in found.frames] == [1, 2, 4, 5, 6]


def test_too_few_frames_say_why() -> None:
    camera = tiny_camera()
    frames = frames_of(camera, 3)
    frames[0].raw.corrupt_rows = range(1)  # type: ignore[attr-defined]
    with pytest.raises(NothingToDo, match=r"2 frames for this stack, at least 3 .* exposure 1 because"):
        stack(frames, chain_of(camera))


def test_no_frame_fits_the_masters() -> None:
    camera = tiny_camera()
    bias = master("bias", 0.0, world="electron", **{"FID STATE TEMP_SET": -50.0})
    chain = chain_of(camera, ["overscan", "gain", "assembly", "bias"], bias=bias)
    with pytest.raises(CalibrationMismatch, match="TEMP_SET"):
        stack(frames_of(camera, 4), chain)


def test_one_frame_of_another_state_is_set_aside() -> None:
    camera = tiny_camera()
    bias = master("bias", 0.0, world="electron", **{"FID STATE TEMP_SET": -100.0})
    chain = chain_of(camera, ["overscan", "gain", "assembly", "bias"], bias=bias)
    odd = frame(camera, exposure=9, state={"TEMP_SET": -80.0})
    found = stack([*frames_of(camera, 4), odd], chain)
    assert [note.exposure for note in found.aside] == [9]


def test_masks_of_a_stack() -> None:
    camera = tiny_camera()
    frames = []
    for i in range(12):
        pixels = raw_pixels(camera, 0.0, noise=4.0, seed=i)
        pixels[5, 5] = 65000.0  # saturated in all
        if i == 0:
            pixels[6, 6] += 500.0  # a cosmic ray
            pixels[7, 7] = 57000.0  # suspect once: and far out
        frames.append(DetectorFrame(ArrayRaw(pixels), camera, 0, facts(i + 1)))  # type: ignore[arg-type]
    found = stack(frames, chain_of(camera))
    assert found.mask[5, 5] == int(Plane.NO_DATA | Plane.BAD | Plane.SAT | Plane.SUSPECT)
    assert np.isnan(found.image[5, 5])
    assert np.isnan(found.variance[5, 5])
    assert found.mask[6, 6] == int(Plane.CLIPPED)
    assert found.mask[7, 7] == int(Plane.CLIPPED | Plane.SUSPECT)
    assert np.abs(found.image[6, 6]) < 6 * 8.0 / np.sqrt(11)
    assert np.isfinite(found.image).sum() == np.prod(SHAPE) - 1


def test_masters_share_their_variance_with_the_stack() -> None:
    camera = tiny_camera()
    plain = stack(frames_of(camera, 4), chain_of(camera))
    bias = master("bias", 0.0, world="electron", variance=7.0)
    chain = chain_of(camera, ["saturation", "overscan", "gain", "assembly", "bias", "nan"], bias=bias)
    with_bias = stack(frames_of(camera, 4), chain)
    assert np.allclose(with_bias.variance - plain.variance, 7.0, rtol=1e-5)
