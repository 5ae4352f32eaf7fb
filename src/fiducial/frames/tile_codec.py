"""How the tiles of one image are coded, and the decoding of a single tile."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property

import numpy as np

from fiducial.frames.pixels import PixelFormat
from fiducial.frames.quantised import DITHERS, restore
from fiducial.frames.structure import Hdu
from fiducial.frames.tile_bytes import BadTile, plain_tile, unzip_tile
from fiducial.frames.tile_table import TileTable
from fiducial.kernels.tiles import LARGEST_BLOCK, TileFault, rice_tiles

RICE = ("RICE_1", "RICE_ONE")
BY_LIBRARY = ("PLIO_1", "HCOMPRESS_1")
KNOWN = (*RICE, "GZIP_1", "GZIP_2", "NOCOMPRESS", *BY_LIBRARY)
WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32}
VALUES = {1: np.uint8, 2: np.int16, 4: np.int32}
FAULTS = {
    TileFault.TRUNCATED: "ends before its last pixel",
    TileFault.OVERLONG: "goes on after its last pixel",
    TileFault.CORRUPT: "holds a code that no pixel has",
}


class TileCodec:
    """The compression of one image, by its keywords.

    Parameters
    ----------
    table, hdu
        The table of the image and its keywords; what makes no sense is an `UnreadableFrame`.
    """

    def __init__(self, table: TileTable, hdu: Hdu) -> None:
        self._table = table
        self._cards = hdu.cards
        self._stored = PixelFormat.of(hdu.cards, compressed=True).stored
        self.method = str(hdu.cards.get("ZCMPTYPE")).strip()
        if self.method not in KNOWN:
            raise table.corrupt(f"it is compressed by {hdu.cards.get('ZCMPTYPE')!r}", "ZCMPTYPE")
        if self.method in RICE:
            self.block = self._parameter("BLOCKSIZE", 32, range(1, LARGEST_BLOCK + 1))
            self.word = self._parameter("BYTEPIX", 4, WORDS)
        self._dither = str(hdu.cards.get("ZQUANTIZ", DITHERS[0])).strip()
        scaled = table.has("ZSCALE") or "ZSCALE" in hdu.cards
        self.quantised = self._stored.kind == "f" and scaled
        if scaled and self._stored.kind != "f":
            raise table.corrupt("its integers are scaled tile by tile, which only floats may be", "ZSCALE")
        if table.has("ZBLANK") and not self.quantised:
            raise table.corrupt("its tiles have blanks of their own, which only scaled ones may", "ZBLANK")
        if self._stored.kind == "f" and self.method in RICE and not scaled:
            raise table.corrupt("its floats are coded as integers, and their scale is missing", "ZSCALE")
        if self.quantised and self._dither not in (*DITHERS, "NONE"):
            raise table.corrupt(f"its floats were quantised by {self._dither!r}", "ZQUANTIZ")

    def decode(self, tile: int, data: np.ndarray, count: int) -> np.ndarray:
        """The stored values of one tile, floats as they were before they were quantised.

        Parameters
        ----------
        tile
            Its number, from 0.
        data
            Its compressed bytes, uint8. What did not compress has none: it is in another column.
        count
            Its pixels.

        Returns
        -------
        (count,) ndarray
            Of any byte order and width. Blank pixels of quantised floats are NaN.

        Raises
        ------
        BadTile
            The bytes are not those of so many pixels.
        """
        if data.size == 0:
            data, method = self._uncompressed(tile)
            return self._unpack(method, data, self._stored, count)
        if not self.quantised:
            return self._unpack(self.method, data, self._stored, count)
        integers = self._unpack(self.method, data, np.dtype(">i4"), count)
        scales, zeros, blanks = self._scaling
        return restore(
            integers,
            float(scales[tile]),
            float(zeros[tile]),
            blank=None if blanks is None else int(blanks[tile]),
            method=self._dither if self._dither in DITHERS else DITHERS[0],
            start=tile + self._integer("ZDITHER0", 1) - 1,
        )

    def _unpack(self, method: str, data: np.ndarray, stored: np.dtype[np.generic], count: int) -> np.ndarray:
        if method == "NOCOMPRESS":
            return plain_tile(data, stored, count)
        if method not in RICE:
            return unzip_tile(data, stored, count, shuffled=method == "GZIP_2")
        shape = (1, count)
        out = np.empty(shape, WORDS[self.word])
        offset, length = np.zeros(1, np.int64), np.array([data.size])
        fault = rice_tiles(data, offset, length, out, image=shape, tile=shape, block=self.block)
        if fault is not None:
            raise BadTile(FAULTS[fault[1]])
        values: np.ndarray = out[0].view(VALUES[self.word])
        return values

    def _uncompressed(self, tile: int) -> tuple[np.ndarray, str]:
        """The bytes of a tile that the method of the image did not compress, and how they are stored."""
        for name, method in (("GZIP_COMPRESSED_DATA", "GZIP_1"), ("UNCOMPRESSED_DATA", "NOCOMPRESS")):
            column = self._table.column(name)
            if column is not None:
                spans = self._table.spans(column).of(np.array([tile]))
                if spans.lengths[0] > 0:
                    return self._table.fetch(spans)[0], method
        raise BadTile("has no bytes")

    @cached_property
    def _scaling(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Scale, zero and blank of each tile: from the columns, else from the keywords."""
        found = {}
        for name in ("ZSCALE", "ZZERO", "ZBLANK"):
            column = self._table.numbers(name)
            value = self._cards.get(name, self._cards.get("BLANK") if name == "ZBLANK" else None)
            if column is None and isinstance(value, int | float):
                column = np.full(self._table.rows, value)
            found[name] = column
        scale, zero, blank = found.values()
        if blank is not None and blank.dtype.kind not in "iu":
            raise self._table.corrupt("the blanks of its quantised floats are no integers", "ZBLANK")
        if scale is None or zero is None:
            raise self._table.corrupt("the scale of its quantised floats is missing", "ZZERO")
        return scale, zero, blank

    def _integer(self, keyword: str, default: int) -> int:
        value = self._cards.get(keyword, default)
        return value if isinstance(value, int) else default

    def _parameter(self, name: str, default: int, known: Container[int]) -> int:
        """A parameter of the compression, which the header gives as a pair of keywords."""
        cards = self._cards
        names = {str(value).strip(): key[5:] for key, value in cards.items() if key.startswith("ZNAME")}
        keyword = f"ZVAL{names[name]}" if name in names else name
        value = cards.get(keyword, default)
        if isinstance(value, bool) or not isinstance(value, int) or value not in known:
            raise self._table.corrupt(f"{name} is {value!r}", keyword)
        return value
