"""The compressed frames of real cameras, decoded here and by the FITS library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial.frames import tiles_by_library
from fiducial.frames.raw import RawFrame

pytestmark = pytest.mark.real


@pytest.mark.parametrize("folder", ["kast-blue", "stl1001-2017", "esis"])
def test_every_second_frame_equals_what_the_library_reads(
    folder: str, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("decoded by the library")

    monkeypatch.setattr(tiles_by_library, "decode_by_library", refuse)
    files = sorted((real_data / folder).rglob("*.fits.fz"))[::2]
    assert files
    for file in files:
        raw = RawFrame.open(file)
        assert any(image.compressed for image in raw.images)
        with fits.open(file) as opened:
            for image in raw.images:
                np.testing.assert_array_equal(raw.read(image.index), opened[image.index].data)
