"""Hot columns: a pixel with so much dark current that all that is clocked through it glows."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.cameras.model import Amplifier
from fiducial.simulation.effects.geometry import on_detector
from fiducial.simulation.settings import Strict


class HotColumns(Strict):
    """Columns that are bright from one row on, away from the register."""

    count: int = Field(default=2, ge=0)  # per amplifier
    rate: float = Field(default=20.0, gt=0)  # electron / s / pixel, mean of an exponential


HOT_COLUMN = np.dtype([("amplifier", "i4"), ("x", "i4"), ("y0", "i4"), ("y1", "i4"), ("rate", "f8")])
"""One hot column: its column, first and end row on the detector, and its rate in electron / s / pixel."""


def draw_hot_columns(
    settings: HotColumns, amp: Amplifier, number: int, rng: np.random.Generator
) -> np.ndarray:
    """The hot columns of one amplifier: (n,) of `HOT_COLUMN`."""
    ny, nx = amp.data.shape
    count = min(settings.count, nx)
    columns = np.sort(rng.choice(nx, count, replace=False))
    first = rng.integers(0, max(1, 3 * ny // 4), count)
    found = np.zeros(count, HOT_COLUMN)
    found["amplifier"] = number
    found["rate"] = rng.exponential(settings.rate, count)
    begin, found["x"] = on_detector(first, columns, amp)
    end, _ = on_detector(np.full(count, ny - 1), columns, amp)
    found["y0"], found["y1"] = np.minimum(begin, end), np.maximum(begin, end) + 1
    return found


def add_hot_columns(dark: np.ndarray, columns: np.ndarray) -> None:
    """Add them to the dark current (electron / s) of a detector, which is changed: that is the purpose."""
    for one in columns:
        dark[one["y0"] : one["y1"], one["x"]] += np.float32(one["rate"])
