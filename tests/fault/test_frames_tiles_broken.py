"""A damaged byte anywhere in a compressed image names its tile, or changes pixels of that tile alone."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

import frames_files
from fiducial.cameras.regions import Region
from fiducial.errors import UnreadableFrame
from fiducial.frames import decode_apart
from fiducial.frames.raw import RawFrame

SHAPE = (8, 40)
METHODS = ("RICE_1", "GZIP_1", "GZIP_2", "NOCOMPRESS")


@cache
def sound(method: str, tile: tuple[int, int] = (1, 40)) -> tuple[bytes, np.ndarray, int, int]:
    """A file, its pixels, and where its table and its heap begin."""
    image = frames_files.pixels(shape=SHAPE).astype(np.int16)
    data = frames_files.compressed(image, compression_type=method, tile_shape=tile)
    with fits.open(io.BytesIO(data), disable_image_compression=True) as opened:
        start = opened[1].fileinfo()["datLoc"]
        heap = start + opened[1].header["NAXIS1"] * opened[1].header["NAXIS2"]
        end = heap + opened[1].header["PCOUNT"]
    return data[:end], image, start, heap


def read(data: bytes) -> np.ndarray | UnreadableFrame:
    try:
        return RawFrame.of_bytes("night/f.fits", data).read(1)
    except UnreadableFrame as error:
        assert (error.file, error.hdu) == ("night/f.fits", "COMPRESSED_IMAGE")  # noqa: PT017
        assert "f.fits" in error.message  # noqa: PT017
        assert error.hint == "Copy the file again from where it was taken."  # noqa: PT017
        assert re.search(r"tile \d of [28]", error.message)  # noqa: PT017
        return error


@pytest.mark.parametrize("change", [0xFF, 0x01, 0x80])
@pytest.mark.parametrize("method", METHODS)
def test_every_byte_of_the_heap(method: str, change: int) -> None:
    data, image, _, heap = sound(method)
    found = 0
    for place in range(heap, len(data)):
        damaged = bytearray(data)
        damaged[place] ^= change
        result = read(bytes(damaged))
        if isinstance(result, UnreadableFrame):
            found += 1
            continue
        assert result.shape == SHAPE
        changed = (result != image).any(axis=1)
        assert changed.sum() <= 1  # a tile is a row
        if method.startswith("GZIP"):
            assert not changed.any()  # its checksum finds whatever concerns pixels
    if method != "NOCOMPRESS":  # Rice has no checksum: a changed low bit is another number, and no fault
        assert found > 0.1 * (len(data) - heap)


@pytest.mark.parametrize("method", METHODS)
def test_every_byte_of_the_descriptors(method: str) -> None:
    data, image, start, heap = sound(method)
    for place in range(start, heap):
        for change in (0xFF, 0x01, 0x80):
            damaged = bytearray(data)
            damaged[place] ^= change
            result = read(bytes(damaged))
            if not isinstance(result, UnreadableFrame):
                assert (result != image).any(axis=1).sum() <= 1
            elif (place - start) % 8 < 4:  # a length
                assert f"tile {(place - start) // 8 + 1} of 8" in result.message


def test_what_the_library_cannot_decode_does_not_end_this_process() -> None:
    """Of these damages some make the library write where it must not; its process dies, and is replaced."""
    data, image, _, heap = sound("HCOMPRESS_1", (4, 40))
    assert_array_equal(RawFrame.of_bytes("f", data).read(1), image)
    rng = np.random.default_rng(9)
    for _ in range(8):
        damaged = bytearray(data)
        for place in rng.integers(heap, len(data), 5):
            damaged[place] = rng.integers(256)
        result = read(bytes(damaged))
        assert isinstance(result, UnreadableFrame) or result.shape == SHAPE
    assert_array_equal(RawFrame.of_bytes("f", data).read(1), image)


def test_the_tile_that_the_library_cannot_decode_is_named() -> None:
    data, image, start, heap = sound("HCOMPRESS_1", (4, 40))
    second = int.from_bytes(data[start + 12 : start + 16], "big")
    damaged = bytearray(data)
    damaged[heap + second] ^= 0xFF  # the format's magic number
    result = read(bytes(damaged))
    assert isinstance(result, UnreadableFrame)
    assert "tile 2 of 2, pixels [1:40,5:8], cannot be decoded by the FITS library" in result.message
    assert_array_equal(RawFrame.of_bytes("f", bytes(damaged)).read(1, Region(0, 40, 0, 4)), image[:4])


def test_a_helper_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    data, image, _, _ = sound("PLIO_1", (4, 40))
    monkeypatch.setattr(decode_apart, "_SECONDS_TO_START", 0.0)
    monkeypatch.setattr(decode_apart, "_PIXELS_PER_SECOND", 1e12)
    decode_apart._helper(os.getpid()).stop()
    assert isinstance(read(data), UnreadableFrame)
    monkeypatch.undo()
    assert_array_equal(RawFrame.of_bytes("f", data).read(1), image)


FORK = """
import os, sys
import numpy as np
from fiducial.frames.raw import RawFrame

raw = RawFrame.open(sys.argv[1])
image = raw.read(1)
child = os.fork()
if child == 0:
    os._exit(0 if (raw.read(1) == image).all() else 1)
assert (raw.read(1) == image).all()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert (raw.read(1) == image).all()
"""


def test_a_fork_has_a_helper_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "f.fits"
    path.write_bytes(sound("PLIO_1", (4, 40))[0])
    subprocess.run([sys.executable, "-c", FORK, path], check=True, timeout=120)
