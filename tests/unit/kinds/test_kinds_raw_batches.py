"""Frames combined from their raw pixels: the stack that correcting them first gives, to rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import Chain, build_chain
from fiducial.corrections.frame import DetectorFrame
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.frames.raw import RawFrame
from fiducial.kinds import stack as stacks
from fiducial.kinds.bias import BiasCombiner, BiasConfig
from fiducial.kinds.engine import Means
from fiducial.kinds.raw_batches import raw_stage_of
from fiducial.kinds.stack import Stacked, stack_frames
from frame_arrays import facts, frame, raw_pixels, tiny_camera

NAMES = ["saturation", "overscan", "gain", "assembly", "nan"]


def chain_of(camera: Camera, names: list[str], **settings: Any) -> Chain:
    config = CorrectionsConfig()
    config.overscan.update(**settings)
    return build_chain(names, config, camera=camera, detector=0)


def raw_files(
    folder: Path, camera: Camera, *, bzero: float, compressed: bool, count: int = 12
) -> list[RawFrame]:
    """Files of 16-bit unsigned or 32-bit integers, one with a cosmic ray and with saturated pixels."""
    frames = []
    for i in range(count):
        pixels = np.rint(raw_pixels(camera, 10.0, noise=4.0, seed=i))
        pixels[5, 5] = 65000  # saturated in all
        if i == 3:
            pixels[6, 6] += 900
            pixels[7, 45] = 57000  # suspect
            pixels[8, 46] = 61000  # saturated
            pixels[50, 25] = 64000  # an overscan pixel
        stored = pixels.astype(np.uint16 if bzero else np.int32)
        image = fits.CompImageHDU(stored) if compressed else fits.ImageHDU(stored)
        path = folder / f"{i}.fits"
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
        frames.append(RawFrame.open(path))
    return frames


def stack(raws: list[RawFrame], camera: Camera, chain: Chain, threads: int = 1) -> Stacked:
    frames = [DetectorFrame(raw, camera, 0, facts(i + 1)) for i, raw in enumerate(raws)]
    return stack_frames(frames, chain, BiasCombiner(BiasConfig()), Means(3, 4e5, threads))


@pytest.mark.parametrize("names", [NAMES, ["overscan", "assembly"]])
@pytest.mark.parametrize("method", ["median_per_row", "none"])
@pytest.mark.parametrize(("bzero", "compressed"), [(32768, False), (32768, True), (0, False)])
def test_the_stack_is_that_of_corrected_frames(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bzero: float,
    compressed: bool,
    method: str,
    names: list[str],
) -> None:
    camera = tiny_camera()
    raws = raw_files(tmp_path, camera, bzero=bzero, compressed=compressed)
    chain = chain_of(camera, names, method=method)
    assert raw_stage_of(chain, [DetectorFrame(raw, camera, 0, facts()) for raw in raws]) is not None
    found = stack(raws, camera, chain, threads=2)
    monkeypatch.setattr(stacks, "raw_stage_of", lambda *_: None)
    expected = stack(raws, camera, chain)
    np.testing.assert_array_equal(found.mask, expected.mask)
    # Corrected pixels are rounded to float32 three times, of numbers up to 65,536: 3 x 2^-9, times the gain.
    tolerance = 4 * 3 * 2.0**-9
    np.testing.assert_allclose(found.image, expected.image, rtol=0, atol=tolerance)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=2e-3)


def test_what_is_not_only_raw_is_corrected_first(tmp_path: Path) -> None:
    camera = tiny_camera()
    raws = raw_files(tmp_path, camera, bzero=32768, compressed=False, count=3)
    frames = [DetectorFrame(raw, camera, 0, facts()) for raw in raws]
    assert raw_stage_of(chain_of(camera, ["overscan", "gain", "assembly", "variance"]), frames) is None
    assert raw_stage_of(chain_of(camera, NAMES, parallel=True), frames) is None
    assert raw_stage_of(chain_of(camera, NAMES), [*frames, frame(camera, raw_pixels(camera))]) is None


def test_few_frames_and_drifting_levels_are_corrected_first() -> None:
    camera, bare = tiny_camera(), tiny_camera("bare")
    for scene, count in ((camera, 9), (bare, 12)):
        combiner = BiasCombiner(BiasConfig())
        frames = [frame(scene, raw_pixels(scene, seed=i), exposure=i + 1) for i in range(count)]
        combiner.prepare(frames, chain_of(scene, NAMES))
        assert combiner.combine_raw is None
