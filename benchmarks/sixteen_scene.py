"""What the detector of 16 amplifiers sees: pixels of raw frames, the same whenever they are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.scene import Scene
from benchmarks.sixteen import AMPLIFIERS, FULL_WELL, GAINS, NOISE, Sixteen
from benchmarks.sizes import EXPOSURE, SIZES

type Float32 = NDArray[np.float32]

_SEED = 20260202
_REPULSION = 1.2e-7  # by which a pixel's covariance with a neighbour rises per electron, relative
_SPREAD = ((1, 0, 1.0), (0, 1, 0.6), (1, 1, 0.3))  # rows and columns away, and how much of that


@dataclass(frozen=True)
class SixteenScene:
    """The detector, and what its frames are made of; patterns and sky are those of `Scene`."""

    size: Sixteen

    @cached_property
    def light(self) -> Scene:
        """Patterns, masters and sky of a detector as large."""
        return Scene(replace(SIZES["full"], rows=self.size.rows, columns=self.size.columns))

    def bias_frame(self, index: int) -> NDArray[np.uint16]:
        """A raw bias."""
        return self._raw(None, _generator(1, index))

    def level(self, pair: int) -> float:
        """Mean of a pair of flats, adu: from 500 to `FULL_WELL` in equal steps."""
        return 500.0 + (FULL_WELL - 500.0) * pair / max(1, self.size.pairs - 1)

    def flat_frame(self, pair: int, which: int) -> NDArray[np.uint16]:
        """A raw flat of even light, whose noise is the more correlated the brighter it is."""
        random, level = _generator(2, pair, which), np.float32(self.level(pair))
        lamp = np.float32(1 + 0.002 * random.standard_normal())
        light = np.full(self.size.shape, level * lamp, np.float32)
        return self._raw(light, random, repulsion=_REPULSION)

    def science_frame(self, index: int) -> NDArray[np.uint16]:
        """A raw science frame with stars, some of them saturated, and tracks of particles."""
        scene, random = self.light, _generator(3, index)
        light = scene.sky * scene.flat + scene.dark * np.float32(EXPOSURE)
        number = light.size // 28000
        y, x = (random.integers(0, side - 8, number) for side in self.size.shape)
        for step in range(8):
            light[y + step, x + step // 2] += 800
        return self._raw(light, random)

    def _raw(
        self, light: Float32 | None, random: np.random.Generator, *, repulsion: float = 0.0
    ) -> NDArray[np.uint16]:
        size = self.size
        raw = np.empty(size.raw_shape, np.float32)
        for k in range(AMPLIFIERS):
            gain, base = np.float32(GAINS[k]), np.float32(1000 + 10 * k)
            drift = base + np.float32(0.5) * random.standard_normal((size.rows // 2, 1), dtype=np.float32)
            pixels = self.light.bias[size.detector(k)] + drift
            if light is not None:
                pixels += _shot(light[size.detector(k)] * gain, random, repulsion) / gain
            for where, values in ((size.data(k), pixels), (size.bias_region(k), drift)):
                shape = raw[where].shape
                raw[where] = values + np.float32(NOISE) / gain * random.standard_normal(
                    shape, dtype=np.float32
                )
        return np.clip(np.rint(raw), 0, 65535).astype(np.uint16)


def _shot(electrons: Float32, random: np.random.Generator, repulsion: float) -> Float32:
    """Light with its noise; with a repulsion neighbours are correlated, and the variance is less."""
    noise = random.standard_normal(electrons.shape, dtype=np.float32)
    if repulsion:
        own = noise.copy()
        for rows, columns, share in _SPREAD:
            noise += np.float32(repulsion * share) * electrons * np.roll(own, (rows, columns), (0, 1))
        lost = 4 * repulsion * sum(share for *_, share in _SPREAD)
        noise *= np.sqrt(np.maximum(1 - np.float32(lost) * electrons, 0.1))
    return np.asarray(electrons + np.sqrt(np.maximum(electrons, 0)) * noise, np.float32)


def _generator(*what: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, *what])
