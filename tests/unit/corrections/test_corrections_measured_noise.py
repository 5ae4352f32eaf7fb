"""The read noise that biases show: measured without bias, and used instead of the nominal one."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fiducial.algorithms.combine import combine_clipped, unbiased_variance
from fiducial.cameras import load_camera
from fiducial.corrections.measured_noise import noise_keys, overscan_share, with_measured_noise

NOTES = {"OVERSCAN METHOD": "median_per_row", "OVERSCAN SKIP": "2,0", "OVERSCAN PARALLEL": False}


def test_noise_of_a_stack_is_that_of_its_frames() -> None:
    camera = load_camera("simcam")
    amplifier = camera.amplifiers(0)[0]
    shape = camera.layout(0).shape
    truth, n_frames = 5.5, 12
    random = np.random.default_rng(3)
    rows = (
        random.normal(0.0, 1.0, (n_frames, shape[0], 1)) * truth * math.sqrt(overscan_share(amplifier, NOTES))
    )
    frames = (random.normal(0.0, truth, (n_frames, *shape)) + rows).astype(np.float32)
    combined = combine_clipped(frames, None, scale=None, kappa=3.0, iterations=3)
    variance = unbiased_variance(combined, kappa=3.0, iterations=3)
    keys = noise_keys(variance, np.zeros(shape, np.int32), n_frames, camera, 0, NOTES)
    # The rows' common part has only n_frames * n_rows independent values; the pixels have far more.
    pixels, share = frames[0].size, overscan_share(amplifier, NOTES)
    error = truth * math.sqrt(0.5 / (pixels * (n_frames - 1)) + 0.5 * share**2 / (shape[0] * (n_frames - 1)))
    clipping = 0.002 * truth  # the correction for clipping is known to a few permille
    for amp in camera.amplifiers(0):
        assert keys[f"FID AMP {amp.name} NOISE"] == pytest.approx(truth, abs=5 * error + clipping)


def test_masked_pixels_do_not_count_and_no_pixels_give_no_noise() -> None:
    camera = load_camera("simcam")
    shape = camera.layout(0).shape
    variance = np.full(shape, 4.0, np.float32)
    mask = np.ones(shape, np.int32)  # BAD everywhere
    assert noise_keys(variance, mask, 10, camera, 0, NOTES) == {}
    mask[:, :10] = 0
    variance[:, 10:] = 1e6
    first = camera.amplifiers(0)[0]
    keys = noise_keys(variance, mask, 10, camera, 0, NOTES)
    expected = math.sqrt(4.0 * 10 / (1 + overscan_share(first, NOTES)))
    assert keys == {f"FID AMP {first.name} NOISE": pytest.approx(expected)}


def test_share_of_the_overscan_by_method() -> None:
    amplifier = load_camera("simcam").amplifiers(0)[0]
    n = amplifier.serial_overscan.shape[1] - 2
    assert overscan_share(amplifier, NOTES | {"OVERSCAN METHOD": "mean_per_row"}) == pytest.approx(1 / n)
    # The median of many values has pi / 2 times the variance of their mean, of few a little less.
    assert 1.4 / n < overscan_share(amplifier, NOTES) < 0.5 * math.pi / n
    assert overscan_share(amplifier, NOTES | {"OVERSCAN METHOD": "chebyshev"}) == 0.0
    assert overscan_share(amplifier, {"OVERSCAN METHOD": "none"}) == 0.0


@pytest.mark.parametrize(("world", "factor"), [("electron", 1.0), ("adu", None)])
def test_master_bias_overrides_the_camera_file(world: str, factor: float | None) -> None:
    camera = load_camera("simcam")
    first, second = camera.amplifiers(0)[:2]
    bias = SimpleNamespace(metadata={"FID WORLD": world, f"FID AMP {first.name} NOISE": 7.25})
    changed = with_measured_noise(camera, 0, {"bias": bias})
    gain = first.gain if factor is None else factor
    assert changed.amplifiers(0)[0].read_noise == pytest.approx(7.25 * gain)
    assert changed.amplifiers(0)[0].gain == first.gain
    assert changed.amplifiers(0)[1] == second
    assert changed.amplifiers(1) == camera.amplifiers(1)
    assert with_measured_noise(camera, 0, None) is camera
