"""Single compressed tiles that are gzip streams or plain pixels, decoded."""

from __future__ import annotations

import zlib

import numpy as np

_ANY_WRAPPING = 47  # gzip, or the bare zlib stream of some writers
_INTEGERS = {1: "u1", 2: ">i2", 4: ">i4", 8: ">i8"}


class BadTile(Exception):
    """The bytes of one tile are not its pixels; the message completes "the tile ..."."""


def unzip_tile(data: np.ndarray, stored: np.dtype[np.generic], count: int, *, shuffled: bool) -> np.ndarray:
    """The pixels of a GZIP_1 tile, or of a GZIP_2 tile (``shuffled``).

    Parameters
    ----------
    data
        The compressed bytes, uint8.
    stored
        The type of the image's pixels, big-endian.
    count
        How many pixels the tile has.
    shuffled
        Whether all first bytes of the pixels stand before all second bytes, and so on.

    Returns
    -------
    (count,) ndarray
        Big-endian, not writeable. Some writers store integers wider than ``stored``.

    Raises
    ------
    BadTile
        It is no gzip stream of that many pixels.
    """
    engine = zlib.decompressobj(_ANY_WRAPPING)
    try:
        plain = engine.decompress(data, 8 * count + 1)
    except zlib.error as error:
        raise BadTile(f"is no sound gzip stream ({error})") from error
    if not engine.eof:
        reason = "holds more than its pixels" if len(plain) > 8 * count else "ends before its last pixel"
        raise BadTile(reason)
    if not shuffled:
        return plain_tile(np.frombuffer(plain, np.uint8), stored, count)
    size = len(plain) // count
    if size * count != len(plain):
        raise BadTile(f"unpacks to {len(plain)} bytes, which are not {count} pixels")
    bytes_of_pixels = np.frombuffer(plain, np.uint8).reshape(size, count).T
    return plain_tile(np.ascontiguousarray(bytes_of_pixels).ravel(), stored, count)


def plain_tile(data: np.ndarray, stored: np.dtype[np.generic], count: int) -> np.ndarray:
    """The pixels of a tile that is not compressed; otherwise as `unzip_tile`."""
    if data.size == count * stored.itemsize:
        return data.view(stored)
    if stored.kind in "iu" and data.size % count == 0 and data.size // count in _INTEGERS:
        return data.view(_INTEGERS[data.size // count])
    raise BadTile(f"holds {data.size} bytes, which are not {count} pixels of {stored.itemsize}")
