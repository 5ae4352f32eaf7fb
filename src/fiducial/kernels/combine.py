"""Frames of one scene combined into one, by the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels
from fiducial.kernels.checks import require_clipping, require_scale, require_vector

type Float32 = npt.NDArray[np.float32]
type Float64 = npt.NDArray[np.float64]
type Int32 = npt.NDArray[np.int32]
type Bytes = npt.NDArray[np.uint8]
type CombinedPixels = tuple[Float32, Float32, Int32, Int32]

MODES = ("mean", "median", "clipped_mean", "clipped_median", "minmax")
"""How values become one; `Rule` says what each is."""
_OF_MEANS = ("mean", "clipped_mean")
_TYPES = tuple(np.dtype(t) for t in (np.uint16, np.int16, np.int32, np.float32))


@dataclass(frozen=True, slots=True)
class Rule:
    """How the values of a pixel become one.

    Attributes
    ----------
    mode : str
        ``mean`` and ``median`` of all usable values; ``clipped_mean`` and ``clipped_median`` of those left
        after rounds in which all with ``|x - median| > kappa s`` are rejected, s the sample deviation
        (ddof = 1) of those still in; ``minmax``: the mean without the ``low`` lowest and ``high`` highest.
    kappa : float
        Limit of clipping, at least 1. A deviation equal to it but for rounding (1e-12) is kept.
    iterations : int
        Most rounds of clipping; they end when none is rejected.
    low, high : int
        Of all n frames; where m < n values are usable, low m / n and high m / n are rejected, rounded
        down: something is left of any that are usable.
    """

    mode: str = "clipped_mean"
    kappa: float = 3.0
    iterations: int = 3
    low: int = 0
    high: int = 0

    def check(self, frames: int) -> None:
        """Refuse what makes no sense for so many frames."""
        if self.mode not in MODES:
            raise ValueError(f"frames are combined by {', '.join(MODES)}, not by {self.mode!r}")
        require_clipping(self.kappa, self.iterations)
        if self.mode == "minmax" and not (min(self.low, self.high) >= 0 and self.low + self.high < frames):
            raise ValueError(f"of {frames} frames, {self.low} + {self.high} cannot be rejected")


def combine(
    frames: npt.NDArray[Any],
    rule: Rule,
    *,
    usable: Bytes | None = None,
    level: Float64 | None = None,
    gain: float = 1.0,
    zero: Float64 | None = None,
    scale: Float64 | None = None,
    weights: Float64 | None = None,
    threads: int = 1,
) -> CombinedPixels:
    """Combine frames, raw or corrected, in one pass over their pixels.

    What is combined is ``((frame - level) * gain - zero) / scale``, in double precision and rounded once:
    to float32, and of frames of int32 not at all.

    Parameters
    ----------
    frames : (n, npix) or (n, ny, nx), of uint16, int16, int32 or float32
        In native byte order; columns side by side, rows and frames may lie anywhere (an amplifier of a
        larger image). Values that are not finite are not used.
    rule : Rule
        How.
    usable : of the same shape, uint8, C-contiguous, optional
        0 where a value is not to be used.
    level : (n, ny) float64, optional
        What is taken off each row of each frame: the overscan's.
    gain : float
        Of the amplifier.
    zero, scale : (n,) float64, optional
        What each frame has too much, and what it is divided by.
    weights : (n,) float64, optional
        Of the frames, positive; for means. They count in the mean and its variance, not in the clipping.
    threads : int
        Threads to use; the bits of the result do not depend on it, nor on how the pixels are divided
        into calls, nor (without weights) on the order of the frames.

    Returns
    -------
    value : (npix,) or (ny, nx) float32
        NaN without a usable value.
    variance : the same
        By the scatter of the used values; NaN for fewer than two. ``s^2 / used``; with weights ``sum(w
        (x - mean)^2) / ((used - 1) sum(w))``; of minmax that of Tukey & McLaughlin (1963, Sankhya A 25,
        331) by winsorised squares. Of medians it is that of the *mean* of the same values.
    used, clipped : the same, int32
        Values used, and usable ones rejected.

    Raises
    ------
    ValueError
        Shapes do not agree, or a parameter is out of range.
    TypeError
        The frames are of another type.
    """
    stack = _stack_of(frames)
    n, shape = len(frames), frames.shape[1:]
    rule.check(n)
    _check(frames, stack.shape[:2], rule, usable, level, weights)
    value, variance = np.empty(stack.shape[1:], np.float32), np.empty(stack.shape[1:], np.float32)
    used, clipped = np.empty(stack.shape[1:], np.int32), np.empty(stack.shape[1:], np.int32)
    _kernels.combine(
        stack,
        None if usable is None else np.ascontiguousarray(usable).reshape(stack.shape),
        None if level is None else np.ascontiguousarray(level, np.float64),
        float(gain),
        require_vector("zero", zero, n),
        require_scale(scale, n),
        MODES.index(rule.mode),
        rule.kappa,
        rule.iterations,
        rule.low,
        rule.high,
        require_vector("weights", weights, n),
        threads,
        value,
        variance,
        used,
        clipped,
    )
    return value.reshape(shape), variance.reshape(shape), used.reshape(shape), clipped.reshape(shape)


def _stack_of(frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Frames of rows, the columns of each side by side: without a copy where they are."""
    if frames.ndim not in (2, 3) or len(frames) == 0:
        raise ValueError(f"frames are (n, npix) or (n, ny, nx), not {frames.shape}")
    if frames.dtype not in _TYPES:
        raise TypeError(f"frames of {frames.dtype}, not of {', '.join(map(str, _TYPES))}")
    stack = frames[:, np.newaxis] if frames.ndim == 2 else frames
    if stack.shape[2] > 1 and stack.strides[2] != stack.itemsize:
        stack = np.ascontiguousarray(stack)
    return stack


def _check(
    frames: npt.NDArray[Any],
    rows: tuple[int, ...],
    rule: Rule,
    usable: Bytes | None,
    level: Float64 | None,
    weights: Float64 | None,
) -> None:
    if usable is not None and usable.shape != frames.shape:
        raise ValueError(f"usable {usable.shape} and frames {frames.shape} differ in shape")
    if level is not None and level.shape != rows:
        raise ValueError(f"levels {level.shape} are not one for each row of each frame {rows}")
    if weights is not None and (
        rule.mode not in _OF_MEANS or not np.all((weights > 0) & np.isfinite(weights))
    ):
        raise ValueError("weights are positive, and of means")


def clipped_mean(
    frames: Float32,
    usable: Bytes | None,
    scale: Float64 | None,
    *,
    kappa: float,
    iterations: int,
    threads: int = 1,
) -> CombinedPixels:
    """The ``clipped_mean`` of `combine`, whose parameters these are."""
    rule = Rule("clipped_mean", kappa, iterations)
    return combine(frames, rule, usable=usable, scale=scale, threads=threads)
