"""Broken files: each is a FrameError that names the file, the HDU and what to do; none is anything else."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import frames_files
from fiducial.errors import FrameError, HeaderError, LayoutMismatch, UnreadableFrame, WrongCamera
from fiducial.frames.checksum import sha256_of
from fiducial.frames.raw import RawFrame
from fiducial.frames.scan import scan_frame
from fiducial.frames.tables import records_from_arrow, records_to_arrow

KINDS = frames_files.many_kinds()
CAMERA = frames_files.camera()


def refused(tmp_path: Path, data: bytes, kind: type[FrameError] = UnreadableFrame) -> FrameError:
    """Scan a file that must be refused, and check that the error says what it should."""
    path = tmp_path / "night" / "b7.fits"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        scan_frame(path, CAMERA)
    error = caught.value
    assert error.file == str(path)
    assert "b7.fits" in error.message
    assert error.hint
    assert error.exit_code == 3
    return error


def good(**changes: object) -> bytes:
    cards = {k: v for k, v in (frames_files.CARDS | changes).items() if v is not None}
    return frames_files.plain(**cards)


def test_empty(tmp_path: Path) -> None:
    assert "empty" in refused(tmp_path, b"").message


@pytest.mark.parametrize("start", [b"hello, I am no FITS file" * 200, b"\x89PNG\r\n", b"S", b"\0" * 5000])
def test_not_fits(tmp_path: Path, start: bytes) -> None:
    error = refused(tmp_path, start)
    assert "not a FITS file" in error.message
    assert (error.hdu, error.keyword) == (0, "SIMPLE")


def test_archives_are_named(tmp_path: Path) -> None:
    assert "zip archive" in refused(tmp_path, b"PK\x03\x04" + b"\0" * 100).message


def test_truncated_in_the_header(tmp_path: Path) -> None:
    assert refused(tmp_path, good()[:900]).keyword == "END"
    error = refused(tmp_path, frames_files.to_bytes(fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 3))))[:4000])
    assert "HDU 1" in error.message


def test_truncated_in_the_data(tmp_path: Path) -> None:
    error = refused(tmp_path, good()[: 2880 + 500])
    assert "truncated: the data of HDU 0 should reach byte 4800, the file ends at 3380" in error.message
    segments = KINDS["segments"]
    error = refused(tmp_path, segments[: 2880 * 5 + 100])
    assert error.hdu == "SEGMENT11"


def test_truncated_inside_a_compressed_tile(tmp_path: Path) -> None:
    error = refused(tmp_path, KINDS["rice"][:-2880])
    assert "truncated" in error.message
    assert error.hdu == "COMPRESSED_IMAGE"


def test_truncated_inside_a_gzipped_file(tmp_path: Path) -> None:
    packed = gzip.compress(good())
    assert "truncated gzip" in refused(tmp_path, packed[:-40]).message
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0x55
    assert "gzip" in refused(tmp_path, bytes(flipped)).message


def test_corrupt_tiles_are_found_when_the_file_is_scanned(tmp_path: Path) -> None:
    image = fits.CompImageHDU(frames_files.pixels(), compression_type="GZIP_1")
    for key, value in frames_files.CARDS.items():
        image.header[key] = value
    data = bytearray(frames_files.to_bytes(fits.PrimaryHDU(), image))
    scan_frame(_written(tmp_path, bytes(data)), CAMERA)
    with fits.open(_written(tmp_path, bytes(data)), disable_image_compression=True) as opened:
        heap = opened[1].fileinfo()["datLoc"] + opened[1].header["NAXIS1"] * opened[1].header["NAXIS2"]
    data[heap + 60] ^= 0xFF
    error = refused(tmp_path, bytes(data))
    assert "HDU COMPRESSED_IMAGE is corrupt: tile 1 of 24, pixels [1:40,1:1], is no sound" in error.message
    # A descriptor that points beyond the heap.
    table = heap - 24 * 8
    data[table : table + 8] = b"\x7f\xff\xff\xff\x00\x00\x00\x00"
    assert "points outside" in refused(tmp_path, bytes(data)).message


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BITPIX", "17"),
        ("BITPIX", "-8"),
        ("NAXIS", "-1"),
        ("NAXIS1", "4.5"),
        ("NAXIS1", "'forty'"),
        ("NAXIS1", "9" * 18),
    ],
)
def test_impossible_sizes_are_named_before_anything_is_allocated(
    tmp_path: Path, keyword: str, value: str
) -> None:
    data = good()
    at = data.index(f"{keyword:<8}= ".encode())
    card = f"{keyword:<8}= {value:>20}".ljust(80).encode()
    error = refused(tmp_path, data[:at] + card + data[at + 80 :])
    assert keyword in (error.keyword, "NAXIS1")
    assert keyword in error.message or "claims" in error.message or "truncated" in error.message


def test_a_compressed_image_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    data = KINDS["rice"]
    at = data.index(b"ZNAXIS2 = ")
    huge = data[:at] + b"ZNAXIS2 =            900000000".ljust(80) + data[at + 80 :]
    assert refused(tmp_path, huge).keyword in ("ZNAXIS1", "ZNAXIS2")


def test_rubbish_after_the_last_hdu(tmp_path: Path) -> None:
    assert refused(tmp_path, good() + b"rubbish" * 100).keyword == "XTENSION"


def test_wrong_camera(tmp_path: Path) -> None:
    error = refused(tmp_path, good(INSTRUME="Other"), WrongCamera)
    assert error.keyword == "INSTRUME"
    assert "Other" in error.message


@pytest.mark.parametrize("keyword", ["EXPTIME", "DATE-BEG", "SEQNUM"])
def test_missing_keywords(tmp_path: Path, keyword: str) -> None:
    assert refused(tmp_path, good(**{keyword: None}), HeaderError).keyword == keyword


@pytest.mark.parametrize("written", ["NaN", "nan", "'NaN'", "inf", "1.2.3", "", "'soon'"])
def test_keywords_that_are_no_numbers(tmp_path: Path, written: str) -> None:
    data = good()
    at = data.index(b"EXPTIME = ")
    data = data[:at] + f"EXPTIME = {written:>20}".ljust(80).encode() + data[at + 80 :]
    assert refused(tmp_path, data, HeaderError).keyword == "EXPTIME"


def test_binned_and_windowed_frames(tmp_path: Path) -> None:
    binned = frames_files.plain(frames_files.pixels(shape=(12, 20)), **frames_files.CARDS)
    error = refused(tmp_path, binned, LayoutMismatch)
    assert "binned 2x2" in error.message
    windowed = frames_files.plain(frames_files.pixels(shape=(24, 39)), **frames_files.CARDS)
    assert refused(tmp_path, windowed, LayoutMismatch).keyword == "NAXIS1"


def test_a_cube_or_a_table_is_no_frame(tmp_path: Path) -> None:
    cube = frames_files.plain(np.ones((3, 24, 40), np.int16), **frames_files.CARDS)
    assert "no image at all" in refused(tmp_path, cube, LayoutMismatch).message


def test_what_is_not_a_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.fits"
    os.mkfifo(fifo)
    for path in (tmp_path, tmp_path / "absent.fits", fifo, tmp_path / "null\0.fits"):
        with pytest.raises(UnreadableFrame) as caught:
            scan_frame(path, CAMERA)
        assert caught.value.hint
    with pytest.raises(UnreadableFrame):
        sha256_of(tmp_path)


def test_a_file_that_shrinks_after_it_was_opened(tmp_path: Path) -> None:
    path = _written(tmp_path, good())
    raw = RawFrame.open(path)
    path.write_bytes(good()[:3000])
    with pytest.raises(UnreadableFrame, match="truncated"):
        raw.read()


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = _written(tmp_path, good())
    path.unlink()
    path.symlink_to(path)  # a loop: not even root can read it
    with pytest.raises(UnreadableFrame, match=r"b\.fits cannot be read"):
        scan_frame(path, CAMERA)


def _written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "b.fits"
    path.write_bytes(data)
    return path


def read_everything(data: bytes) -> None:
    """All that is ever read of a frame."""
    raw = RawFrame.of_bytes("f.fits", data)
    raw.header()
    raw.hdu_headers()
    for image in raw.images:
        raw.read(image.index)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_damage_is_a_frame_error_or_harmless(kind: str, data: st.DataObject) -> None:
    """Truncations, flipped bits, and characters that a header might have, anywhere in the file."""
    damaged = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.sampled_from(["bit", "byte", "character", "cut"])):
            case "bit":
                damaged[where] ^= 1 << data.draw(st.integers(0, 7))
            case "byte":
                damaged[where] = data.draw(st.integers(0, 255))
            case "character":
                damaged[where] = data.draw(st.sampled_from(list(b"0123456789TF='-. E")))
            case "cut" if where > 0:
                damaged = damaged[:where]
    try:
        read_everything(bytes(damaged))
    except FrameError as error:
        assert error.file == "f.fits"  # noqa: PT017  no damage at all is as good
        assert error.hint  # noqa: PT017


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=6000))
def test_random_bytes_are_a_frame_error(data: bytes) -> None:
    for start in (b"", b"SIMPLE  =                    T".ljust(80)):
        with pytest.raises(FrameError):
            read_everything(start + data)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_scan_of_a_damaged_frame_is_a_frame_error_or_a_record(tmp_path: Path, data: st.DataObject) -> None:
    """The same for the whole of ingest's look at a file: facts and content, mostly in the header."""
    damaged = bytearray(good(FILTER="r", EXPTIME=12.5))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, 80 * 20))
        damaged[where] = data.draw(st.sampled_from(list(b"0123456789TF='-. ENa/\xff\0")))
    path = tmp_path / "b7.fits"
    path.write_bytes(damaged)
    try:
        (record,) = scan_frame(path, CAMERA)
    except FrameError as error:
        assert error.file == str(path)  # noqa: PT017
        assert error.hint  # noqa: PT017
    else:
        assert records_from_arrow(records_to_arrow([record])) == [record]
