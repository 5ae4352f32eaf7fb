"""Compressed tiles of images, decoded by the compiled kernels."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels

type Bytes = npt.NDArray[np.uint8]
type Int64 = npt.NDArray[np.int64]
type Word = np.uint8 | np.uint16 | np.uint32

LARGEST_BLOCK = 65536


class TileFault(IntEnum):
    """Why the bytes of a tile are not the pixels that it should hold."""

    TRUNCATED = 1
    OVERLONG = 2
    CORRUPT = 3


def rice_tiles(
    heap: Bytes,
    offsets: Int64,
    lengths: Int64,
    out: npt.NDArray[Word],
    *,
    image: tuple[int, int],
    tile: tuple[int, int],
    corner: tuple[int, int] = (0, 0),
    block: int = 32,
    zero: int = 0,
    threads: int = 1,
) -> tuple[int, TileFault] | None:
    """Decode Rice-compressed tiles (FITS standard 4.0, section 10.4.1) into a part of their image.

    Whatever the bytes are, nothing outside the tiles' spans is read and nothing outside ``out`` written.

    Parameters
    ----------
    heap : (bytes,) uint8
        Where the tiles' bytes are.
    offsets, lengths : (tiles,) int64
        The span of each tile that the wanted part touches, row by row.
    out : (rows, columns) uint8, uint16 or uint32, C-contiguous
        Filled with the part of the image that begins at ``corner``; its type is that of ``BYTEPIX`` 1, 2
        or 4, of signed numbers the two's complement. Undefined if a tile has a fault.
    image, tile : (rows, columns)
        Shapes of the whole image and of a tile; tiles at the far edges are smaller.
    corner : (row, column)
        Where in the image ``out`` begins.
    block : int
        Pixels coded together: ``BLOCKSIZE``.
    zero : int
        Added to every value, modulo the range of its type: BZERO of unsigned integers.
    threads : int
        Threads to use; neither the pixels nor the fault depend on it.

    Returns
    -------
    (index, fault) or None
        The first tile in the list that cannot be decoded, and why; None if all could.

    Raises
    ------
    ValueError
        Shapes do not agree, or a span reaches beyond the heap.
    """
    if min(*image, *tile) < 1 or not 1 <= block <= LARGEST_BLOCK:
        raise ValueError(f"an image {image} in tiles {tile} of blocks of {block} pixels has none")
    if out.ndim != 2 or not all(
        begin >= 0 and 0 < wanted <= size - begin
        for begin, wanted, size in zip(corner, out.shape, image, strict=True)
    ):
        raise ValueError(f"{out.shape} pixels from {corner} on are not within an image {image}")
    tile = (min(tile[0], image[0]), min(tile[1], image[1]))
    tiles = math.prod(
        -(-(begin + wanted) // size) - begin // size
        for begin, wanted, size in zip(corner, out.shape, tile, strict=True)
    )
    if offsets.shape != (tiles,) or lengths.shape != (tiles,):
        raise ValueError(f"{offsets.shape} offsets and {lengths.shape} lengths are given for {tiles} tiles")
    if np.any((offsets < 0) | (lengths < 0) | (lengths > heap.size) | (offsets > heap.size - lengths)):
        raise ValueError(f"a tile is not within the {heap.size} bytes given")
    fault = _kernels.rice_tiles(heap, offsets, lengths, out, image, tile, corner, block, zero, threads)
    return None if fault is None else (fault[0], TileFault(fault[1]))


def rice_encode(
    image: npt.NDArray[Word],
    *,
    tile: tuple[int, int],
    block: int = 32,
    zero: int = 0,
    threads: int = 1,
) -> tuple[Bytes, Int64]:
    """Rice-code an image tile by tile (FITS standard 4.0, section 10.4.1), without loss.

    The low bits of each block of pixels are the number of them that makes it shortest.

    Parameters
    ----------
    image : (rows, columns) uint8, uint16 or uint32, C-contiguous
        Pixels; of signed numbers the two's complement.
    tile : (rows, columns)
        Shape of a tile; those at the far edges are smaller.
    block : int
        Pixels coded together, ``BLOCKSIZE``: 16 or 32 if other programs are to read it.
    zero : int
        Subtracted from every value, modulo the range of its type: BZERO of unsigned integers.
    threads : int
        Threads to use; the bytes do not depend on it.

    Returns
    -------
    heap : (bytes,) uint8
        The bytes of the tiles one after the other, row by row of tiles.
    lengths : (tiles,) int64
        The bytes of each.

    Raises
    ------
    ValueError
        There is no pixel, or no such tile or block.
    """
    if image.ndim != 2 or image.size == 0 or min(tile) < 1 or not 1 <= block <= LARGEST_BLOCK:
        raise ValueError(f"{image.shape} pixels cannot be coded in tiles {tile} of blocks of {block}")
    tile = (min(tile[0], image.shape[0]), min(tile[1], image.shape[1]))
    return _kernels.rice_encode(image, tile, block, zero, threads)
