"""The detector of 16 amplifiers: its regions, the noise of its flats, and the reference of its chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from astropy.io import fits
from benchmarks import sixteen
from benchmarks.ours.camera import camera_of_sixteen
from benchmarks.sixteen import AMPLIFIERS, GAINS, NOISE, SIXTEEN
from benchmarks.sixteen_reference import chain_reference
from benchmarks.sixteen_scene import SixteenScene
from benchmarks.sizes import EXPOSURE

SMALL = replace(SIXTEEN["small"], rows=256, columns=512)


def test_the_amplifiers_cover_frame_and_detector_once() -> None:
    for size in SIXTEEN.values():
        raw, detector = np.zeros(size.raw_shape, int), np.zeros(size.shape, int)
        for k in range(AMPLIFIERS):
            raw[size.data(k)] += 1
            raw[size.bias_region(k)] += 1
            detector[size.detector(k)] += 1
        assert set(raw.ravel()) == set(detector.ravel()) == {1}


def test_the_camera_has_the_same_regions() -> None:
    for k, amp in enumerate(camera_of_sixteen(SMALL).amplifiers(0)):
        assert amp.data.slices == SMALL.data(k)
        assert amp.detector.slices == SMALL.detector(k)
        assert amp.serial_overscan is not None
        assert amp.serial_overscan.slices == SMALL.bias_region(k)
        assert amp.gain == GAINS[k]


def test_flats_have_the_noise_of_their_light_and_less_where_it_is_shared() -> None:
    scene = SixteenScene(SMALL)
    variances = []
    for pair in (0, SMALL.pairs - 1):
        one, other = (scene.flat_frame(pair, which).astype(float) for which in range(2))
        where = SMALL.data(0)
        difference = one[where] - other[where]
        mean = 0.5 * (one[where] + other[where]).mean() - 1000
        # The light's own change by the lamp is common to all pixels: the mean of the difference.
        variances.append(difference.var() / 2 / (mean / GAINS[0] + (NOISE / GAINS[0]) ** 2))
    error = np.sqrt(2 / (128 * 64))
    assert abs(variances[0] - 1) < 5 * error
    assert variances[1] < 1 - 2 * error


def test_the_reference_of_the_chain_gives_back_the_light(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sixteen, "BUILD", tmp_path)
    SMALL.folder.mkdir(parents=True)
    for path in SMALL.science_files():
        fits.PrimaryHDU(SixteenScene(SMALL).science_frame(1)).writeto(path)
    found, light = chain_reference(SMALL), SixteenScene(SMALL).light.sky
    for k in range(AMPLIFIERS):
        where = SMALL.detector(k)
        electrons = GAINS[k] * light[where]
        noise = np.sqrt(electrons + EXPOSURE * 0.03 * GAINS[k] + NOISE**2 * (1 + np.pi / 2 / SMALL.overscan))
        off = np.median((found[where] - electrons) / noise)
        assert abs(off) < 5 * np.sqrt(np.pi / 2 / found[where].size) + 0.05  # 0.05: tracks and stars
