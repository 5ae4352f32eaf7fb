"""Levels of frames without overscan: the level of the electronics drifts, and only the data say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.statistics import robust_sigma
from fiducial.corrections.strips import Strip, plan_strips, readout_rows
from fiducial.kinds.setting_aside import naming
from fiducial.products.masks import UNUSABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame

EVERY = 32
"""One readout row in so many is sampled: 3 % more is read, and the level of a megapixel is known to
1.25 / sqrt(32,000) of its noise."""
FEWEST_ROWS = 16


def has_drifting_level(amplifier: Amplifier, chain: Chain) -> bool:
    """Whether no overscan takes the level of an amplifier's frames off."""
    notes = chain.notes()
    return amplifier.serial_overscan is None or notes.get("OVERSCAN METHOD", "none") == "none"


def sample_levels(
    frames: Sequence[DetectorFrame], chain: Chain, amplifiers: Sequence[str]
) -> list[dict[str, tuple[float, float]]]:
    """Medians of corrected frames' amplifiers and their standard errors, from rows spread over the detector.

    Masked pixels are left out; an amplifier without a usable pixel has NaN. A frame that cannot be
    read raises `~fiducial.kinds.setting_aside.FrameFailed`.
    """
    levels = []
    for frame in frames if amplifiers else ():
        with naming(frame):
            levels.append(_sample(frame, chain, amplifiers))
    return levels


def _sample(frame: DetectorFrame, chain: Chain, amplifiers: Sequence[str]) -> dict[str, tuple[float, float]]:
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in amplifiers}
    for strip in sampled_rows(frame):
        for segment in chain.run(frame, strip):
            if segment.amplifier.name in found:
                good = (segment.mask & np.int32(UNUSABLE)) == 0
                found[segment.amplifier.name].append(segment.image[good])
    return {name: _median(np.concatenate(pixels)) for name, pixels in found.items()}


def sampled_rows(frame: DetectorFrame) -> list[Strip]:
    """Single readout rows, evenly spread: one in 32, more of small detectors."""
    rows = readout_rows(frame.amplifiers)
    step = max(1, min(EVERY, rows // FEWEST_ROWS))
    single = plan_strips(frame.amplifiers, 1)
    return list(single[step // 2 :: step])


def _median(pixels: NDArray[np.float32]) -> tuple[float, float]:
    if pixels.size < 2:
        return float("nan"), float("nan")
    error = 1.2533 * robust_sigma(pixels) / np.sqrt(pixels.size)
    return float(np.median(pixels)), float(max(error, 1e-6))
