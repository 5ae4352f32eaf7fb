"""From the detector's orientation to the order in which an amplifier reads, and back."""

from __future__ import annotations

import numpy as np

from fiducial.cameras.model import Amplifier


def in_readout_order(values: np.ndarray, amp: Amplifier) -> np.ndarray:
    """An amplifier's pixels, detector orientation, as it reads them: row 0 and column 0 first (a view).

    The same call turns them back.
    """
    flip_y, flip_x = _flips(amp)
    if flip_x:
        values = values[:, ::-1]
    if flip_y:
        values = values[::-1]
    return values


def on_detector(rows: np.ndarray, columns: np.ndarray, amp: Amplifier) -> tuple[np.ndarray, np.ndarray]:
    """Row y and column x on the detector of pixels counted in readout order."""
    flip_y, flip_x = _flips(amp)
    area = amp.detector
    y = area.y1 - 1 - rows if flip_y else area.y0 + rows
    x = area.x1 - 1 - columns if flip_x else area.x0 + columns
    return y, x


def _flips(amp: Amplifier) -> tuple[bool, bool]:
    flip_y = amp.detector.flip_y != (amp.read_corner in ("UL", "UR"))
    flip_x = amp.detector.flip_x != (amp.read_corner in ("LR", "UR"))
    return flip_y, flip_x
