"""Traps: single pixels that hold charge back from what is clocked through them, and give it late."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.cameras.model import Amplifier
from fiducial.simulation.effects.geometry import on_detector
from fiducial.simulation.settings import Strict


class Traps(Strict):
    """Traps in the parallel transport; each defers charge of its column, from its row on."""

    count: int = Field(default=3, ge=0)  # per amplifier
    size: float = Field(default=500.0, gt=0)  # electron that one holds, mean of an exponential
    release: float = Field(default=0.2, gt=0, lt=1)  # of what it has too much, with each row that passes


TRAP = np.dtype(
    [("amplifier", "i4"), ("y", "i4"), ("x", "i4"), ("row", "i4"), ("column", "i4"), ("size", "f8")]
)
"""One trap: where it is on the detector, where in readout order, and how many electrons it holds."""


def draw_traps(settings: Traps, amp: Amplifier, number: int, rng: np.random.Generator) -> np.ndarray:
    """The traps of one amplifier, each in a column of its own: (n,) of `TRAP`."""
    ny, nx = amp.data.shape
    count = min(settings.count, nx)
    traps = np.zeros(count, TRAP)
    traps["amplifier"] = number
    traps["column"] = np.sort(rng.choice(nx, count, replace=False))
    traps["row"] = rng.integers(0, max(1, ny // 2), count)
    traps["size"] = rng.exponential(settings.size, count)
    traps["y"], traps["x"] = on_detector(traps["row"], traps["column"], amp)
    return traps


def defer(
    charge: np.ndarray, traps: np.ndarray, release: float, rows_after: int
) -> tuple[np.ndarray, np.ndarray]:
    """Transport an amplifier's charge through its traps.

    Pixels pass a trap in readout order from its own row on. Beside a pixel of charge q a trap would hold
    min(size, q): it takes what it lacks of that at once, and gives what it has beyond it slowly.

    Parameters
    ----------
    charge
        (ny, nx) float32, electrons in readout order.
    traps
        (n,) of `TRAP`.
    release
        Part of what it has too much that comes out with each row.
    rows_after
        Rows of parallel overscan, read after the data.

    Returns
    -------
    charge : (ny, nx) float32
        As it arrives.
    after : (rows_after, nx) float32
        Charge that arrives in the parallel overscan.
    """
    out = charge.copy()
    after = np.zeros((rows_after, charge.shape[1]), np.float32)
    for trap in traps:
        row, column, size = int(trap["row"]), int(trap["column"]), float(trap["size"])
        line = np.concatenate([out[row:, column], after[:, column]]).astype(np.float64)
        held = 0.0
        for k in range(len(line)):
            lacking = min(size, max(line[k], 0.0)) - held
            taken = lacking if lacking > 0 else release * lacking
            held += taken
            line[k] -= taken
        out[row:, column] = line[: len(out) - row]
        after[:, column] = line[len(out) - row :]
    return out, after
