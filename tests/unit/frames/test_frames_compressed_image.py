"""Compressed images give every bit back, to astropy and to our own reader."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial.frames import compressed_image
from fiducial.frames.compressed_image import compress_image, write_compressed
from fiducial.frames.raw import RawFrame

DTYPES = ["u1", "i2", "u2", "i4", "u4", "f4", "f8", ">i2", ">i4", ">f4"]
SHAPES = [(1, 1), (1, 700), (700, 1), (37, 211), (300, 1100)]


def pixels(dtype: str, shape: tuple[int, int]) -> np.ndarray:
    """Noise, with the ends of the type's range, and NaN of two kinds in floats."""
    rng = np.random.default_rng(3)
    kind = np.dtype(dtype)
    values = rng.normal(100.0, 15.0, shape)
    image = values.astype(kind)
    flat = image.reshape(-1)
    if kind.kind == "f":
        flat[::97] = np.nan
        flat[1::89] = -np.inf
        flat[2::83] = -0.0
        native = flat.astype(kind.newbyteorder("="))
        words = native.view(f"u{kind.itemsize}")
        words[3::101] |= words.dtype.type(1)  # also signalling and other NaNs
        words[::97] |= words.dtype.type(0x1234)
        flat[:] = native
    else:
        limits = np.iinfo(kind)
        flat[::97], flat[1::89] = limits.min, limits.max
    return image


def file_of(image: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    fits.PrimaryHDU().writeto(stream)
    hdu = compress_image(image, name="SCI", **options)
    before = stream.tell()
    hdu.write(stream)
    assert stream.tell() - before == hdu.size
    assert stream.tell() % 2880 == 0
    return stream.getvalue()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.filterwarnings("ignore:invalid value")  # a signalling NaN as float32
def test_every_bit_comes_back(dtype: str, shape: tuple[int, int]) -> None:
    image = pixels(dtype, shape)
    native = image.dtype.newbyteorder("=")
    data = file_of(image, cards=["OBJECT  = 'M 31    '"])
    with fits.open(io.BytesIO(data)) as file:
        header, found = file["SCI"].header, file["SCI"].data
    assert header["OBJECT"] == "M 31"
    assert found.dtype.newbyteorder("=") == native
    assert found.astype(native).tobytes() == image.astype(native).tobytes()
    ours = RawFrame.of_bytes("memory", data).read("SCI")
    if ours.dtype == native:
        assert ours.tobytes() == image.astype(native).tobytes()
    else:  # frames are read as uint16, int32 or float32
        np.testing.assert_array_equal(ours, image.astype(np.float32))


@pytest.mark.parametrize("dtype", ["f4", "i4", "u1"])
def test_bytes_do_not_depend_on_the_threads(dtype: str) -> None:
    image = pixels(dtype, (1500, 600))
    assert file_of(image, threads=3) == file_of(image)


def test_constant_images_shrink_to_nearly_nothing() -> None:
    # Rice: 3 bits for 32 pixels of 1 byte, and zlib and isal make at most 1 byte of 200 equal ones
    assert len(file_of(np.zeros((2000, 1000), np.uint8))) < 2000 * 1000 * 3 / 256 + 20000
    assert len(file_of(np.ones((1000, 1000), np.float32))) < 4e6 / 200 + 20000


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_an_image_without_pixels_is_a_plain_one(shape: tuple[int, int]) -> None:
    data = file_of(np.empty(shape, np.float32))
    with fits.open(io.BytesIO(data)) as file:
        hdu = file["SCI"]
        assert (hdu.header["NAXIS2"], hdu.header["NAXIS1"]) == shape
        assert hdu.data is None or hdu.data.size == 0
    assert RawFrame.of_bytes("memory", data).images == ()


def test_zlib_serves_where_the_fast_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_image, "_deflate", zlib.compress)
    image = pixels("f4", (300, 1100))
    with fits.open(io.BytesIO(file_of(image))) as file:
        assert file[1].data.astype("f4").tobytes() == image.tobytes()
    assert RawFrame.of_bytes("memory", file_of(image)).read(1).tobytes() == image.tobytes()


def test_large_heaps_have_wide_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_image, "_LARGEST_HEAP", 1000)
    image = pixels("f4", (300, 1100))
    data = file_of(image)
    with fits.open(io.BytesIO(data), disable_image_compression=True) as file:
        assert file[1].header["TFORM1"].startswith("1QB")
    with fits.open(io.BytesIO(data)) as file:
        assert file[1].data.astype("f4").tobytes() == image.tobytes()
    assert RawFrame.of_bytes("memory", data).read(1).tobytes() == image.tobytes()


def test_a_file_of_several(tmp_path: Path) -> None:
    images = {"SCI": pixels("f4", (50, 60)), "VAR": pixels("f4", (50, 60)), "MASK": pixels("u1", (50, 60))}
    write_compressed(tmp_path / "out.fits", images, threads=2)
    with fits.open(tmp_path / "out.fits", checksum=True) as file:
        file.verify("exception")
        for name, image in images.items():
            assert file[name].data.astype(image.dtype).tobytes() == image.tobytes()


def test_what_cannot_be_compressed_is_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        compress_image(np.zeros((3, 4), np.int64))
    with pytest.raises(ValueError, match="3 axes"):
        compress_image(np.zeros((3, 4, 5), np.float32))
    with pytest.raises(ValueError, match="80 characters"):
        compress_image(np.zeros((3, 4), np.float32), cards=["X" * 81])
