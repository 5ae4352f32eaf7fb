"""The band of pixels along the edges of an image."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.arrays import Flags


def edge_band(shape: tuple[int, int], width: int) -> Flags:
    """Flag the pixels that are nearer than ``width`` pixels to an edge.

    Parameters
    ----------
    shape : (ny, nx)
    width : int
        0 flags nothing, 1 the outermost pixels.

    Returns
    -------
    (ny, nx) bool

    References
    ----------
    Pixels there collect charge over another area than those inside (tree rings' outermost ring, edge
    roll-off): Plazas, Bernstein & Sheldon 2014 (PASP 126, 750).
    """
    ny, nx = shape
    band = np.ones(shape, np.bool_)
    band[width : max(ny - width, width), width : max(nx - width, width)] = False
    return band
