"""Images small enough to be looked at: means of blocks, with what is masked left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def block_for(shape: tuple[int, int], largest: int) -> int:
    """Side of the square blocks (pixels) that bring an image down to ``largest`` at its longer side."""
    return max(1, -(-max(shape) // largest))


def block_mean(
    image: NDArray[Any], block: int, usable: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Mean of the blocks of an image.

    Parameters
    ----------
    image
        Shape (ny, nx), any unit.
    block
        Side of a block in pixels. Blocks at the upper and right edge may be smaller.
    usable
        Shape (ny, nx); False leaves a pixel out. NaN and infinities are left out in any case.

    Returns
    -------
    Shape (ceil(ny / block), ceil(nx / block)); NaN where a block has no usable pixel.
    """
    keep = np.isfinite(image)
    if usable is not None:
        keep &= usable
    if block == 1:
        return np.where(keep, image, np.nan).astype(np.float32)
    total = _block_sum(np.where(keep, image, 0.0), block, np.float64)
    number = _block_sum(keep, block, np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number > 0, total / number, np.nan).astype(np.float32)


def block_fraction(chosen: NDArray[np.bool_], block: int) -> NDArray[np.float32]:
    """Fraction of the pixels of each block that are chosen."""
    return block_mean(chosen.astype(np.float32), block)


def _block_sum(array: NDArray[Any], block: int, dtype: type[np.generic]) -> NDArray[Any]:
    rows = np.add.reduceat(array, np.arange(0, array.shape[0], block), axis=0, dtype=dtype)
    return np.add.reduceat(rows, np.arange(0, array.shape[1], block), axis=1, dtype=dtype)
