"""Tile-compressed images: only the tiles that a region needs are read and decoded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fiducial.cameras.regions import Region
from fiducial.errors import UnreadableFrame
from fiducial.frames.complaints import naming
from fiducial.frames.pixels import PixelFormat, physical
from fiducial.frames.sources import Source
from fiducial.frames.structure import Hdu
from fiducial.frames.tile_bytes import BadTile
from fiducial.frames.tile_codec import BY_LIBRARY, FAULTS, RICE, VALUES, WORDS, TileCodec
from fiducial.frames.tile_table import HeapColumn, Spans, TileTable
from fiducial.kernels.tiles import rice_tiles

_ZERO_OF_UNSIGNED = 0x8000


class TileReader:
    """Reads regions of one compressed image; several threads may do so at once.

    Rice, gzip and uncompressed tiles are decoded here, each checked to the byte, also those of quantised
    floats; HCOMPRESS and PLIO are left to the FITS library: see `fiducial.frames.tiles_by_library`.

    Parameters
    ----------
    source, path
        The bytes, and how errors call them.
    hdu
        The table that holds the image. Its keywords are checked here; the descriptors of the tiles
        when the first is read, and the tiles themselves when they are read.
    """

    def __init__(self, source: Source, path: str, hdu: Hdu) -> None:
        self._path = path
        self._hdu = hdu
        with naming(path, hdu.label, "the compressed image"):
            self._table = table = TileTable(source, path, hdu)
            self.ny, self.nx = hdu.image_shape[-2:]
            self.tile_x = min(table.integer("ZTILE1", self.nx), self.nx)
            self.tile_y = min(table.integer("ZTILE2", 1), self.ny)
            self._form = PixelFormat.of(hdu.cards, compressed=True)
        if min(self.tile_x, self.tile_y) < 1:
            raise table.corrupt(f"its tiles are {self.tile_x} x {self.tile_y} pixels", "ZTILE1")
        self._tiles_x = -(-self.nx // self.tile_x)
        tiles = self._tiles_x * -(-self.ny // self.tile_y)
        if table.rows != tiles:
            raise table.corrupt(f"the table has {table.rows} rows for {tiles} tiles", "NAXIS2")
        self._codec = TileCodec(table, hdu)
        data = table.column("COMPRESSED_DATA")
        if data is None:
            raise table.corrupt("its table has no column of compressed data", "TTYPE1")
        self._data: HeapColumn = data

    def read(self, region: Region, threads: int = 1, out: np.ndarray | None = None) -> np.ndarray:
        """The physical values of a region that is not empty: native byte order, writeable.

        Unsigned 16-bit integers are put into ``out``, if given.
        """
        rows = range(region.y0 // self.tile_y, -(-region.y1 // self.tile_y))
        columns = range(region.x0 // self.tile_x, -(-region.x1 // self.tile_x))
        if self._codec.method in BY_LIBRARY:
            return _into(out, self._library(region, rows, columns))
        tiles = (np.asarray(rows)[:, np.newaxis] * self._tiles_x + np.asarray(columns)).ravel()
        spans = self._table.spans(self._data).of(tiles)
        if self._codec.method in RICE and not self._codec.quantised and bool((spans.lengths > 0).all()):
            return self._rice(region, tiles, spans, threads, out)
        heap, offsets = self._table.fetch(spans)
        stored = np.empty(region.shape, self._form.stored.newbyteorder("="))

        def place(i: int) -> None:
            data = heap[offsets[i] : offsets[i] + spans.lengths[i]]
            self._place(int(tiles[i]), data, region, stored)

        if threads == 1:
            for i in range(len(tiles)):
                place(i)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(place, range(len(tiles)), chunksize=1))
        return _into(out, physical(stored, self._form))

    def _rice(
        self, region: Region, tiles: np.ndarray, spans: Spans, threads: int, wanted: np.ndarray | None
    ) -> np.ndarray:
        """All tiles of a region at once."""
        codec = self._codec
        heap, offsets = self._table.fetch(spans)
        # The unsigned integers of raw frames leave the decoder as they are meant.
        unsigned = self._form.dtype == np.uint16 and codec.word == 2
        out = np.empty(region.shape, WORDS[codec.word]) if wanted is None or not unsigned else wanted
        fault = rice_tiles(
            heap,
            offsets,
            spans.lengths,
            out,
            image=(self.ny, self.nx),
            tile=(self.tile_y, self.tile_x),
            corner=(region.y0, region.x0),
            block=codec.block,
            zero=_ZERO_OF_UNSIGNED if unsigned else 0,
            threads=threads,
        )
        if fault is not None:
            raise self._bad(int(tiles[fault[0]]), FAULTS[fault[1]])
        if unsigned:
            return out
        values = out.view(VALUES[codec.word])
        stored = values.astype(self._form.stored.newbyteorder("="), copy=False)
        return _into(wanted, physical(stored, self._form))

    def _place(self, tile: int, data: np.ndarray, region: Region, out: np.ndarray) -> None:
        """Decode one tile and put what is wanted of it into the stored values of a region."""
        box = self._box(tile)
        try:
            values = self._codec.decode(tile, data, box.shape[0] * box.shape[1]).reshape(box.shape)
        except BadTile as error:
            raise self._bad(tile, str(error)) from error
        x0, x1 = max(box.x0, region.x0), min(box.x1, region.x1)
        y0, y1 = max(box.y0, region.y0), min(box.y1, region.y1)
        part = values[y0 - box.y0 : y1 - box.y0, x0 - box.x0 : x1 - box.x0]
        out[y0 - region.y0 : y1 - region.y0, x0 - region.x0 : x1 - region.x0] = part

    def _library(self, region: Region, rows: range, columns: range) -> np.ndarray:
        from fiducial.frames.tiles_by_library import decode_by_library  # rare, and long to import

        if "ZQUANTIZ" in self._hdu.cards:  # dithering counts tiles: leave none out of a row
            columns = range(self._tiles_x)
        tiles = np.asarray(rows)[:, np.newaxis] * self._tiles_x + np.asarray(columns)
        y0, x0 = rows.start * self.tile_y, columns.start * self.tile_x
        shape = min(rows.stop * self.tile_y, self.ny) - y0, min(columns.stop * self.tile_x, self.nx) - x0
        try:
            values = decode_by_library(self._table, self._hdu, tiles, shape, (self.tile_y, self.tile_x))
        except BadTile:
            self._find_bad_tile(tiles)
            raise self._bad(int(tiles.flat[0]), "cannot be decoded with those after it") from None
        wanted = values[region.y0 - y0 : region.y1 - y0, region.x0 - x0 : region.x1 - x0]
        return physical(wanted.copy(), self._form)

    def _find_bad_tile(self, tiles: np.ndarray) -> None:
        """Decode tiles one by one to name the one that is bad."""
        from fiducial.frames.tiles_by_library import decode_by_library

        for tile in tiles.ravel().tolist():
            shape = self._box(tile).shape
            try:
                decode_by_library(self._table, self._hdu, np.array([[tile]]), shape, shape)
            except BadTile as error:
                raise self._bad(tile, str(error)) from error

    def _box(self, tile: int) -> Region:
        """The pixels of a tile."""
        y, x = tile // self._tiles_x * self.tile_y, tile % self._tiles_x * self.tile_x
        return Region(x, min(x + self.tile_x, self.nx), y, min(y + self.tile_y, self.ny))

    def _bad(self, tile: int, why: str) -> UnreadableFrame:
        return self._table.corrupt(f"tile {tile + 1} of {self._table.rows}, pixels {self._box(tile)}, {why}")


def _into(out: np.ndarray | None, values: np.ndarray) -> np.ndarray:
    if out is None:
        return values
    out[:] = values
    return out
