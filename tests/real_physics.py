"""What real frames show of the physics of detectors: ramps that are none of flats, and gradients of light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.linearity_pixels import PixelLinearity, pixel_linearity
from fiducial.algorithms.ptc_gradient import GradientCurve, gradient_curve
from real_nights import pixels

TIMES = np.array([10.0, 20.0, 30.0, 60.0, 150.0, 300.0])
NODES = np.array([10.0, 30, 100, 300, 1000, 3000, 10_000, 20_000])
GAIN = 1.934
NOISE = {"Neg5": 6.702, "Neg10": 6.560}
BIASES = {"Neg5": "biases-Neg5-*", "Neg10": "bias-Neg10-*"}

type Images = NDArray[np.float64]


def ladder(folder: Path, temperature: str) -> Images:
    """Six darks less the mean bias, (6, ny, nx)."""
    bias = np.mean([pixels(path) for path in sorted(folder.glob(BIASES[temperature]))], axis=0)
    names = [f"darks-expos{time:.0f}s-{temperature}-Vis.00000000.DARK.fits.fz" for time in TIMES]
    return np.stack([pixels(folder / name) - bias for name in names])


def level_of(darks: Images) -> float:
    """Signal without time: the medians of the frames up to 60 s are a line of time."""
    medians = [np.mean(np.sort(dark, axis=None)[dark.size // 4 : 3 * dark.size // 4]) for dark in darks[:4]]
    return float(np.polyfit(TIMES[:4], medians, 1)[1])


def hot_pixels(darks: Images, temperature: str, stability: float) -> PixelLinearity:
    rate = np.median(darks[-3:] / TIMES[-3:, None, None], axis=0)
    chosen = darks[:, rate > 0.8] - level_of(darks)
    # The mean of ten biases is in all six signals of a pixel.
    noise = NOISE[temperature] * np.sqrt(1.1)
    return pixel_linearity(
        chosen,
        TIMES,
        NODES,
        gain=GAIN,
        read_noise=noise,
        reference=1000,
        level_error=0.4,
        stability=stability,
        least=300,
    )


LIT = slice(32, 320)  # rows along the slit of kast-blue; at its ends light moves from flat to flat
KAST_COLUMNS = {"L": slice(0, 1024), "R": slice(1024, 2048)}
KAST_OVERSCAN = {"L": slice(2056, 2080), "R": slice(2080, 2104)}
KAST_NOISE = {"L": 2.860, "R": 2.704}  # adu, of the README beside the frames, by pairs of biases
KAST_GAIN = {"L": (1.205, 0.005), "R": (1.248, 0.002)}


def two_times(folder: Path, side: str) -> tuple[Images, NDArray[np.bool_]]:
    """Mean of eleven flats of 15 s and the flat of 30 s, (2, ny, nx), and which pixels are not saturated."""
    data, overscan = KAST_COLUMNS[side], KAST_OVERSCAN[side]

    def corrected(number: int) -> Images:
        frame = pixels(folder / f"b{number}.fits.fz")[LIT]
        return np.asarray(frame[:, data] - np.median(frame[:, overscan], axis=1, keepdims=True))

    bias = np.mean([corrected(number) for number in range(14, 24)], axis=0)
    short = np.mean([corrected(number) for number in range(3, 14)], axis=0) - bias
    good = pixels(folder / "b2.fits.fz")[LIT, data] < 60_000
    return np.stack([short, corrected(2) - bias]), good


def along_the_light(signal: Images, good: NDArray[np.bool_], side: str, nodes: list[float]) -> PixelLinearity:
    """Linearity from both times, whose ratio is taken to be that at 10,000 adu."""
    return pixel_linearity(
        np.where(good, signal, np.nan).reshape(2, -1),
        np.array([15.0, 15.0 * 2.030]),
        np.array(nodes),
        gain=KAST_GAIN[side][0],
        read_noise=3.0,
        reference=10_000,
        frames=np.array([11.0, 1.0]),
        least=500,
    )


def slit_curve(folder: Path, side: str, block: int, *, zero: str = "biases") -> GradientCurve:
    """Photon transfer along the light, from five disjoint pairs of neighbours.

    The zero level is that of the ten biases, or that of the frame's own ``overscan``.
    """

    def corrected(number: int) -> Images:
        frame = pixels(folder / f"b{number}.fits.fz")[LIT]
        level = np.median(frame[:, KAST_OVERSCAN[side]]) if zero == "overscan" else 0.0
        return np.asarray(frame[:, KAST_COLUMNS[side]] - level)

    bias = np.mean([corrected(number) for number in range(14, 24)], axis=0)
    frames = [corrected(number) - bias for number in range(3, 13)]
    return gradient_curve(list(zip(frames[::2], frames[1::2], strict=True)), block=block, max_lag=2)
