"""Rows of pixels as they come out of a file, put into memory that is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.cameras.regions import Region
from fiducial.kernels import turn_words

if TYPE_CHECKING:
    from fiducial.frames.sources import Source
    from fiducial.frames.tiles import TileReader


@dataclass(frozen=True, slots=True)
class StoredRows(ABC):
    """The rows of one image of 16-bit integers; several threads may read them at once.

    ``dtype`` is that of the numbers, of either byte order, ``zero`` what is added to give the pixels, and
    ``shape`` rows and columns of the image.
    """

    dtype: np.dtype[np.generic]
    zero: int
    shape: tuple[int, int]

    def read(self, first: int, out: np.ndarray) -> None:
        """Fill memory with whole rows; each byte is moved once.

        Parameters
        ----------
        first
            The first of the rows.
        out : (rows, columns), C-contiguous, of ``dtype``
            Where they go.

        Raises
        ------
        ValueError
            The memory is of another shape or type, or there are no such rows.
        UnreadableFrame
            The bytes are not there, or a compressed tile is corrupt.
        """
        ny, nx = self.shape
        if out.ndim != 2 or out.shape[1] != nx or not 0 <= first <= ny - out.shape[0]:
            raise ValueError(
                f"memory of {out.shape} does not fit rows from {first} on of an image {self.shape}"
            )
        if out.dtype != self.dtype or not out.flags.c_contiguous:
            raise ValueError(
                f"pixels stored as {self.dtype} are not read into {out.dtype}, or not in one piece"
            )
        if out.size:
            self._fill(first, out)

    def read_pixels(self, first: int, out: np.ndarray) -> None:
        """Fill memory of native uint16 with the pixels of whole rows, turned where they are.

        Parameters
        ----------
        first, out
            As in `read`, but for the type.

        Raises
        ------
        ValueError, UnreadableFrame
            As in `read`; or the pixels are no unsigned 16-bit integers.
        """
        plain = self.zero == 32768
        if out.dtype != np.uint16 or not (plain or self.dtype == np.uint16):
            raise ValueError(f"pixels stored as {self.dtype} + {self.zero} are not read into {out.dtype}")
        self.read(first, out.view(self.dtype))
        turn_words(out, swap=not self.dtype.isnative, flip=0x8000 if plain else 0)

    @abstractmethod
    def _fill(self, first: int, out: np.ndarray) -> None: ...


@dataclass(frozen=True, slots=True)
class PlainRows(StoredRows):
    """Of an image as the file has it."""

    source: Source
    offset: int  # of the first row

    def _fill(self, first: int, out: np.ndarray) -> None:
        self.source.read_into(self.offset + first * self.shape[1] * self.dtype.itemsize, out)


@dataclass(frozen=True, slots=True)
class CompressedRows(StoredRows):
    """Of a tile-compressed image."""

    tiles: TileReader

    def _fill(self, first: int, out: np.ndarray) -> None:
        self.tiles.read(Region(0, self.shape[1], first, first + len(out)), out=out)
