"""Raw pixels detrended in one pass, by the compiled kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels
from fiducial.kernels.detrend_steps import (
    Detrended,
    Detrending,
    Float32,
    Linearity,
    MasterPlanes,
    NanMark,
    Pixels,
)
from fiducial.kernels.raw import RAW_TYPES

type Float64 = npt.NDArray[np.float64]

_TYPES = {dtype: code for code, dtype in enumerate(RAW_TYPES)}
_UNSIGNED = 32768  # BZERO of 16-bit pixels without sign


def inverse_of(flat: Float32, minimum: float) -> Float32:
    """``1 / flat``; NaN where the flat is not above the minimum, or not a number."""
    good = flat > np.float32(minimum)
    return np.divide(np.float32(1.0), flat, out=np.full(flat.shape, np.nan, np.float32), where=good)


def detrend_rows(
    raw: Pixels,
    steps: Detrending,
    masters: MasterPlanes,
    out: Detrended,
    *,
    zero: int = 0,
    threads: int = 1,
) -> None:
    r"""Detrend rows of one amplifier in one pass, each plane read once.

    With the signal S, in float32, operation by operation as written and without fused operations:

    .. math::

        S &= L\left((raw - row) - column\right) \cdot gain - bias \\
        V &= \max(S, 0) \cdot factor + row\ noise + column\ noise \\
        I &= (S - dark \cdot time) \cdot inverse \\
        V' &= V \cdot inverse^2 + \left((V_b + V_d\, time^2) + I^2 V_f\right) \cdot inverse^2

    The noise model is that of Janesick 2001, Scientific Charge-Coupled Devices, chapter 2.

    Parameters
    ----------
    raw : (ny, nx), of one of `RAW_TYPES` in any byte order
        As stored in the file; rows may lie anywhere, the columns of a row side by side.
    steps : Detrending
        What is done.
    masters : MasterPlanes
        Of the pixels ``out``; their mask has the type of that of ``out``.
    out : Detrended
        Where (ny, nx) image, variance and mask go; NaN pixels stay NaN, in the variance too. A variance is
        given if and only if ``steps`` have noise.
    zero : int
        Added to int16 pixels: BZERO, 0 or 32768 (they are uint16 then).
    threads : int
        Threads to use; no pixel depends on it.

    Raises
    ------
    ValueError
        Shapes do not agree, or bits do not fit the mask.
    TypeError
        A type is none that the kernel takes.
    """
    stored = _stored(raw, zero)
    _require_shapes(raw.shape, steps, masters, out)
    if raw.size == 0:
        return
    mask = out.mask.view(out.mask.dtype.newbyteorder("="))
    noise, linearity = steps.noise, steps.linearity or Linearity()
    _kernels.detrend_rows(
        *stored,
        _line(steps.row_level),
        _line(steps.column_level),
        _line(linearity.polynomial),
        _line(linearity.table),
        linearity.start,
        float(1.0 / linearity.step),
        float(np.float32(steps.gain)),
        steps.limits.suspect,
        steps.limits.saturation,
        steps.limits.suspect_bit,
        steps.limits.saturation_bit,
        steps.nan is not None,
        *_nan_bits(steps, mask.dtype),
        noise is not None and noise.factor is not None,
        1.0 if noise is None or noise.factor is None else float(np.float32(noise.factor)),
        None if noise is None else _line(noise.row),
        None if noise is None else _turned(noise.column, steps.flip_x),
        *masters.planes,
        float(np.float32(steps.time)),
        float(np.float32(steps.time**2)),
        _words(out.image),
        None if out.variance is None else _words(out.variance),
        mask,
        not out.image.dtype.isnative,
        not out.mask.dtype.isnative,
        steps.flip_x,
        steps.flip_y,
        threads,
    )


def row_medians(raw: Pixels, *, zero: int = 0, limit: float = np.inf) -> Float64:
    """Median of each row of raw pixels: the level that an overscan shows, row by row.

    Parameters
    ----------
    raw : (ny, nx), of one of `RAW_TYPES` in any byte order
        As stored in the file; the columns of a row side by side.
    zero : int
        As in `detrend_rows`.
    limit : float
        Pixels at or above it are passed over, as are those that are not finite.

    Returns
    -------
    (ny,) float64
        NaN where no pixel counts.
    """
    medians = np.full(raw.shape[0], np.nan)
    if raw.size:
        _kernels.row_medians(*_stored(raw, zero), limit, medians)
    return medians


def _stored(raw: Pixels, zero: int) -> tuple[npt.NDArray[np.uint8], int, int, bool, int]:
    """The rows as bytes, their length in pixels, type of the values, byte order and bits to turn over."""
    native = raw.dtype.newbyteorder("=")
    if native not in _TYPES:
        raise TypeError(f"raw pixels of {raw.dtype}, not of {', '.join(map(str, RAW_TYPES))}")
    if zero not in (0, _UNSIGNED) or (zero and native != np.int16):
        raise ValueError(f"{zero} cannot be added to raw pixels of {raw.dtype}")
    kind = _TYPES[np.dtype(np.uint16)] if zero else _TYPES[native]
    if raw.shape[1] == 1 or (raw.size and raw.strides[1] != raw.itemsize):
        raw = np.ascontiguousarray(raw)
    return raw.view(np.uint8), raw.shape[1], kind, not raw.dtype.isnative, 0x8000 if zero else 0


def _require_shapes(shape: tuple[int, ...], steps: Detrending, masters: MasterPlanes, out: Detrended) -> None:
    noise = steps.noise
    if (noise is None) != (out.variance is None):
        raise ValueError("there is a variance if and only if there is noise")
    lines = [(steps.row_level, 0), (steps.column_level, 1)]
    if noise is not None:
        lines += [(noise.row, 0), (noise.column, 1)]
    for line, axis in lines:
        if line is not None and line.shape != (shape[axis],):
            raise ValueError(f"levels or noise {line.shape} do not fit raw pixels {shape}")
    for plane in (*masters.planes, *out.planes):
        if plane is not None and plane.shape != shape:
            raise ValueError(f"a plane {plane.shape} does not fit raw pixels {shape}")
        if plane is not None and plane.size and shape[1] > 1 and plane.strides[1] != plane.itemsize:
            raise ValueError("the columns of a row of a plane do not lie side by side")
    if masters.mask is not None and masters.mask.dtype != out.mask.dtype.newbyteorder("="):
        raise TypeError(f"masks of {masters.mask.dtype} and {out.mask.dtype} are not of one type")


def _nan_bits(steps: Detrending, mask: np.dtype[Any]) -> tuple[int, int]:
    limits, nan = steps.limits, steps.nan or NanMark(0, 0)
    largest = np.iinfo(mask).max
    if max(limits.suspect_bit, limits.saturation_bit, nan.bit) > largest:
        raise ValueError(f"bits are beyond those of a mask of {mask}")
    return nan.bit, nan.explained & largest


def _turned(line: Float32 | None, flip: bool) -> Float32 | None:
    return _line(line[::-1] if line is not None and flip else line)


def _line(line: Float32 | None) -> Float32 | None:
    return None if line is None else np.ascontiguousarray(line, np.float32)


def _words(plane: Pixels) -> npt.NDArray[np.uint32]:
    if plane.dtype.newbyteorder("=") != np.float32:
        raise TypeError(f"image and variance are float32, not {plane.dtype}")
    return plane.view(np.uint32)
