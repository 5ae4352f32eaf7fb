"""The bytes of a FITS image as physical pixel values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.frames.structure import CardValue
from fiducial.kernels import turn_words

_BIG_ENDIAN = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How pixels are stored: ``physical = BZERO + BSCALE * stored``; ``BLANK`` marks no value."""

    bitpix: int
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None

    @classmethod
    def of(cls, cards: dict[str, CardValue], *, compressed: bool) -> PixelFormat:
        """Read it from the structural keywords of an HDU; what makes no sense counts as absent."""
        bitpix = int(cards["ZBITPIX" if compressed else "BITPIX"])
        blank = cards.get("BLANK", cards.get("ZBLANK") if compressed else None)
        return cls(
            bitpix,
            _number(cards.get("BSCALE"), 1.0) or 1.0,
            _number(cards.get("BZERO"), 0.0),
            int(blank) if isinstance(blank, int) and bitpix > 0 else None,
        )

    @property
    def stored(self) -> np.dtype[np.generic]:
        """The type in the file, big-endian."""
        return np.dtype(_BIG_ENDIAN[self.bitpix])

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of the physical values: uint16 and int32 stay what they are, else float32."""
        if self.blank is None and self.scale == 1.0:
            if self.bitpix == 16 and self.zero == 32768.0:
                return np.dtype(np.uint16)
            if self.bitpix == 32 and self.zero == 0.0:
                return np.dtype(np.int32)
        return np.dtype(np.float32)

    @property
    def integer_zero(self) -> int | None:
        """What is added to stored integers of 16 bits; None where they are none, or more is done to them."""
        whole = self.zero == int(self.zero) and abs(self.zero) <= 65536.0
        return (
            int(self.zero)
            if self.bitpix == 16 and self.scale == 1.0 and self.blank is None and whole
            else None
        )


def _number(value: CardValue | None, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return float(value)


def physical(stored: np.ndarray, form: PixelFormat) -> np.ndarray:
    """Turn stored values (any byte order) into native physical values.

    Parameters
    ----------
    stored
        Values as the file has them. The array is not needed afterwards: where the type allows it,
        its memory is used for the answer.
    form
        How they are stored.

    Returns
    -------
    ndarray
        Of `PixelFormat.dtype`. Pixels equal to BLANK are NaN.
    """
    if form.dtype == np.uint16:
        native = np.ascontiguousarray(stored).view(np.uint16)
        turn_words(native, swap=not stored.dtype.isnative, flip=0x8000)
        return native
    if form.dtype == np.int32:
        return _native(stored)
    if form.blank is None and (form.scale, form.zero) == (1.0, 0.0) and form.bitpix in (8, 16, -32):
        return stored.astype(np.float32)  # exact
    values = stored.astype(np.float64)
    if form.blank is not None:
        values[stored == form.blank] = np.nan
    with np.errstate(over="ignore", invalid="ignore"):
        values *= form.scale
        values += form.zero
        return values.astype(np.float32)


def _native(stored: np.ndarray) -> np.ndarray:
    if stored.dtype.isnative:
        return stored
    return stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
