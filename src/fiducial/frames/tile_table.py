"""The table that holds a tile-compressed image: where the bytes of each tile are, and the bytes."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fiducial.errors import UnreadableFrame
from fiducial.frames.sources import Source
from fiducial.frames.structure import BLOCK, Hdu

_WIDTHS = {"L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
HINT = "Copy the file again from where it was taken."


@dataclass(frozen=True, slots=True)
class HeapColumn:
    """A column of variable-length arrays: where its descriptor is in a row, and what it points to."""

    name: str
    offset: int
    code: str  # P: two 32-bit integers, Q: two 64-bit ones
    item: int  # bytes of one element in the heap

    @property
    def width(self) -> int:
        """Bytes of a descriptor."""
        return 16 if self.code == "Q" else 8

    @property
    def integer(self) -> np.dtype[np.generic]:
        """The type of the two numbers of a descriptor, as the file has them."""
        return np.dtype(">i8" if self.code == "Q" else ">i4")


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the bytes of tiles are: offsets in the heap and lengths, int64 bytes, one for each tile."""

    offsets: np.ndarray
    lengths: np.ndarray

    def of(self, tiles: np.ndarray) -> Spans:
        """Those of some tiles."""
        return Spans(self.offsets[tiles], self.lengths[tiles])


class TileTable:
    """The rows and the heap of a compressed image's table (FITS standard 4.0, section 10.1).

    The rows are read once, when the first tile is wanted, and kept; the heap is read where it is wanted.

    Parameters
    ----------
    source, path
        The bytes, and how errors call them.
    hdu
        The table.

    Raises
    ------
    ValueError, KeyError
        Its keywords make no sense.
    """

    def __init__(self, source: Source, path: str, hdu: Hdu) -> None:
        self._source = source
        self._path = path
        self._hdu = hdu
        self.row_bytes = self.integer("NAXIS1")
        self.rows = self.integer("NAXIS2")
        body = self.row_bytes * self.rows
        start = self.integer("THEAP", body)
        if min(self.row_bytes, self.rows) < 1 or not body <= start <= body + self.integer("PCOUNT"):
            raise ValueError(f"THEAP = {start} after {self.rows} rows of {self.row_bytes} bytes")
        self._heap_offset = hdu.data_offset + start
        self._heap_bytes = self.integer("PCOUNT") - (start - body)
        self.heap_columns, self._fixed_columns = self._find_columns()
        self._lock = threading.Lock()
        self._grid: np.ndarray | None = None
        self._spans: dict[HeapColumn, Spans] = {}

    def row_data(self) -> np.ndarray:
        """The bytes of all rows: (rows, row_bytes) uint8; not to be changed."""
        with self._lock:
            if self._grid is None:
                data = self._source.read(self._hdu.data_offset, self.rows * self.row_bytes)
                self._grid = data.reshape(self.rows, self.row_bytes)
            return self._grid

    def spans(self, column: HeapColumn) -> Spans:
        """Where the bytes are that a column points to, found to lie within the heap."""
        found = self._spans.get(column)
        if found is None:
            descriptors = self.row_data()[:, column.offset : column.offset + column.width]
            pairs = np.ascontiguousarray(descriptors).view(column.integer).astype(np.int64)
            found = Spans(np.ascontiguousarray(pairs[:, 1]), pairs[:, 0] * column.item)
            self._check(pairs[:, 0], found)
            self._spans[column] = found
        return found

    def fetch(self, spans: Spans) -> tuple[np.ndarray, np.ndarray]:
        """The bytes of some tiles (uint8) and where in them each tile begins (int64).

        Neighbours in the heap are read at once, scattered tiles one by one.
        """
        used = spans.lengths > 0
        if not used.any():
            return np.empty(0, np.uint8), np.zeros_like(spans.offsets)
        low = int(spans.offsets[used].min())
        high = int((spans.offsets + spans.lengths)[used].max())
        if high - low <= 2 * int(spans.lengths.sum()) + BLOCK:
            return self._source.read(self._heap_offset + low, high - low), np.where(
                used, spans.offsets - low, 0
            )
        ends = np.cumsum(spans.lengths)
        heap = np.empty(int(ends[-1]), np.uint8)
        for i in np.flatnonzero(used):
            offset, length, end = int(spans.offsets[i]), int(spans.lengths[i]), int(ends[i])
            heap[end - length : end] = self._source.read(self._heap_offset + offset, length)
        return heap, ends - spans.lengths

    def column(self, name: str) -> HeapColumn | None:
        """The column of variable-length arrays of that name, if there is one."""
        return next((column for column in self.heap_columns if column.name == name), None)

    def has(self, name: str) -> bool:
        """Whether there is a column of single values of that name."""
        return name in self._fixed_columns

    def numbers(self, name: str) -> np.ndarray | None:
        """The values of a column of single numbers, one for each tile; None if there is no such column."""
        place = self._fixed_columns.get(name)
        if place is None:
            return None
        offset, code = place
        if code not in _NUMBERS:
            raise self.corrupt(f"{name} is no column of numbers", "TTYPE1")
        values = self.row_data()[:, offset : offset + _WIDTHS[code]]
        return np.ascontiguousarray(values).view(_NUMBERS[code])[:, 0]

    def integer(self, keyword: str, default: int | None = None) -> int:
        """The value of a keyword that must be an integer."""
        value = self._hdu.cards.get(keyword, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{keyword} = {value!r}")
        return value

    def corrupt(self, what: str, keyword: str = "") -> UnreadableFrame:
        """The error that says what is wrong with this image."""
        return UnreadableFrame(
            f"{Path(self._path).name}: HDU {self._hdu.label} is corrupt: {what}",
            hint=HINT,
            file=self._path,
            hdu=self._hdu.label,
            keyword=keyword,
        )

    def _check(self, counts: np.ndarray, spans: Spans) -> None:
        room = self._heap_bytes
        bad = (counts < 0) | (counts > room) | (spans.offsets < 0) | (spans.lengths > room)
        bad |= spans.offsets > room - spans.lengths
        if bad.any():
            tile = int(np.flatnonzero(bad)[0]) + 1
            raise self.corrupt(
                f"tile {tile} of {self.rows} points outside the file's compressed data", "PCOUNT"
            )

    def _find_columns(self) -> tuple[tuple[HeapColumn, ...], dict[str, tuple[int, str]]]:
        """The columns that point into the heap; where in a row the others are, and their type."""
        heap_columns = []
        fixed = {}
        offset = 0
        for i in range(1, self.integer("TFIELDS") + 1):
            form = str(self._hdu.cards[f"TFORM{i}"]).strip()
            match = re.match(r"(\d*)([LBAIJKEDCMPQX])([LBAIJKEDCM]?)", form)
            if match is None:
                raise ValueError(f"TFORM{i} = {form!r}")
            repeat = int(match[1] or 1)
            name = str(self._hdu.cards.get(f"TTYPE{i}", "")).strip().upper()
            if match[2] in "PQ" and repeat:
                heap_columns.append(HeapColumn(name, offset, match[2], _WIDTHS[match[3] or "B"]))
            elif repeat:
                fixed[name] = offset, match[2]
            offset += -(-repeat // 8) if match[2] == "X" else repeat * _WIDTHS[match[2]]
        if offset != self.row_bytes:
            raise ValueError(f"columns of {offset} bytes in rows of {self.row_bytes}")
        return tuple(heap_columns), fixed
