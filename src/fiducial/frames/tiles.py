"""Tile-compressed images: only the tiles that a region needs are read and decoded.

The FITS library decodes whole tables. So a small table is built in memory from the wanted rows of
the real one and the bytes of their tiles (FITS standard 4.0, section 10.1), and that is decoded.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from fiducial.cameras.regions import Region
from fiducial.errors import UnreadableFrame
from fiducial.frames.complaints import naming
from fiducial.frames.sources import Source
from fiducial.frames.structure import BLOCK, CARD, CardValue, Hdu

_WIDTHS = {"L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_METHODS = ("RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS")
_KEPT = re.compile(
    r"TFIELDS|TTYPE\d+|TFORM\d+|TSCAL\d+|TZERO\d+|TNULL\d+|ZIMAGE|ZCMPTYPE|ZBITPIX|ZNAME\d+|ZVAL\d+"
    r"|ZQUANTIZ|ZBLANK|ZSCALE|ZZERO"
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of variable-length arrays: where its descriptor is in a row, and what it points to."""

    offset: int
    code: str  # P: two 32-bit integers, Q: two 64-bit ones
    item: int  # bytes of one element in the heap


class TileReader:
    """Reads regions of one compressed image.

    Parameters
    ----------
    source, path
        The bytes, and how errors call them.
    hdu
        The table that holds the image. Its keywords are checked here; the descriptors of the tiles
        and the tiles themselves when they are read.
    """

    def __init__(self, source: Source, path: str, hdu: Hdu) -> None:
        self._source = source
        self._path = path
        self._hdu = hdu
        with naming(path, hdu.label, "the compressed image"):
            self.ny, self.nx = hdu.image_shape[-2:]
            self.tile_x = self._integer("ZTILE1", self.nx)
            self.tile_y = self._integer("ZTILE2", 1)
            self._row_bytes = self._integer("NAXIS1")
            self._rows = self._integer("NAXIS2")
            self._heap = self._integer("PCOUNT")
            self._gap = self._integer("THEAP", self._row_bytes * self._rows) - self._row_bytes * self._rows
            self._columns = self._find_columns()
        self._tiles_x = -(-self.nx // max(self.tile_x, 1))
        tiles = self._tiles_x * -(-self.ny // max(self.tile_y, 1))
        if min(self.tile_x, self.tile_y) < 1 or self._rows != tiles or not self._columns or self._gap < 0:
            raise self._corrupt(f"the table has {self._rows} rows for {tiles} tiles", "NAXIS2")
        if str(hdu.cards.get("ZCMPTYPE")).strip() not in _METHODS:
            raise self._corrupt(f"it is compressed by {hdu.cards.get('ZCMPTYPE')!r}", "ZCMPTYPE")
        self._header = self._kept_cards()

    def read(self, region: Region) -> np.ndarray:
        """The stored (unscaled) values of a region, in native byte order."""
        ty = range(region.y0 // self.tile_y, -(-region.y1 // self.tile_y))
        tx = range(region.x0 // self.tile_x, -(-region.x1 // self.tile_x))
        if "ZQUANTIZ" in self._hdu.cards:  # dithering counts tiles: leave none out of a row
            tx = range(self._tiles_x)
        x0, y0 = tx.start * self.tile_x, ty.start * self.tile_y
        shape = (min(ty.stop * self.tile_y, self.ny) - y0, min(tx.stop * self.tile_x, self.nx) - x0)
        table, heap = self._collect(ty, tx)
        file = self._small_file(table, heap, shape, ty.start * self._tiles_x)
        what = f"a compressed tile in rows {region.y0} to {region.y1}"
        with (
            naming(self._path, self._hdu.label, what),
            fits.open(file, memmap=False, do_not_scale_image_data=True) as opened,
        ):
            values = np.asarray(opened[1].data).reshape(shape)
        return values[region.y0 - y0 : region.y1 - y0, region.x0 - x0 : region.x1 - x0].copy()

    def _collect(self, ty: range, tx: range) -> tuple[np.ndarray, bytes]:
        """Table rows of the wanted tiles, pointing into a heap of just their bytes."""
        start = self._hdu.data_offset
        first = ty.start * self._tiles_x
        count = len(ty) * self._tiles_x
        rows = self._source.read(start + first * self._row_bytes, count * self._row_bytes)
        grid = rows.reshape(len(ty), self._tiles_x, self._row_bytes)
        table = np.ascontiguousarray(grid[:, tx.start : tx.stop]).reshape(-1, self._row_bytes)
        heap = bytearray()
        for column in self._columns:
            width = ">i8" if column.code == "Q" else ">i4"
            end = column.offset + (16 if column.code == "Q" else 8)
            pairs = np.ascontiguousarray(table[:, column.offset : end]).view(width).astype(np.int64)
            lengths, offsets = pairs[:, 0] * column.item, pairs[:, 1]
            self._check_descriptors(lengths, offsets, first)
            used = lengths > 0
            if not used.any():
                continue
            low, high = int(offsets[used].min()), int((offsets + lengths)[used].max())
            base = start + self._row_bytes * self._rows + self._gap
            if high - low <= 2 * int(lengths.sum()) + BLOCK:
                placed = np.where(used, offsets - low, 0) + len(heap)
                heap += self._source.read(base + low, high - low).tobytes()
            else:  # scattered tiles
                placed = np.zeros_like(offsets)
                for i in np.flatnonzero(used):
                    placed[i] = len(heap)
                    heap += self._source.read(base + int(offsets[i]), int(lengths[i])).tobytes()
            new = np.stack([pairs[:, 0], placed], axis=1).astype(width)
            table[:, column.offset : end] = np.ascontiguousarray(new).view(np.uint8).reshape(len(table), -1)
        return table, bytes(heap)

    def _check_descriptors(self, lengths: np.ndarray, offsets: np.ndarray, first: int) -> None:
        room = self._heap - self._gap
        bad = (lengths < 0) | (offsets < 0) | (lengths > room) | (offsets > room - lengths)
        if bad.any():
            tile = first + int(np.flatnonzero(bad)[0])
            raise self._corrupt(f"tile {tile} points outside the file's compressed data", "PCOUNT")

    def _small_file(self, table: np.ndarray, heap: bytes, shape: tuple[int, int], first: int) -> io.BytesIO:
        sizes = {
            "BITPIX": 8,
            "NAXIS": 2,
            "NAXIS1": self._row_bytes,
            "NAXIS2": len(table),
            "PCOUNT": len(heap),
            "GCOUNT": 1,
            "ZNAXIS": 2,
            "ZNAXIS1": shape[1],
            "ZNAXIS2": shape[0],
            "ZTILE1": self.tile_x,
            "ZTILE2": self.tile_y,
        }
        dither = self._hdu.cards.get("ZDITHER0")
        if isinstance(dither, int):  # the seed of tile i is ZDITHER0 + i - 1, counted modulo 10,000
            sizes["ZDITHER0"] = (dither - 1 + first) % 10000 + 1
        cards = "XTENSION= 'BINTABLE'".ljust(CARD)
        cards += "".join(f"{key:<8}= {value:>20}".ljust(CARD) for key, value in sizes.items())
        header = _padded((cards + self._header + "END".ljust(CARD)).encode("ascii"), b" ")
        primary = "SIMPLE  =                    T".ljust(CARD) + "BITPIX  =                    8".ljust(CARD)
        primary += "NAXIS   =                    0".ljust(CARD) + "END".ljust(CARD)
        data = _padded(table.tobytes() + heap, b"\0")
        return io.BytesIO(_padded(primary.encode("ascii"), b" ") + header + data)

    def _kept_cards(self) -> str:
        kept = {key: value for key, value in self._hdu.cards.items() if _KEPT.fullmatch(key)}
        return "".join(f"{key:<8}= {_card_text(value)}".ljust(CARD) for key, value in kept.items())

    def _find_columns(self) -> tuple[_Column, ...]:
        columns = []
        offset = 0
        for i in range(1, self._integer("TFIELDS") + 1):
            form = str(self._hdu.cards[f"TFORM{i}"]).strip()
            match = re.match(r"(\d*)([LBAIJKEDCMPQX])([LBAIJKEDCM]?)", form)
            if match is None:
                raise ValueError(f"TFORM{i} = {form!r}")
            repeat = int(match[1] or 1)
            if match[2] in "PQ" and repeat:
                columns.append(_Column(offset, match[2], _WIDTHS[match[3] or "B"]))
            offset += -(-repeat // 8) if match[2] == "X" else repeat * _WIDTHS[match[2]]
        if offset != self._row_bytes:
            raise ValueError(f"columns of {offset} bytes in rows of {self._row_bytes}")
        return tuple(columns)

    def _integer(self, keyword: str, default: int | None = None) -> int:
        value = self._hdu.cards.get(keyword, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{keyword} = {value!r}")
        return value

    def _corrupt(self, what: str, keyword: str) -> UnreadableFrame:
        return UnreadableFrame(
            f"{Path(self._path).name}: HDU {self._hdu.label} is corrupt: {what}",
            hint="Copy the file again from where it was taken.",
            file=self._path,
            hdu=self._hdu.label,
            keyword=keyword,
        )


def _card_text(value: CardValue) -> str:
    if isinstance(value, bool):
        return f"{'T' if value else 'F':>20}"
    if isinstance(value, str):
        escaped = value.replace("'", "''")
        return f"'{escaped:<8}'"
    return f"{value!r:>20}"


def _padded(data: bytes, fill: bytes) -> bytes:
    return data + fill * (-len(data) % BLOCK)
