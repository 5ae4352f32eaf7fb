"""Levels of frames without overscan: the level of the electronics drifts, and only the data say so.

The level of a frame is what its pixels have in common beyond the scene that all frames show, pixel by
pixel: differences from each pixel's own mean (biases) or own growth with time (darks). A median of the
frame itself would move by whole adu, and for darks follow the tail of the hot pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.dark import LevelFit, fit_level
from fiducial.algorithms.statistics import clipped_mean
from fiducial.corrections.strips import Strip, readout_rows, strip_at
from fiducial.corrections.variance import expected_variance
from fiducial.kinds.setting_aside import naming
from fiducial.products.masks import UNUSABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame

EVERY = 32
"""One readout row in so many is sampled: 3 % more is read, and the level of a megapixel is known to
1 / sqrt(32,000) of its noise."""
FEWEST_ROWS = 16
MOST_PIXELS = 65_536  # of an amplifier in the sample
KAPPA = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class DarkLevels:
    """What stands in darks beside the charge of the dark current.

    ``level`` (n,) is that of each frame; ``fit`` their mean and the rate, with errors.
    """

    level: NDArray[np.float64]
    fit: LevelFit


def drifting(chain: Chain) -> list[Amplifier]:
    """The amplifiers whose level no overscan takes off."""
    amplifiers = chain.context.camera.amplifiers(chain.context.detector)
    if chain.notes().get("OVERSCAN METHOD", "none") == "none":
        return list(amplifiers)
    return [amp for amp in amplifiers if amp.serial_overscan is None]


def sample(
    frames: Sequence[DetectorFrame], chain: Chain, amplifiers: Sequence[Amplifier]
) -> dict[str, NDArray[np.float32]]:
    """Corrected pixels of readout rows spread over the detector: (n, pixels) by amplifier, masked ones NaN.

    A frame that cannot be read raises `~fiducial.kinds.setting_aside.FrameFailed`.
    """
    names = {amp.name for amp in amplifiers}
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for frame in frames if names else ():
        rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
        with naming(frame):
            for strip in sampled_rows(frame):
                for segment in chain.run(frame, strip):
                    if segment.amplifier.name in names:
                        good = (segment.mask & np.int32(UNUSABLE)) == 0
                        rows[segment.amplifier.name].append(np.where(good, segment.image, np.nan).ravel())
        for name in names:
            pixels = np.concatenate(rows[name])
            found[name].append(pixels[:: max(1, pixels.size // MOST_PIXELS)].astype(np.float32))
    return {name: np.stack(pixels) for name, pixels in found.items() if pixels}


def sampled_rows(frame: DetectorFrame) -> list[Strip]:
    """Single readout rows, evenly spread: one in 32, more of small detectors."""
    rows = readout_rows(frame.amplifiers)
    step = max(1, min(EVERY, rows // FEWEST_ROWS))
    return [strip_at(frame.amplifiers, row, row + 1) for row in range(step // 2, rows, step)]


def bias_levels(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) levels of biases above their mean level; 0 where nothing is known.

    Parameters
    ----------
    pixels : (n, pixels) float32
        The same pixels of each frame; those that are NaN in any of them are passed over.
    """
    known = pixels[:, np.isfinite(pixels).all(axis=0)].astype(np.float64)
    if known.shape[1] == 0:
        return np.zeros(len(pixels))
    known -= known.mean(axis=0)
    levels = np.array([clipped_mean(row, kappa=KAPPA).mean for row in known])
    return levels - levels.mean()


def dark_levels(
    pixels: NDArray[np.float32], times: NDArray[np.float64], chain: Chain, amplifier: Amplifier
) -> DarkLevels:
    """Levels of darks, and their mean level and rate.

    Each pixel's growth is the slope of a weighted line through its frames, so that hot pixels, whose
    share in a median changes with time, do not count as level. Frames of one time cannot tell level
    from rate: their levels then are what they have beyond their mean.

    Parameters
    ----------
    pixels : (n, pixels) float32
        The same pixels of each frame, bias subtracted; those that are NaN in any are passed over.
    times : (n,) float64
        Dark times, s.
    chain, amplifier
        What was done to the frames, and whose pixels they are: for the weights.

    Raises
    ------
    AlgorithmError
        No pixel is usable in all frames.
    """
    known = pixels[:, np.isfinite(pixels).all(axis=0)].astype(np.float64)
    if known.shape[1] == 0:
        return DarkLevels(np.zeros(len(pixels)), fit_level(np.full(len(times), np.nan), times, times))
    typical = np.median(known, axis=1).astype(np.float32)
    slope = _slopes(known, times, 1.0 / expected_variance(typical, amplifier, chain.world))
    beyond = [clipped_mean(row - slope * time, kappa=KAPPA) for row, time in zip(known, times, strict=True)]
    rate = float(np.median(slope))
    level, error = (np.array([getattr(b, name) for b in beyond]) for name in ("mean", "error"))
    fit = fit_level(level + rate * times, error, times)
    return DarkLevels(level + (rate - fit.rate) * times, fit)


def _slopes(
    pixels: NDArray[np.float64], times: NDArray[np.float64], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Of a line through each pixel's frames; through zero too where all times are the same."""
    w = (weights / weights.sum()).astype(np.float64)
    mean_time = float(np.sum(w * times))
    spread = float(np.sum(w * (times - mean_time) ** 2))
    if np.ptp(times) <= 1e-6 * np.max(times) or spread == 0.0:
        through_zero: NDArray[np.float64] = w @ pixels / mean_time
        return through_zero
    slopes: NDArray[np.float64] = (w * (times - mean_time)) @ (pixels - w @ pixels) / spread
    return slopes
