"""What detrending needs to be told: the steps, the masters, and where the result goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.kernels.raw import Limits

type Pixels = npt.NDArray[Any]
type Float32 = npt.NDArray[np.float32]
type Mask = npt.NDArray[np.int32] | npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Linearity:
    """What makes counts proportional to light: added to ``x``, adu above the overscan's level.

    Attributes
    ----------
    polynomial : (terms,) float32, optional
        ``x**2 * (p[0] + p[1] x + p[2] x**2 + ...)``.
    table : (entries,) float32, optional
        Corrections at ``start``, ``start + step`` and so on, between two in proportion, beyond the ends
        that of the end; looked up for the result of the polynomial.
    start, step : float
        Of the table, adu.
    """

    polynomial: Float32 | None = None
    table: Float32 | None = None
    start: float = 0.0
    step: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """A pixel's own variance: ``max(signal, 0) * factor`` and that of its row and column.

    Attributes
    ----------
    row : (ny,) float32
        Read noise squared and what the row's level adds, rows in the order of the file.
    column : (nx,) float32, optional
        What the column's level adds, columns in the order of the file.
    factor : float, optional
        Variance per signal; None: the signal makes no noise.
    """

    row: Float32
    column: Float32 | None = None
    factor: float | None = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class MasterPlanes:
    """Master calibrations as the kernel uses them, all of one shape; None: not applied.

    Attributes
    ----------
    bias, dark : (ny, nx) float32
        Subtracted, the dark times the frame's time.
    inverse_flat : (ny, nx) float32
        Multiplied by: `inverse_of` a flat. NaN where the pixel has no response.
    bias_variance, dark_variance, flat_variance : (ny, nx) float32
        Of the masters; what a pixel gets from them is added to its own variance.
    mask : (ny, nx) int32 or uint8
        Bits that frames inherit.
    """

    bias: Float32 | None = None
    dark: Float32 | None = None
    inverse_flat: Float32 | None = None
    bias_variance: Float32 | None = None
    dark_variance: Float32 | None = None
    flat_variance: Float32 | None = None
    mask: Mask | None = None

    def within(self, where: tuple[slice, slice]) -> MasterPlanes:
        """The planes of a part of the detector (views)."""
        return MasterPlanes(*(None if plane is None else plane[where] for plane in self.planes))

    @property
    def planes(self) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
        """All of them, in the order of the attributes."""
        return (
            self.bias,
            self.dark,
            self.inverse_flat,
            self.bias_variance,
            self.dark_variance,
            self.flat_variance,
            self.mask,
        )


@dataclass(frozen=True, slots=True)
class NanMark:
    """Pixels that are not finite become NaN, with ``bit`` unless they have a bit of ``explained``."""

    bit: int
    explained: int


@dataclass(frozen=True, slots=True, eq=False)
class Detrending:
    """What is done to the rows of an amplifier, beside the masters.

    Attributes
    ----------
    row_level, column_level : (ny,) and (nx,) float32, optional
        Subtracted in this order, lines in the order of the file.
    linearity : Linearity, optional
        Applied after the levels.
    gain : float
        Multiplied by after that.
    limits : Limits
        Held against raw values.
    noise : Noise, optional
        None: no variance is made.
    time : float
        What the dark is multiplied by, s.
    nan : NanMark, optional
        None: pixels that are not finite stay as they are.
    flip_x, flip_y : bool
        Whether columns and rows come out in the other order.
    """

    row_level: Float32 | None = None
    column_level: Float32 | None = None
    linearity: Linearity | None = None
    gain: float = 1.0
    limits: Limits = field(default_factory=Limits)
    noise: Noise | None = None
    time: float = 0.0
    nan: NanMark | None = None
    flip_x: bool = False
    flip_y: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Detrended:
    """Image and variance (float32) and mask (int32 or uint8) of any byte order; memory that is written to."""

    image: Pixels
    variance: Pixels | None
    mask: Pixels

    def within(self, where: tuple[slice, slice]) -> Detrended:
        """The planes of a part of the detector (views)."""
        variance = None if self.variance is None else self.variance[where]
        return Detrended(self.image[where], variance, self.mask[where])

    @property
    def planes(self) -> tuple[Pixels, ...]:
        """Image, variance if there is one, and mask."""
        return (self.image, self.mask) if self.variance is None else (self.image, self.variance, self.mask)
