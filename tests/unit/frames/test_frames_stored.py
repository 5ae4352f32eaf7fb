"""Rows as they are stored give the pixels that reading them gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import frames_files
from fiducial.errors import UnreadableFrame
from fiducial.frames.raw import RawFrame

KINDS = frames_files.many_kinds()
STORED = {
    kind
    for kind, data in KINDS.items()
    if any(i.dtype == np.uint16 for i in RawFrame.of_bytes("frame.fits", data).images)
} | {"int16"}


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("kind", sorted(STORED))
def test_stored_rows_and_their_zero_are_the_pixels(kind: str, in_memory: bool, tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(KINDS[kind])
    raw = RawFrame.of_bytes(path, KINDS[kind]) if in_memory else RawFrame.open(path)
    for image in raw.images:
        rows = raw.stored_rows(image.index)
        assert rows is not None
        assert rows.shape == image.shape
        expected = raw.read(image.index)
        for first, last in ((0, image.shape[0]), (3, 4), (5, 20)):
            out = np.zeros((last - first, image.shape[1]), rows.dtype)
            rows.read(first, out)
            assert_array_equal(out.astype(np.int32) + rows.zero, expected[first:last])
            pixels = np.zeros(out.shape, np.uint16)
            if expected.dtype == np.uint16:
                rows.read_pixels(first, pixels)
                assert_array_equal(pixels, expected[first:last])
            else:
                with pytest.raises(ValueError, match="are not read into uint16"):
                    rows.read_pixels(first, pixels)


def test_some_kind_is_plain_and_some_compressed() -> None:
    assert {"uint16", "rice", "int16"} <= STORED


@pytest.mark.parametrize("kind", sorted(set(KINDS) - STORED))
def test_other_pixels_are_not_had_as_they_are_stored(kind: str) -> None:
    raw = RawFrame.of_bytes("frame.fits", KINDS[kind])
    assert all(raw.stored_rows(image.index) is None for image in raw.images)


def test_memory_that_does_not_fit() -> None:
    raw = RawFrame.of_bytes("frame.fits", KINDS["uint16"])
    rows = raw.stored_rows()
    assert rows is not None
    ny, nx = rows.shape
    for first, out in (
        (-1, np.empty((2, nx), rows.dtype)),
        (ny - 1, np.empty((2, nx), rows.dtype)),
        (0, np.empty((2, nx - 1), rows.dtype)),
        (0, np.empty(nx, rows.dtype)),
        (0, np.empty((2, nx), rows.dtype.newbyteorder())),
        (0, np.empty((4, nx), rows.dtype)[::2]),
    ):
        with pytest.raises(ValueError, match=r"memory of|stored as"):
            rows.read(first, out)


def test_a_file_that_is_cut_short_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(KINDS["uint16"])
    rows = RawFrame.open(path).stored_rows()
    assert rows is not None
    path.write_bytes(KINDS["uint16"][: 2880 + 100])
    with pytest.raises(UnreadableFrame, match="truncated"):
        rows.read(0, np.empty(rows.shape, rows.dtype))
