"""Sums and means of an image over blocks, rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial import kernels
from fiducial.algorithms.arrays import Flags, Float32, Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """Sums of an image over blocks, rows and columns.

    Attributes
    ----------
    blocks : (rows of blocks, columns of blocks) float64
    rows : (ny, 1) float64
    columns : (1, nx) float64
    """

    blocks: Float64
    rows: Float64
    columns: Float64


def group_sums(values: Float32, usable: Flags, rows: Int64, columns: Int64) -> tuple[GroupSums, GroupSums]:
    """Sum an image, and count its usable pixels, over blocks, rows and columns.

    Parameters
    ----------
    values : (ny, nx) float32
        Pixels that are not usable may hold anything.
    usable : (ny, nx) bool
        Which pixels count.
    rows, columns
        Where blocks begin on either axis, rising from 0.

    Returns
    -------
    sums, counts : GroupSums
    """
    found = kernels.band_sums(values, usable, np.append(rows, len(values)))

    def groups(bands: Float64, single: Float64) -> GroupSums:
        return GroupSums(
            np.add.reduceat(bands, columns, axis=1), single[:, None], bands.sum(axis=0, keepdims=True)
        )

    return (
        groups(found.bands, found.rows),
        groups(found.counts.astype(np.float64), found.row_counts.astype(np.float64)),
    )


def bin_image(image: Float32, usable: Flags, factor: int) -> Float32:
    """Means of square bins over usable pixels; bins at the upper edges may be smaller, empty ones are NaN.

    Parameters
    ----------
    image : (ny, nx) float32
        Pixels that are not usable may hold anything.
    usable : (ny, nx) bool
        Which pixels count.
    factor : int
        Side of a bin, pixels.

    Returns
    -------
    (ny / factor, nx / factor) float32, rounded up
    """
    if factor == 1:
        return np.where(usable, image, np.float32(np.nan))
    rows, columns = (np.arange(0, side, factor) for side in image.shape)
    sums, counts = group_sums(image, usable, rows, columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums.blocks / counts.blocks, dtype=np.float32)
