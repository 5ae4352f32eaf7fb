"""Compressed images whose tables were made by hand: what the format allows, and what is wrong with them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

import rice_reference
from fiducial.cameras.regions import Region
from fiducial.errors import UnreadableFrame
from fiducial.frames.raw import RawFrame


def table_file(columns: list[fits.Column], **cards: object) -> bytes:
    """A compressed image made by hand: its table's columns and keywords."""
    table = fits.BinTableHDU.from_columns(columns)
    standard = {
        "ZIMAGE": True,
        "ZCMPTYPE": "RICE_1",
        "ZBITPIX": 16,
        "ZNAXIS": 2,
        "ZNAXIS1": 40,
        "ZNAXIS2": len(columns[0].array),
        "ZNAME1": "BLOCKSIZE",
        "ZVAL1": 32,
        "ZNAME2": "BYTEPIX",
        "ZVAL2": 2,
    }
    for key, value in (standard | cards).items():
        if value is not None:
            table.header[key] = value
    stream = io.BytesIO()
    with fits.conf.set_temp("use_memmap", False):
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(stream)
    return stream.getvalue()


def heap_column(name: str, form: str, parts: list[bytes]) -> fits.Column:
    types = {"PB": np.uint8, "QB": np.uint8, "PI": ">i2"}
    array = np.empty(len(parts), object)
    array[:] = [
        np.frombuffer(part, types[form]).astype(np.dtype(types[form]).newbyteorder("=")) for part in parts
    ]
    return fits.Column(name, form, array=array)


def rows_of_noise(dtype: type = np.int16, rows: int = 6) -> np.ndarray:
    return np.rint(np.random.default_rng(4).normal(100, 6, (rows, 40))).astype(dtype)


def rice(row: np.ndarray, block: int = 32) -> bytes:
    return rice_reference.encode(row.view(f"u{row.itemsize}"), block)


@pytest.mark.parametrize("form", ["PB", "QB"])
def test_descriptors_of_both_widths(form: str) -> None:
    image = rows_of_noise()
    data = table_file([heap_column("COMPRESSED_DATA", form, [rice(row) for row in image])])
    assert_array_equal(RawFrame.of_bytes("f", data).read(1), image)


@pytest.mark.parametrize("gap", [0, 20000])
@pytest.mark.parametrize("order", [[5, 3, 0, 4, 1, 2], [0, 1, 2, 3, 4, 5]])
def test_tiles_anywhere_in_the_heap(order: list[int], gap: int) -> None:
    """In any order, next to each other or far apart."""
    image = rows_of_noise()
    parts = [rice(row) for row in image]
    data = table_file([heap_column("COMPRESSED_DATA", "PB", parts)])
    with fits.open(io.BytesIO(data), disable_image_compression=True) as opened:
        table = opened[1].fileinfo()["datLoc"]
    heap = b""
    descriptors = np.zeros((len(parts), 2), ">i4")
    for row in order:
        heap += bytes(gap)
        descriptors[row] = len(parts[row]), len(heap)
        heap += parts[row]
    at = data.index(b"PCOUNT  = ")
    header = data[:at] + f"PCOUNT  = {len(heap):>20}".ljust(80).encode() + data[at + 80 : table]
    raw = RawFrame.of_bytes("f", header + descriptors.tobytes() + heap)
    assert_array_equal(raw.read(1), image)
    assert_array_equal(raw.read(1, Region(3, 30, 2, 5)), image[2:5, 3:30])


def test_integers_that_did_not_compress_are_in_another_column() -> None:

    image = rows_of_noise()
    big = image.astype(">i2")
    columns = [
        heap_column("COMPRESSED_DATA", "PB", [rice(image[0]), b"", rice(image[2]), b"", b"", rice(image[5])]),
        heap_column("GZIP_COMPRESSED_DATA", "PB", [b"", gzip.compress(big[1]), b"", b"", b"", b""]),
        heap_column("UNCOMPRESSED_DATA", "PI", [b"", b"", b"", big[3].tobytes(), big[4].tobytes(), b""]),
    ]
    raw = RawFrame.of_bytes("f", table_file(columns))
    assert_array_equal(raw.read(1), image)
    assert_array_equal(raw.read(1, Region(0, 40, 5, 6)), image[5:])
    none = [column for column in columns if column.name != "UNCOMPRESSED_DATA"]
    with pytest.raises(UnreadableFrame, match=r"tile 4 of 6, pixels \[1:40,4:4\], has no bytes"):
        RawFrame.of_bytes("f", table_file(none)).read(1)


@pytest.mark.parametrize("bytes_of_pixel", [1, 2, 4])
@pytest.mark.parametrize("bitpix", [8, 16, 32, 64])
def test_pixels_may_be_coded_wider_or_narrower_than_they_are(bitpix: int, bytes_of_pixel: int) -> None:
    dtype = {1: np.uint8, 2: np.int16, 4: np.int32}[bytes_of_pixel]
    image = rows_of_noise(dtype)
    parts = [rice(row) for row in image]
    data = table_file([heap_column("COMPRESSED_DATA", "PB", parts)], ZBITPIX=bitpix, ZVAL2=bytes_of_pixel)
    read = RawFrame.of_bytes("f", data).read(1)
    assert_array_equal(read, image.astype(read.dtype))


def test_parameters_may_stand_in_any_order_or_be_left_out() -> None:
    image = rows_of_noise(np.int32)
    small = [heap_column("COMPRESSED_DATA", "PB", [rice(row, 16) for row in image])]
    cards = {"ZBITPIX": 32, "ZNAME1": "BYTEPIX", "ZVAL1": 4, "ZNAME2": "BLOCKSIZE", "ZVAL2": 16}
    assert_array_equal(RawFrame.of_bytes("f", table_file(small, **cards)).read(1), image)
    standard = [heap_column("COMPRESSED_DATA", "PB", [rice(row) for row in image])]
    none = {"ZBITPIX": 32, "ZNAME1": None, "ZVAL1": None, "ZNAME2": None, "ZVAL2": None}
    assert_array_equal(RawFrame.of_bytes("f", table_file(standard, **none)).read(1), image)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"ZVAL2": 8}, "BYTEPIX is 8"),
        ({"ZVAL2": "two"}, "BYTEPIX is 'two'"),
        ({"ZVAL1": 0}, "BLOCKSIZE is 0"),
        ({"ZVAL1": 1 << 40}, "BLOCKSIZE is"),
        ({"ZTILE1": 0}, "its tiles are 0 x 1 pixels"),
        ({"ZTILE2": 2}, "the table has 6 rows for 3 tiles"),
        ({"ZCMPTYPE": "ZSTD_1"}, "compressed by 'ZSTD_1'"),
        ({"THEAP": 3}, "THEAP = 3"),
    ],
)
def test_keywords_that_make_no_sense_are_named(cards: dict[str, object], message: str) -> None:
    columns = [heap_column("COMPRESSED_DATA", "PB", [rice(row) for row in rows_of_noise()])]
    raw = RawFrame.of_bytes("night/f.fits", table_file(columns, **cards))
    with pytest.raises(UnreadableFrame, match=r"f\.fits") as caught:
        raw.read(1)
    assert message in caught.value.message
    assert (caught.value.file, caught.value.hdu) == ("night/f.fits", 1)
    assert caught.value.hint


def test_a_table_without_compressed_data_is_named() -> None:
    columns = [heap_column("OTHER_DATA", "PB", [rice(row) for row in rows_of_noise()])]
    with pytest.raises(UnreadableFrame, match="no column of compressed data"):
        RawFrame.of_bytes("f", table_file(columns)).read(1)


def damaged(method: str, change: Callable[[bytes], bytes]) -> UnreadableFrame:
    """The error of a file whose fifth tile was changed."""

    image = rows_of_noise()
    packers: dict[str, Callable[[np.ndarray], bytes]] = {
        "RICE_1": rice,
        "GZIP_1": lambda row: gzip.compress(row.astype(">i2").tobytes()),
        "GZIP_2": lambda row: zlib.compress(row.astype(">i2").view(np.uint8).reshape(-1, 2).T.tobytes()),
        "NOCOMPRESS": lambda row: row.astype(">i2").tobytes(),
    }
    parts = [packers[method](row) for row in image]
    sound = table_file([heap_column("COMPRESSED_DATA", "PB", parts)], ZCMPTYPE=method)
    assert_array_equal(RawFrame.of_bytes("f", sound).read(1), image)
    parts[4] = change(parts[4])
    raw = RawFrame.of_bytes(
        "night/f.fits", table_file([heap_column("COMPRESSED_DATA", "PB", parts)], ZCMPTYPE=method)
    )
    assert_array_equal(raw.read(1, Region(0, 40, 0, 4)), image[:4])  # the others are good
    with pytest.raises(UnreadableFrame) as caught:
        raw.read(1, threads=2)
    assert (caught.value.file, caught.value.hdu) == ("night/f.fits", 1)
    assert caught.value.hint == "Copy the file again from where it was taken."
    assert "f.fits: HDU 1 is corrupt: tile 5 of 6, pixels [1:40,5:5], " in caught.value.message
    return caught.value


def test_a_bad_tile_is_named_with_what_is_wrong_with_it() -> None:
    assert "ends before its last pixel" in damaged("RICE_1", lambda tile: tile[:-4]).message
    assert "goes on after its last pixel" in damaged("RICE_1", lambda tile: tile + b"\1").message
    long = b"\0\0" + b"\x70" + b"\0" * 20000 + b"\1"
    assert "a code that no pixel has" in damaged("RICE_1", lambda _: long).message
    for method in ("GZIP_1", "GZIP_2"):
        assert "ends before" in damaged(method, lambda tile: tile[:-9]).message
        assert "no sound gzip stream" in damaged(method, lambda tile: b"?" + tile[1:]).message
        assert "no sound gzip stream" in damaged(method, lambda tile: tile[:-1] + b"x").message
        assert "not 40 pixels" in damaged(method, lambda _: gzip.compress(b"abc")).message
        bomb = gzip.compress(bytes(10**7))
        assert "holds more than its pixels" in damaged(method, lambda _, bomb=bomb: bomb).message
    assert "holds 79 bytes" in damaged("NOCOMPRESS", lambda tile: tile[:-1]).message
