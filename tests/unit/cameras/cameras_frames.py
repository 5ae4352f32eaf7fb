"""Frames of made-up cameras, to draft camera files from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from fiducial.cameras import DraftInput
from fiducial.cameras.model import Amplifier, Camera

START = datetime(2024, 3, 26, 20, 0, 0)


@dataclass
class Night:
    """Frames of one camera's first detector: what it is made of is the camera's own description."""

    camera: Camera
    levels: Mapping[str, float]  # bias level of each amplifier, adu
    seed: int = 1
    keywords: Mapping[str, Any] = field(default_factory=dict)
    transient: float = 0.0  # adu, of the column of an overscan that is read first
    frames: list[DraftInput] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._clock = START

    def take(self, name: str, electrons: float, seconds: float, **header: Any) -> None:
        """One frame of so many electrons in each pixel."""
        image = np.zeros(self.camera.layouts["ccd"].raw_shape)
        for amp in self.camera.layouts["ccd"].amplifiers:
            self._expose(image, amp, electrons)
        pixels = np.clip(np.rint(image), 0, 65535).astype(np.uint16)
        cards = {"DATE-OBS": self._clock.isoformat(), "EXPTIME": seconds, **self.keywords, **header}
        self._clock += timedelta(seconds=seconds + 5)
        self.frames.append(DraftInput(f"/night/{name}", cards, [(0, cards, pixels)]))

    def _expose(self, image: np.ndarray, amp: Amplifier, electrons: float) -> None:
        parts = [amp.data, amp.serial_overscan, amp.parallel_overscan]
        for part in parts:
            if part is None:
                continue
            light = self._random.poisson(electrons, part.shape) if part is amp.data else np.zeros(part.shape)
            read = self._random.normal(0.0, amp.read_noise, part.shape)
            area = self.levels[amp.name] + (light + read) / amp.gain
            if part is amp.serial_overscan:
                first = -1 if amp.read_corner in ("LR", "UR") else 0
                area[:, first] += self.transient
            image[part.slices] = area
