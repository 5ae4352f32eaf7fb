"""Good pixels of real frames hidden and filled in, and what that says of values and quoted variances."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.interpolate import interpolate_lines
from fiducial.algorithms.interpolate_process import interpolate_process
from real_nights import pixels
from real_physics import KAST_COLUMNS, KAST_GAIN, KAST_NOISE, KAST_OVERSCAN, LIT

HIDDEN = ("single", "column", "3 columns", "3 × 3", "sides")
METHODS = ("linear", "process")

type Image = NDArray[np.float32]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """A frame less its overscan and bias, adu, and the variance of its noise."""

    image: Image
    variance: Image


@dataclass(frozen=True)
class Judged:
    """Filled less hidden, in units of the hidden pixels' noise.

    ``scatter`` and ``quoted`` are what the differences have (robust, of the middle 68 per cent) and what the
    quoted variances give them (median); ``covered`` the share within the quoted sigma.
    """

    number: int
    bias: float
    bias_error: float
    scatter: float
    quoted: float
    covered: float


def frames(folder: Path) -> dict[str, Frame]:
    """A flat, and a spectrum of a faint target with sky lines and cosmic rays."""
    return {"flat": _frame(folder, 5), "science": _frame(folder, 27)}


def _frame(folder: Path, number: int) -> Frame:
    image, variance = [], []
    for side, columns in KAST_COLUMNS.items():

        def corrected(file: int, columns: slice = columns, side: str = side) -> NDArray[np.float64]:
            frame = pixels(folder / f"b{file}.fits.fz")[LIT]
            level = np.median(frame[:, KAST_OVERSCAN[side]], axis=1, keepdims=True)
            return np.asarray(frame[:, columns] - level)

        bias = np.mean([corrected(file) for file in range(14, 24)], axis=0)
        image.append(corrected(number) - bias)
        # 6 % for the median of a row's 24 overscan pixels, a tenth for the bias of ten.
        noise = KAST_NOISE[side] ** 2 * (1.06 + 0.1)
        variance.append(np.maximum(image[-1], 0) / KAST_GAIN[side][0] + noise)
    return Frame(np.hstack(image).astype(np.float32), np.hstack(variance).astype(np.float32))


def hide(shape: tuple[int, int], what: str, seed: int = 1) -> Flags:
    """Which pixels are hidden."""
    rng = np.random.default_rng(seed)
    ny, nx = shape
    hidden = np.zeros(shape, np.bool_)
    if what == "single":
        places = rng.choice(ny * nx // 16, 4000, replace=False)
        hidden[4 * (places // (nx // 4)) + 1, 4 * (places % (nx // 4)) + 1] = True
    elif what in ("column", "3 columns"):
        for column in rng.choice(np.arange(8, nx - 8, 8), 60, replace=False):
            hidden[:, column : column + (1 if what == "column" else 3)] = True
    elif what == "3 × 3":
        places = rng.choice((ny // 8) * (nx // 8), 400, replace=False)
        for y, x in zip(8 * (places // (nx // 8)) + 2, 8 * (places % (nx // 8)) + 2, strict=True):
            hidden[y : y + 3, x : x + 3] = True
    else:
        hidden[:, :2] = hidden[:, -2:] = hidden[:2] = hidden[-2:] = True
    return hidden


def judged(frame: Frame, what: str, method: str) -> Judged | None:
    """Hide, fill, compare; None for groups too large for the method."""
    hidden = hide(frame.image.shape, what)
    if method == "process":
        if what not in ("single", "3 × 3"):
            return None
        hidden[:, 128 if what == "single" else 512 :] = False  # each costs milliseconds
        found = interpolate_process(frame.image, frame.variance, hidden, ~hidden, length=2.0, most=25)
    else:
        found = interpolate_lines(frame.image, frame.variance, hidden, ~hidden, longest=20)
    noise = np.sqrt(frame.variance[found.y, found.x])
    off = found.value - frame.image[found.y, found.x]
    relative = off / noise
    low, middle, high = np.percentile(relative, [15.8655, 50.0, 84.1345])
    scatter = 0.5 * float(high - low)
    return Judged(
        len(off),
        float(middle),
        scatter * sqrt(np.pi / 2 / len(off)),
        scatter,
        float(np.median(np.sqrt(found.variance) / noise)),
        float(np.mean(np.square(off) < found.variance)),
    )
