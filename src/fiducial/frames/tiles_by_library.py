"""Compressed tiles of the kinds that only the FITS library decodes: HCOMPRESS and PLIO.

The library decodes whole tables. So a small table is built in memory from the wanted rows of the real
one and the bytes of their tiles (FITS standard 4.0, section 10.1), and that is decoded.
"""

from __future__ import annotations

import re

import numpy as np

from fiducial.frames.decode_apart import decode_apart
from fiducial.frames.structure import BLOCK, CARD, CardValue, Hdu
from fiducial.frames.tile_bytes import BadTile
from fiducial.frames.tile_table import TileTable

_KEPT = re.compile(
    r"TFIELDS|TTYPE\d+|TFORM\d+|TSCAL\d+|TZERO\d+|TNULL\d+|ZIMAGE|ZCMPTYPE|ZBITPIX|ZNAME\d+|ZVAL\d+"
    r"|ZQUANTIZ|ZBLANK|ZSCALE|ZZERO"
)


def decode_by_library(
    table: TileTable, hdu: Hdu, tiles: np.ndarray, shape: tuple[int, int], tile_shape: tuple[int, int]
) -> np.ndarray:
    """The stored values of the image that some tiles make up.

    Parameters
    ----------
    table, hdu
        Where the tiles are, and the keywords of their image.
    tiles : (rows of tiles, tiles in a row) int64
        Their numbers, from 0; of a dithered image whole rows of tiles, for the dither counts them.
    shape, tile_shape
        Rows and columns of the image that they make up, and of a tile.

    Returns
    -------
    ndarray
        Values in native byte order.

    Raises
    ------
    BadTile
        The library cannot decode them; which of them it does not say.
    """
    rows = table.row_data()[tiles.ravel()]  # a copy
    heap = bytearray()
    for column in table.heap_columns:
        end = column.offset + column.width
        spans = table.spans(column).of(tiles.ravel())
        pairs = np.ascontiguousarray(rows[:, column.offset : end]).view(column.integer)
        data, placed = table.fetch(spans)
        pairs[:, 1] = placed + len(heap)
        rows[:, column.offset : end] = pairs.view(np.uint8)
        heap += data.tobytes()
    file = _small_file(hdu, rows, bytes(heap), shape, tile_shape, int(tiles.flat[0]))
    values = decode_apart(file, shape[0] * shape[1])
    if values.shape != shape:
        raise BadTile(f"gives {values.shape} pixels instead of {shape}")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _small_file(
    hdu: Hdu, rows: np.ndarray, heap: bytes, shape: tuple[int, int], tile_shape: tuple[int, int], first: int
) -> bytes:
    sizes = {
        "BITPIX": 8,
        "NAXIS": 2,
        "NAXIS1": rows.shape[1],
        "NAXIS2": rows.shape[0],
        "PCOUNT": len(heap),
        "GCOUNT": 1,
        "ZNAXIS": 2,
        "ZNAXIS1": shape[1],
        "ZNAXIS2": shape[0],
        "ZTILE1": tile_shape[1],
        "ZTILE2": tile_shape[0],
    }
    dither = hdu.cards.get("ZDITHER0")
    if isinstance(dither, int):  # the seed of tile i is ZDITHER0 + i - 1, counted modulo 10,000
        sizes["ZDITHER0"] = (dither - 1 + first) % 10000 + 1
    kept = {key: value for key, value in hdu.cards.items() if _KEPT.fullmatch(key)}
    cards = "XTENSION= 'BINTABLE'".ljust(CARD)
    cards += "".join(f"{key:<8}= {value:>20}".ljust(CARD) for key, value in sizes.items())
    cards += "".join(f"{key:<8}= {_card_text(value)}".ljust(CARD) for key, value in kept.items())
    primary = "SIMPLE  =                    T".ljust(CARD) + "BITPIX  =                    8".ljust(CARD)
    primary += "NAXIS   =                    0".ljust(CARD)
    return (
        _padded((primary + "END".ljust(CARD)).encode("ascii"), b" ")
        + _padded((cards + "END".ljust(CARD)).encode("ascii"), b" ")
        + _padded(rows.tobytes() + heap, b"\0")
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
