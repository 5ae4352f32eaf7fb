"""Stacks of frames as the kernels take them: checked, and seen as frames of pixels without a copy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fiducial.algorithms.arrays import Flags, Float32


def check_stack(stack: Float32, usable: Flags | None) -> tuple[int, int]:
    """Rows and columns of a stack, once it and its mask are what they should be.

    Parameters
    ----------
    stack : (n, ny, nx) float32
    usable : (n, ny, nx) bool, optional

    Raises
    ------
    ValueError
        Their shapes or types are others.
    """
    if stack.ndim != 3 or stack.dtype != np.float32:
        raise ValueError(f"a stack is (frames, rows, columns) of float32, not {stack.shape} of {stack.dtype}")
    if usable is not None and (usable.shape != stack.shape or usable.dtype != np.bool_):
        raise ValueError(f"usable is {usable.shape} of {usable.dtype}, not {stack.shape} of bool")
    return stack.shape[1], stack.shape[2]


def flat_frames(stack: Float32) -> Float32:
    """The stack as (frames, pixels): a view where it is contiguous, as strips are."""
    return np.ascontiguousarray(stack).reshape(stack.shape[0], -1)


def flat_mask(usable: Flags | None) -> npt.NDArray[np.uint8] | None:
    """The mask as (frames, pixels) of bytes, a view in the same way."""
    if usable is None:
        return None
    return np.ascontiguousarray(usable).view(np.uint8).reshape(usable.shape[0], -1)
