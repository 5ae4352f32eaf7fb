from __future__ import annotations

import gc
import gzip
import io
import os
import pickle
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

import frames_files
from fiducial.cameras.regions import Region
from fiducial.errors import LayoutMismatch, UnreadableFrame
from fiducial.frames.raw import RawFrame

KINDS = frames_files.many_kinds()
REGIONS = [Region(0, 40, 0, 24), Region(3, 17, 5, 20), Region(39, 40, 23, 24), Region(0, 40, 6, 7)]


def reference(data: bytes, index: int) -> np.ndarray:
    with fits.open(io.BytesIO(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)) as opened:
        return np.array(opened[index].data)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_equal_those_of_the_fits_library(kind: str, in_memory: bool, tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(KINDS[kind])
    raw = RawFrame.of_bytes(path, KINDS[kind]) if in_memory else RawFrame.open(path)
    assert raw.images
    for image in raw.images:
        expected = reference(KINDS[kind], image.index)
        assert image.shape == expected.shape
        for region in REGIONS:
            read = raw.read(image.index, region)
            assert read.dtype == image.dtype
            assert read.dtype.isnative
            assert read.flags.writeable
            assert_array_equal(read, expected[region.slices].astype(image.dtype))
        assert_array_equal(raw.read(image.index), expected.astype(image.dtype))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("uint16", "u2"),
        ("rice", "u2"),
        ("int32", "i4"),
        ("rice tiles", "i4"),
        ("int16", "f4"),
        ("float64", "f4"),
        ("uint8", "f4"),
    ],
)
def test_types_are_kept_or_float32(kind: str, dtype: str) -> None:
    assert RawFrame.of_bytes("f", KINDS[kind]).images[0].dtype == np.dtype(dtype)


def test_scaled_integers_and_blanks_become_float32_with_nan() -> None:
    primary = fits.PrimaryHDU(np.array([[1, 2, -5], [4, 5, 6]], np.int16))
    primary.header["BSCALE"], primary.header["BZERO"], primary.header["BLANK"] = 0.5, 10.0, -5
    stream = io.BytesIO()
    primary.writeto(stream)
    stored = stream.getvalue()  # the library keeps the integers as they were given
    read = RawFrame.of_bytes("f", stored).read()
    assert read.dtype == np.float32
    assert_array_equal(read, np.array([[10.5, 11.0, np.nan], [12.0, 12.5, 13.0]], np.float32))


def test_images_are_found_by_index_by_name_in_any_case_and_alone() -> None:
    raw = RawFrame.of_bytes("f", KINDS["segments"])
    assert [i.name for i in raw.images] == ["SEGMENT10", "SEGMENT11", "SEGMENT12"]
    assert raw.find("Segment11").index == 2
    assert raw.find(3).name == "SEGMENT12"
    assert RawFrame.of_bytes("f", KINDS["uint16"]).find(None).index == 0
    with pytest.raises(LayoutMismatch, match=r"SEGMENT10 .40 x 24., SEGMENT11"):
        raw.find("Segment99")
    with pytest.raises(LayoutMismatch, match="one image is expected"):
        raw.find(None)
    with pytest.raises(LayoutMismatch, match="HDU 4"):
        raw.find(4)  # the table


def test_hdu_0_of_a_camera_file_finds_the_image_that_compression_moved() -> None:
    primary = fits.CompImageHDU(frames_files.pixels())
    data = frames_files.to_bytes(fits.PrimaryHDU(), primary)
    assert b"ZSIMPLE" in data or b"ZTENSION" in data
    moved = data.replace(b"ZTENSION= 'IMAGE   '          ", b"ZSIMPLE =                    T")
    assert RawFrame.of_bytes("f", moved).find(0).index == 1
    with pytest.raises(LayoutMismatch):
        RawFrame.of_bytes("f", KINDS["rice"].replace(b"ZSIMPLE ", b"ZSIMPLX ")).find(0)


def test_a_region_beyond_the_image_is_refused() -> None:
    raw = RawFrame.of_bytes("dir/f.fits", KINDS["uint16"])
    with pytest.raises(LayoutMismatch, match=r"f.fits: \[31:41,1:2\] is outside") as caught:
        raw.read(0, Region(30, 41, 0, 2))
    assert caught.value.file == "dir/f.fits"


def test_merged_header_has_first_values_and_none_for_nan() -> None:
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = "first"
    primary.header["BAD"] = 1.0
    primary.header["WORSE"] = "NaN"
    primary.header["HIERARCH VERY LONG KEY"] = 4.5
    primary.header["COMMENT"] = "a comment"
    image = fits.ImageHDU(frames_files.pixels(), name="SCI")
    image.header["OBJECT"] = "second"
    image.header["ONLY"] = 3
    data = frames_files.to_bytes(primary, image).replace(
        b"BAD     =                  1.0", b"BAD     =                  NaN"
    )
    data = data.replace(b"ONLY    =                    3", b"OBJECT  = 'third'  /   twice  ")
    raw = RawFrame.of_bytes("f", data)
    header = raw.header()
    assert header["OBJECT"] == "first"
    assert header["BAD"] is None
    assert header["WORSE"] is None
    assert header["VERY LONG KEY"] == 4.5
    assert "COMMENT" not in header
    assert (header["NAXIS"], header["NAXIS1"], header["EXTNAME"]) == (2, 40, "SCI")
    assert raw.hdu_headers()[1]["OBJECT"] == "second"
    assert "OBJECT" not in raw.header(0) or raw.header(0)["OBJECT"] == "first"


def test_header_of_a_compressed_image_is_the_images() -> None:
    header = RawFrame.of_bytes("f", KINDS["rice"]).header()
    assert (header["NAXIS"], header["NAXIS1"], header["NAXIS2"], header["BITPIX"]) == (2, 40, 24, 16)
    assert header["OBJECT"] == "it's"
    assert "TFORM1" not in header
    assert "ZNAXIS1" not in header


def test_long_strings_are_put_together() -> None:
    text = "a value that is much longer than one card can be, " * 3
    header = RawFrame.of_bytes("f", frames_files.plain(LONGTEXT=text)).header()
    assert header["LONGTEXT"] == text.rstrip()


def test_frames_survive_pickling_and_closing(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(KINDS["uint16"])
    raw = RawFrame.open(path)
    raw.close()
    assert_array_equal(pickle.loads(pickle.dumps(raw)).read(), frames_files.pixels())  # noqa: S301
    assert_array_equal(raw.read(), frames_files.pixels())


def test_reading_by_many_threads_gives_the_same_pixels(tmp_path: Path) -> None:
    for kind in ("uint16", "rice tiles"):
        path = tmp_path / f"{kind}.fits"
        path.write_bytes(KINDS[kind])
        raw = RawFrame.open(path)
        hdu = raw.images[0].index
        expected = reference(KINDS[kind], hdu)
        with ThreadPoolExecutor(max_workers=6) as pool:
            read = list(pool.map(raw.read, [hdu] * 60, REGIONS * 15))
        for region, values in zip(REGIONS * 15, read, strict=True):
            assert_array_equal(values, expected[region.slices])


def test_more_frames_than_the_process_may_open_files(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(KINDS["uint16"])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    limit = len(os.listdir("/proc/self/fd")) + 40
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        frames = [RawFrame.open(path) for _ in range(3 * limit)]
        assert_array_equal(frames[-1].read(), frames_files.pixels())
        with path.open("rb"):  # others find descriptors left
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for frame in frames:
            frame.close()


def test_an_uncompressed_region_reads_only_its_bytes() -> None:
    raw = RawFrame.of_bytes("f", KINDS["uint16"])
    counted: list[int] = []
    whole = raw._source.read

    def read(offset: int, count: int) -> np.ndarray:
        counted.append(count)
        return whole(offset, count)

    raw._source.read = read  # type: ignore[method-assign]
    raw.read(0, Region(3, 17, 5, 20))
    assert counted == [2 * (14 * 40 + 14)]  # from the first pixel to the last, once


def test_a_compressed_region_reads_only_its_tiles() -> None:
    big = frames_files.pixels(shape=(200, 300))
    raw = RawFrame.of_bytes("f", frames_files.compressed(big))
    counted: list[int] = []
    whole = raw._source.read

    def read(offset: int, count: int) -> np.ndarray:
        counted.append(count)
        return whole(offset, count)

    raw._source.read = read  # type: ignore[method-assign]
    assert_array_equal(raw.read(1, Region(0, 300, 50, 60)), big[50:60])
    assert len(counted) == 2  # descriptors and tiles
    assert sum(counted) < 10 * (8 + 300 * 2)


def test_dithered_floats_of_a_region_equal_those_of_the_whole() -> None:
    raw = RawFrame.of_bytes("f", KINDS["rice floats"])
    assert_array_equal(raw.read(1, Region(5, 9, 11, 20)), raw.read(1)[11:20, 5:9])


def test_gzip_of_several_members_and_trailing_zeros() -> None:
    data = KINDS["uint16"]
    parts = gzip.compress(data[:4000]) + gzip.compress(data[4000:])
    assert_array_equal(RawFrame.of_bytes("f", parts).read(), frames_files.pixels())
    assert_array_equal(RawFrame.of_bytes("f", data + b"\0" * 500).read(), frames_files.pixels())


def test_the_last_hdu_may_lack_its_padding() -> None:
    with fits.open(io.BytesIO(KINDS["uint16"])) as opened:
        size = opened[0].data.nbytes + 2880
    assert_array_equal(RawFrame.of_bytes("f", KINDS["uint16"][:size]).read(), frames_files.pixels())
    with pytest.raises(UnreadableFrame, match="truncated"):
        RawFrame.of_bytes("f", KINDS["uint16"][: size - 1])


def test_nothing_from_a_file_is_executed(tmp_path: Path) -> None:
    # A pickle in the heap, a path in a keyword: both are bytes and text to us.
    bomb = b"cos\nsystem\n(S'touch " + str(tmp_path / "owned").encode() + b"'\ntR."
    table = fits.BinTableHDU(np.rec.array([(bomb,)], dtype=[("p", f"S{len(bomb)}")]))
    data = frames_files.to_bytes(fits.PrimaryHDU(frames_files.pixels()), table)
    raw = RawFrame.of_bytes("f", data)
    raw.read(0)
    raw.hdu_headers()
    assert not (tmp_path / "owned").exists()


def test_frames_that_are_forgotten_give_their_descriptors_back(tmp_path: Path) -> None:
    for kind in ("uint16", "gzip"):
        path = tmp_path / f"{kind}.fits"
        path.write_bytes(KINDS[kind])
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            RawFrame.open(path).read()
        path.write_bytes(KINDS[kind][: len(KINDS[kind]) // 2])
        for _ in range(20):
            with pytest.raises(UnreadableFrame):
                RawFrame.open(path)
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) <= before
