"""Compressed images read as the FITS libraries read them."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

import frames_files
from fiducial.cameras.regions import Region
from fiducial.errors import UnreadableFrame
from fiducial.frames import tiles_by_library
from fiducial.frames.raw import RawFrame

OURS = ("RICE_1", "GZIP_1", "GZIP_2", "NOCOMPRESS")
SHAPE = (23, 75)  # no multiple of any block or tile
TILES = [(1, 75), (23, 75), (5, 32), (2, 75), (23, 7), (64, 100)]


def images() -> dict[str, np.ndarray]:
    """Images of all integer types and characters."""
    rng = np.random.default_rng(11)
    found = {}
    for dtype in (np.uint8, np.int16, np.uint16, np.int32, np.uint32):
        info = np.iinfo(dtype)
        middle = (int(info.min) + int(info.max)) // 2
        noise = np.rint(rng.normal(middle, 6, SHAPE))
        noise[3, 40] = info.max
        found[f"{info.dtype} noise"] = noise.astype(dtype)
        found[f"{info.dtype} anything"] = rng.integers(info.min, info.max, SHAPE, dtype, endpoint=True)
        found[f"{info.dtype} constant"] = np.full(SHAPE, info.max, dtype)
        ends = np.indices(SHAPE).sum(axis=0) % 2 == 0
        found[f"{info.dtype} ends"] = np.where(ends, dtype(info.min), dtype(info.max))
        jumps = np.array([info.min, 0, info.max, middle, info.max, info.min + 1])
        found[f"{info.dtype} jumps"] = np.resize(jumps, SHAPE).astype(dtype)
    return found


IMAGES = images()


@pytest.fixture
def ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The FITS library may decode nothing."""

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("decoded by the library")

    monkeypatch.setattr(tiles_by_library, "decode_by_library", refuse)


def with_fitsio(path: Path, hdu: int) -> np.ndarray | None:
    """What the CFITSIO library reads, where it is installed."""
    try:
        fitsio = importlib.import_module("fitsio")
    except ImportError:
        return None
    return fitsio.read(str(path), ext=hdu)


@pytest.mark.usefixtures("ours_alone")
@pytest.mark.parametrize("method", OURS)
@pytest.mark.parametrize("name", IMAGES)
def test_integers_equal_those_of_the_fits_libraries(name: str, method: str, tmp_path: Path) -> None:
    image = IMAGES[name]
    for tile in TILES:
        path = tmp_path / f"{tile}.fits"
        path.write_bytes(frames_files.compressed(image, compression_type=method, tile_shape=tile))
        raw = RawFrame.open(path)
        with fits.open(path) as opened:
            expected = np.array(opened[1].data)
        assert_array_equal(expected, image)
        read = raw.read(1)
        assert_array_equal(read, image.astype(read.dtype))
        part = Region(9, 41, 4, 19)
        assert_array_equal(raw.read(1, part), image[part.slices].astype(read.dtype))
        if method != "NOCOMPRESS":  # which CFITSIO does not know
            other = with_fitsio(path, 1)
            assert other is None or np.array_equal(other, image)


@pytest.mark.usefixtures("ours_alone")
@pytest.mark.parametrize("method", ["GZIP_1", "GZIP_2", "NOCOMPRESS"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_that_were_not_quantised(dtype: type, method: str) -> None:
    image = np.random.default_rng(2).normal(1000, 5, SHAPE).astype(dtype)
    image[2, 3] = np.nan
    data = frames_files.compressed(image, compression_type=method, quantize_level=0, tile_shape=(5, 32))
    assert_array_equal(RawFrame.of_bytes("f", data).read(1), image.astype(np.float32))


@pytest.mark.usefixtures("ours_alone")
@pytest.mark.parametrize("method", ["RICE_1", "GZIP_1", "GZIP_2"])
@pytest.mark.parametrize("dither", [-1, 1, 2])
def test_floats_that_were_quantised(dither: int, method: str) -> None:
    image = np.random.default_rng(2).normal(1000, 5, SHAPE).astype(np.float32)
    image[2, 3] = np.nan
    image[7, 5] = 0
    options = {"quantize_level": 8, "quantize_method": dither, "dither_seed": 9998, "tile_shape": (5, 32)}
    data = frames_files.compressed(image, compression_type=method, **options)
    with fits.open(io.BytesIO(data)) as opened:
        expected = np.array(opened[1].data)
    raw = RawFrame.of_bytes("f", data)
    assert_array_equal(raw.read(1), expected)
    assert_array_equal(raw.read(1, Region(40, 60, 11, 20)), expected[11:20, 40:60])


@pytest.mark.usefixtures("ours_alone")
def test_blank_integers_are_nan() -> None:
    image = IMAGES["int16 noise"].copy()
    image[5, 5] = -7
    data = frames_files.compressed(image)
    at = data.index(b"OBJECT  = ")
    blank = data[:at] + b"BLANK   =                   -7".ljust(80) + data[at + 80 :]
    expected = image.astype(np.float32)
    expected[image == -7] = np.nan
    assert_array_equal(RawFrame.of_bytes("f", blank).read(1), expected)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("method", OURS)
def test_any_number_of_threads_gives_the_same_pixels(method: str, threads: int) -> None:
    image = frames_files.pixels(shape=(300, 500))
    raw = RawFrame.of_bytes("f", frames_files.compressed(image, compression_type=method, tile_shape=(7, 90)))
    assert_array_equal(raw.read(1, threads=threads), image)
    assert_array_equal(raw.read(1, Region(11, 490, 2, 299), threads=threads), image[2:299, 11:490])


def test_a_bad_tile_of_quantised_floats_is_named() -> None:
    image = np.random.default_rng(2).normal(1000, 5, SHAPE).astype(np.float32)
    data = bytearray(frames_files.compressed(image, quantize_level=8, quantize_method=1, dither_seed=3))
    with fits.open(io.BytesIO(data), disable_image_compression=True) as opened:
        first = opened[1].fileinfo()["datLoc"] + opened[1].header["NAXIS1"] * opened[1].header["NAXIS2"]
        length = opened[1].data["COMPRESSED_DATA"][0].size
    data[first + length - 12 : first + length] = b"\0" * 12
    with pytest.raises(UnreadableFrame, match=r"tile 1 of 23, pixels \[1:75,1:1\], ends before"):
        RawFrame.of_bytes("f", bytes(data)).read(1, Region(0, 75, 0, 1))
