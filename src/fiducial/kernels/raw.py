"""Raw pixels corrected in one pass, by the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels

type Float32 = npt.NDArray[np.float32]
type Int32 = npt.NDArray[np.int32]

RAW_TYPES = tuple(np.dtype(t) for t in (np.uint16, np.int16, np.int32, np.float32))
"""Types of raw pixels that the kernel takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From which raw values pixels are marked, and with which bits; saturated pixels get both."""

    suspect: float = np.inf
    saturation: float = np.inf
    suspect_bit: int = 0
    saturation_bit: int = 0


def correct_rows(
    raw: npt.NDArray[Any],
    row_level: Float32 | None,
    column_level: Float32 | None,
    gain: float,
    limits: Limits,
    *,
    flip_x: bool = False,
    flip_y: bool = False,
    out: tuple[Float32, Int32] | None = None,
) -> tuple[Float32, Int32, bool]:
    """Subtract levels, multiply by the gain, mark and turn about raw pixels, in one pass.

    Parameters
    ----------
    raw : (ny, nx), of one of `RAW_TYPES`
        Rows may lie anywhere, the columns of a row side by side.
    row_level, column_level : (ny,) and (nx,) float32, optional
        Subtracted in this order, as float32.
    gain : float
        Multiplied by, as float32.
    limits : Limits
        Held against raw values.
    flip_x, flip_y : bool
        Whether columns and rows come out in the other order.
    out : (ny, nx) float32 and int32, C-contiguous, optional
        Where image and mask go; fresh memory costs more than the work.

    Returns
    -------
    image : (ny, nx) float32
        Not finite where raw or a level is not.
    mask : (ny, nx) int32
    marked : bool
        Whether any pixel is.

    Raises
    ------
    ValueError
        Shapes do not agree.
    TypeError
        The type is none of `RAW_TYPES`.
    """
    ny, nx = raw.shape
    if raw.dtype not in RAW_TYPES:
        raise TypeError(f"raw pixels of {raw.dtype}, not of {', '.join(map(str, RAW_TYPES))}")
    for level, length in ((row_level, ny), (column_level, nx)):
        if level is not None and level.shape != (length,):
            raise ValueError(f"levels {level.shape} do not fit raw pixels {raw.shape}")
    if nx > 1 and raw.strides[1] != raw.itemsize:
        raw = np.ascontiguousarray(raw)
    image, mask = out or (np.empty((ny, nx), np.float32), np.empty((ny, nx), np.int32))
    if image.shape != raw.shape or mask.shape != raw.shape:
        raise ValueError(f"image {image.shape} and mask {mask.shape} do not fit raw pixels {raw.shape}")
    marked = _kernels.correct_rows(
        raw,
        None if row_level is None else np.ascontiguousarray(row_level, np.float32),
        None if column_level is None else np.ascontiguousarray(column_level, np.float32),
        float(np.float32(gain)),
        limits.suspect,
        limits.saturation,
        limits.suspect_bit,
        limits.saturation_bit,
        flip_x,
        flip_y,
        image,
        mask,
    )
    return image, mask, marked
