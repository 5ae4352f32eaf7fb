"""What the benchmark's detector sees: pixels of raw frames, the same whenever they are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, Size

type Float32 = NDArray[np.float32]

_BASE = (1000.0, 1100.0)  # adu of each amplifier
_SEED = 20260101


def _generator(*what: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, *what])


@dataclass(frozen=True)
class Scene:
    """The detector and the sky behind the frames of one size."""

    size: Size

    @cached_property
    def bias(self) -> Float32:
        """Pattern of the bias, adu."""
        rows, columns = self.size.rows, self.size.columns
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        noise = _generator(1).standard_normal((rows, columns), dtype=np.float32)
        return np.asarray(3 * np.sin(x / 300) + 2 * np.cos(y / 500) + noise, np.float32)

    @cached_property
    def dark(self) -> Float32:
        """Dark current, adu per second."""
        return (0.02 + _generator(2).gamma(0.5, 0.01, self.bias.shape)).astype(np.float32)

    @cached_property
    def flat(self) -> Float32:
        """Response, 1 in the median."""
        rows, columns = self.bias.shape
        y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
        noise = _generator(3).standard_normal((rows, columns), dtype=np.float32)
        response = 1 - 0.1 * (x**2 + y**2) + np.float32(0.01) * noise
        return np.asarray(response / np.median(response), np.float32)

    @cached_property
    def mask(self) -> NDArray[np.uint8]:
        """1 where a pixel is bad."""
        random, mask = _generator(4), np.zeros(self.bias.shape, np.uint8)
        number = mask.size // 3000
        mask[random.integers(0, mask.shape[0], number), random.integers(0, mask.shape[1], number)] = 1
        mask[:, mask.shape[1] // 4] = 1
        return mask

    @cached_property
    def sky(self) -> Float32:
        """Light of the sky with stars, adu."""
        random = _generator(5)
        sky = np.full(self.bias.shape, 400, np.float32)
        spot = np.mgrid[-8:9, -8:9]
        profile = np.exp(-(spot**2).sum(0) / 12) / (2 * np.pi * 6)
        for _ in range(sky.size // 4200):
            y, x = random.integers(16, sky.shape[0] - 16), random.integers(16, sky.shape[1] - 16)
            sky[y - 8 : y + 9, x - 8 : x + 9] += min(random.pareto(1.2) * 3000, 5e5) * profile
        return sky

    def bias_frame(self, index: int) -> NDArray[np.uint16]:
        """A raw bias."""
        return self._raw(None, _generator(6, index), hits=self.bias.size // 56000)

    def flat_frame(self, index: int) -> NDArray[np.uint16]:
        """A raw flat of 20,000 adu, lit by a lamp that is not quite stable."""
        random = _generator(9, index)
        light = np.float32(20_000 * (1 + 0.01 * random.standard_normal())) * self.flat
        return self._raw(light, random, hits=self.bias.size // 56000)

    def science_frame(self, index: int) -> NDArray[np.uint16]:
        """A raw science frame."""
        light = self.sky * self.flat + self.dark * np.float32(EXPOSURE)
        return self._raw(light, _generator(7, index), hits=self.bias.size // 28000)

    def pair_frame(self, index: int, which: int) -> NDArray[np.uint16]:
        """A flat of a pair, trimmed; neighbours are correlated a little."""
        level = np.float32(500 * 1.25**index)
        random = _generator(8, index, which)
        shape = (self.size.pair_rows, self.size.pair_columns)
        noise = np.sqrt(level + np.float32(16)) * random.standard_normal(shape, dtype=np.float32)
        noise += np.float32(0.01) * np.roll(noise, 1, 0) + np.float32(0.004) * np.roll(noise, 1, 1)
        return np.asarray(np.clip(np.rint(level + noise), 0, 65535), np.uint16)

    def _raw(self, light: Float32 | None, random: np.random.Generator, hits: int) -> NDArray[np.uint16]:
        size = self.size
        raw = np.empty(size.raw_shape, np.float32)
        drift = random.standard_normal((size.rows, 1), dtype=np.float32)
        for k in range(2):
            noise = np.float32(READ_NOISE[k] / GAIN[k])
            base = np.float32(_BASE[k]) + drift
            pixels = self.bias[:, size.detector[k]].copy()
            if light is not None:
                electrons = np.maximum(light[:, size.detector[k]], 0) * np.float32(GAIN[k])
                shot = np.sqrt(electrons) * random.standard_normal(electrons.shape, dtype=np.float32)
                pixels += (electrons + shot) / np.float32(GAIN[k])
            pixels += noise * random.standard_normal(pixels.shape, dtype=np.float32) + base
            raw[:, size.data[k]] = pixels
            dark_columns = random.standard_normal((size.rows, size.overscan), dtype=np.float32)
            raw[:, size.bias_columns[k]] = noise * dark_columns + base
        _cosmic_rays(raw, size, random, hits)
        return np.clip(np.rint(raw), 0, 65535).astype(np.uint16)


def _cosmic_rays(raw: Float32, size: Size, random: np.random.Generator, hits: int) -> None:
    """Add tracks of up to 15 pixels to the pixels, not to the overscan."""
    tracks = np.zeros((size.rows, size.columns), np.float32)
    for _ in range(hits):
        y, x = random.integers(0, size.rows - 20), random.integers(0, size.columns - 20)
        along, angle = np.arange(random.integers(1, 15)), random.uniform(0, np.pi / 2)
        tracks[(y + along * np.sin(angle)).astype(int), (x + along * np.cos(angle)).astype(int)] += (
            random.exponential(800)
        )
    for k in range(2):
        raw[:, size.data[k]] += tracks[:, size.detector[k]]
