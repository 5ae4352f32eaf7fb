"""Checks that several kernels share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

type Float64 = npt.NDArray[np.float64]


def require_clipping(kappa: float, iterations: int) -> None:
    """Refuse a clipping that could reject everything, or that has no number of rounds."""
    if not kappa >= 1:
        raise ValueError(f"clipping at kappa = {kappa} could reject every frame; at least 1 is needed")
    if iterations < 0:
        raise ValueError(f"{iterations} rounds of clipping are none: 0 or more")


def require_vector(name: str, values: Float64 | None, length: int) -> Float64 | None:
    """One number for each frame, as the kernels take them."""
    if values is None:
        return None
    if values.shape != (length,):
        raise ValueError(f"{name} {values.shape} must be one number for each of {length} frames")
    return np.ascontiguousarray(values, dtype=np.float64)


def require_scale(scale: Float64 | None, length: int) -> Float64 | None:
    """What frames are divided by: never zero."""
    if scale is not None and not np.all(np.isfinite(scale) & (scale != 0)):
        raise ValueError("a scale is zero or not finite")
    return require_vector("scale", scale, length)
