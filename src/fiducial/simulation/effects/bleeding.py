"""Bleeding: charge above the full well spills along its column."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.simulation.settings import Strict


class Bleeding(Strict):
    """The full well of pixels."""

    full_well: float | None = Field(default=None, gt=0)  # electron; None: 0.9 of the amplifier's saturation


def bleed(charge: np.ndarray, full_well: float) -> np.ndarray:
    """Spill what exceeds the full well along columns.

    Half of each pixel's excess goes either way, and fills the nearest pixels that have room. What
    finds none before the end far from the register turns back; what reaches the register is lost.

    Parameters
    ----------
    charge
        (ny, nx) float32, electrons, row 0 next to the serial register.
    full_well
        Electrons.

    Returns
    -------
    (ny, nx) float32
        No pixel exceeds the full well; columns that need no change keep every bit.
    """
    columns = np.flatnonzero((charge > full_well).any(axis=0))
    if not len(columns):
        return charge
    taken = charge[:, columns].astype(np.float64)
    excess = np.maximum(taken - full_well, 0.0)
    np.minimum(taken, full_well, out=taken)
    carried = np.zeros(len(columns))
    for row in range(len(taken)):  # away from the register
        carried = _fill(taken[row], carried + 0.5 * excess[row], full_well)
    for row in range(len(taken) - 1, -1, -1):  # towards it
        carried = _fill(taken[row], carried + 0.5 * excess[row], full_well)
    out = charge.copy()
    out[:, columns] = taken
    return out


def _fill(row: np.ndarray, carried: np.ndarray, full_well: float) -> np.ndarray:
    """Fill a row's pixels (which are changed) from what is carried past; what is left of it."""
    room = np.minimum(carried, full_well - row)
    row += room
    rest: np.ndarray = carried - room
    return rest
