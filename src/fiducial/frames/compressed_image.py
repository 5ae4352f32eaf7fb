"""Images written tile by tile compressed, without loss, as other FITS programs read them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fiducial.frames.atomic import atomic_write
from fiducial.frames.structure import BLOCK, CARD
from fiducial.kernels.tiles import rice_encode

_TILE_BYTES = 1 << 19  # long enough for deflate to learn, short enough to read a part of an image
_RICE_BLOCK = 32
_GZIP = zlib.MAX_WBITS + 16  # a stream with gzip's header, which FITS asks for
_LARGEST_HEAP = 1 << 31  # bytes that descriptors of 32 bits reach
_ZEROS = {"u2": 1 << 15, "u4": 1 << 31}  # BZERO of numbers without sign


def _find_deflate() -> Callable[[Any, int, int], bytes]:
    try:  # Intel's: ten times as fast as zlib's, and its result no larger
        from isal import isal_zlib
    except ImportError:  # on machines that it is not made for
        return zlib.compress
    found: Callable[[Any, int, int], bytes] = isal_zlib.compress
    return found


_deflate = _find_deflate()


@dataclass(frozen=True, slots=True, eq=False)
class CompressedHdu:
    """A table that holds a compressed image, ready to be written.

    Attributes
    ----------
    header : bytes
        Whole blocks.
    table : bytes
        Where in the heap each tile is.
    tiles : list of buffers
        The heap.
    """

    header: bytes
    table: bytes
    tiles: list[Any]

    @property
    def size(self) -> int:
        """Bytes in the file."""
        size = len(self.table) + sum(len(tile) for tile in self.tiles)
        return len(self.header) + size + -size % BLOCK

    def write(self, file: BinaryIO) -> None:
        """Write it at the end of a file."""
        file.write(self.header)
        file.write(self.table)
        file.writelines(self.tiles)
        file.write(bytes(-(len(self.table) + sum(map(len, self.tiles))) % BLOCK))


def compress_image(
    image: NDArray[Any], *, name: str = "", cards: Sequence[str] = (), threads: int = 1
) -> CompressedHdu:
    """Compress an image without loss (FITS standard 4.0, section 10).

    Integers are Rice-coded (RICE_1, section 10.4.1); of floating-point numbers the first bytes of a tile's
    pixels, then all second ones and so on are deflated (GZIP_2, section 10.4.2), so that every bit comes
    back, those of NaN too. An image without pixels becomes one that is not compressed.

    Parameters
    ----------
    image : (rows, columns) uint8, int16, uint16, int32, uint32, float32 or float64
        In any byte order.
    name : str
        EXTNAME.
    cards : sequence of str
        Further cards, at most 80 characters each.
    threads : int
        Threads that compress; no byte depends on it.

    Raises
    ------
    TypeError
        FITS, or what is written here, has no such pixels.
    ValueError
        It is no image of two axes.
    """
    kind = image.dtype.newbyteorder("=")
    if kind.kind == "b":
        image, kind = image.view(np.uint8), np.dtype(np.uint8)
    if kind.str[1:] not in ("u1", "i2", "u2", "i4", "u4", "f4", "f8"):
        raise TypeError(f"pixels of {image.dtype} are not compressed")
    if image.ndim != 2:
        raise ValueError(f"an image of {image.ndim} axes has no rows and columns")
    native = np.ascontiguousarray(image, kind)
    bits = kind.itemsize * (-8 if kind.kind == "f" else 8)
    zero = _ZEROS.get(kind.str[1:], 0)
    scaled = [_card("BZERO", zero), _card("BSCALE", 1)] if zero else []
    named = [f"EXTNAME = '{name:<8}'"] if name else []
    if image.size == 0:
        return CompressedHdu(_header([*_plain_cards(image.shape, bits), *named, *scaled, *cards]), b"", [])
    rows = min(max(1, _TILE_BYTES // (native.shape[1] * kind.itemsize)), native.shape[0])
    tiles = _deflated(native, rows, threads) if bits < 0 else _rice_coded(native, rows, zero, threads)
    lengths = np.array([len(tile) for tile in tiles], np.int64)
    wide = int(lengths.sum()) >= _LARGEST_HEAP
    spans = np.stack([lengths, np.cumsum(lengths) - lengths], axis=1)
    table = spans.astype(">i8" if wide else ">i4").tobytes()
    text = [
        *_table_cards(lengths, wide),
        *_tile_cards(native.shape, bits, rows),
        *named,
        *scaled,
        *cards,
    ]
    return CompressedHdu(_header(text), table, tiles)


def write_compressed(path: str | Path, images: Mapping[str, NDArray[Any]], *, threads: int = 1) -> None:
    """Write a file of compressed images, one extension for each name, whole or not at all.

    Parameters
    ----------
    path
        Of the file; what stands there is replaced.
    images
        By EXTNAME, as `compress_image` takes them.
    threads
        As there.

    Raises
    ------
    StorageError
        There is no room, or no permission.
    """
    primary = _header([_card("SIMPLE", "T"), _card("BITPIX", 8), _card("NAXIS", 0), _card("EXTEND", "T")])
    with atomic_write(path) as unfinished, open(unfinished, "wb") as file:
        file.write(primary)
        for name, image in images.items():
            compress_image(image, name=name, threads=threads).write(file)


def _deflated(image: NDArray[Any], rows: int, threads: int) -> list[bytes]:
    """The tiles of an image of floats, their bytes sorted by weight and deflated."""
    size = image.itemsize
    words = image.view(f"u{size}")

    def deflate(first: int) -> bytes:
        tile = words[first : first + rows].ravel()
        planes, shifted = np.empty((size, tile.size), np.uint8), np.empty_like(tile)
        for k in range(size):
            np.right_shift(tile, tile.dtype.type(8 * (size - 1 - k)), out=shifted)
            planes[k] = shifted  # the low byte
        return _deflate(planes, 1, _GZIP)

    firsts = range(0, image.shape[0], rows)
    if threads <= 1 or len(firsts) == 1:
        return [deflate(first) for first in firsts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(deflate, firsts))


def _rice_coded(image: NDArray[Any], rows: int, zero: int, threads: int) -> list[memoryview]:
    words = image.view(f"u{image.itemsize}")
    tile = (rows, image.shape[1])
    heap, lengths = rice_encode(words, tile=tile, block=_RICE_BLOCK, zero=zero, threads=threads)
    ends = np.cumsum(lengths)
    bytes_of_all = memoryview(heap)
    return [bytes_of_all[end - n : end] for end, n in zip(ends.tolist(), lengths.tolist(), strict=True)]


def _plain_cards(shape: tuple[int, ...], bits: int) -> list[str]:
    axes = [_card("NAXIS", 2), _card("NAXIS1", shape[1]), _card("NAXIS2", shape[0])]
    head = ["XTENSION= 'IMAGE   '", _card("BITPIX", bits)]
    return [*head, *axes, _card("PCOUNT", 0), _card("GCOUNT", 1)]


def _table_cards(lengths: NDArray[np.int64], wide: bool) -> list[str]:
    form = f"1{'Q' if wide else 'P'}B({lengths.max()})"
    return [
        "XTENSION= 'BINTABLE'",
        _card("BITPIX", 8),
        _card("NAXIS", 2),
        _card("NAXIS1", 16 if wide else 8),
        _card("NAXIS2", lengths.size),
        _card("PCOUNT", int(lengths.sum())),
        _card("GCOUNT", 1),
        _card("TFIELDS", 1),
        "TTYPE1  = 'COMPRESSED_DATA'",
        f"TFORM1  = '{form:<8}'",
    ]


def _tile_cards(shape: tuple[int, ...], bits: int, rows: int) -> list[str]:
    text = [_card("ZIMAGE", "T"), _card("ZBITPIX", bits), _card("ZNAXIS", 2)]
    text += [_card("ZNAXIS1", shape[1]), _card("ZNAXIS2", shape[0])]
    text += [_card("ZTILE1", shape[1]), _card("ZTILE2", rows)]
    if bits < 0:
        return [*text, "ZCMPTYPE= 'GZIP_2  '", "ZQUANTIZ= 'NONE    '"]
    text += ["ZCMPTYPE= 'RICE_1  '", "ZNAME1  = 'BLOCKSIZE'", _card("ZVAL1", _RICE_BLOCK)]
    return [*text, "ZNAME2  = 'BYTEPIX '", _card("ZVAL2", bits // 8)]


def _card(keyword: str, value: int | str) -> str:
    return f"{keyword:<8}= {value:>20}"


def _header(cards: Sequence[str]) -> bytes:
    text = "".join(card.ljust(CARD) for card in [*cards, "END"])
    if len(text) != CARD * (len(cards) + 1):
        raise ValueError("a card is longer than 80 characters")
    return text.ljust(len(text) + -len(text) % BLOCK).encode("ascii")
