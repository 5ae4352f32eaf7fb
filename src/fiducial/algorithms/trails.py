"""Trails of saturated pixels: made wider, and followed to the edge."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, find_objects, label

from fiducial.algorithms.arrays import Flags, Int64

_EIGHT = np.ones((3, 3), np.bool_)  # pixels that touch at a corner belong together


def grow(flags: Flags, *, across: int, along: int) -> Flags:
    """Flag all pixels within a rectangle about each flagged pixel.

    Parameters
    ----------
    flags : (ny, nx) bool
    across, along : int
        Half widths of the rectangle: columns to either side, rows up and down.

    Returns
    -------
    (ny, nx) bool
        Those that were flagged are still.

    References
    ----------
    Binary dilation: Serra 1982, Image Analysis and Mathematical Morphology, chapter II.
    """
    grown = flags.copy()
    if not flags.any():
        return grown
    ny, nx = flags.shape
    labels, _ = label(flags, _EIGHT)
    # A rectangle is a row of pixels, then a column of them: the work is in small windows about the trails.
    row, column = np.ones((1, 2 * across + 1), np.bool_), np.ones((2 * along + 1, 1), np.bool_)
    for y, x in find_objects(labels):
        window = (
            slice(max(y.start - along, 0), min(y.stop + along, ny)),
            slice(max(x.start - across, 0), min(x.stop + across, nx)),
        )
        grown[window] |= binary_dilation(binary_dilation(flags[window], row), column)
    return grown


def runs_from_edge(flags: Flags) -> Int64:
    """Count how many pixels of each column are flagged without a gap, from the first row on.

    Parameters
    ----------
    flags : (ny, nx) bool
        Turned over, it gives the runs from the last row.

    Returns
    -------
    (nx,) int64
    """
    length = np.zeros(flags.shape[1], np.int64)
    (columns,) = np.nonzero(flags[0])
    trails = flags[:, columns]
    length[columns] = np.where(trails.all(axis=0), len(flags), np.argmin(trails, axis=0))
    return length
