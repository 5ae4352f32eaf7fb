"""Raw frames of real cameras: read as they are, their content as it was measured by others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial.cameras import load_camera
from fiducial.cameras.regions import Region
from fiducial.errors import WrongCamera
from fiducial.frames.raw import RawFrame
from fiducial.frames.records import FrameRecord
from fiducial.frames.scan import scan_frame

pytestmark = pytest.mark.real


def scan(folder: Path, name: str, camera: str) -> FrameRecord:
    (record,) = scan_frame(folder / name, load_camera(camera))
    return record


@pytest.mark.parametrize(
    "name",
    [
        "kast-blue/b2.fits.fz",
        "stl1001-2017/darks-expos1-Neg5-Vis.00000000.DARK.fits.fz",
        "esis/led/ESIS1_04803.fits.fz",
        "lsst-raw-layout/3018092000065-det000.fits",
    ],
)
def test_pixels_equal_those_of_the_fits_library(real_data: Path, name: str) -> None:
    raw = RawFrame.open(real_data / name)
    with fits.open(real_data / name) as opened:
        for image in raw.images[:2]:
            expected = opened[image.index].data
            np.testing.assert_array_equal(raw.read(image.index), expected)
            ny, nx = image.shape
            part = Region(nx // 3, nx // 2, ny // 4, ny // 4 + 31)
            np.testing.assert_array_equal(raw.read(image.index, part), expected[part.slices])


def test_kast_keeps_the_first_of_two_keywords(real_data: Path) -> None:
    header = RawFrame.open(real_data / "kast-blue" / "b14.fits.fz").header()
    assert header["OBSTYPE"] == "DARK"  # of a bias; the second OBSTYPE is a number
    assert header["NAXIS1"] == 2112
    assert scan(real_data / "kast-blue", "b14.fits.fz", "kast-blue").facts.frame_type == "bias"


def test_kast_content(real_data: Path) -> None:
    bias = scan(real_data / "kast-blue", "b15.fits.fz", "kast-blue")
    assert [a.amplifier for a in bias.content] == ["L", "R"]
    assert [a.overscan for a in bias.content] == pytest.approx([943.0, 965.0], abs=1.0)
    # Pair differences give 2.860 and 2.704; one frame adds its column pattern (up to 4 %).
    assert [a.noise for a in bias.content] == pytest.approx([2.86, 2.70], rel=0.05)
    saturated = scan(real_data / "kast-blue", "b2.fits.fz", "kast-blue")
    assert sum(a.saturated * 1024 * 350 for a in saturated.content) == pytest.approx(56808)
    flat = scan(real_data / "kast-blue", "b3.fits.fz", "kast-blue")
    assert all(a.saturated == 0 for a in flat.content)
    assert all(a.gradient > 5000 for a in flat.content)


def test_stl1001_content(real_data: Path) -> None:
    folder = real_data / "stl1001-2017"
    levels = [
        scan(folder, f"bias-Neg10-Vis.0000000{i}.BIAS.fits.fz", "stl1001").content[0].level for i in range(10)
    ]
    # The biases drift by 0.9 adu: finer than the integers the frames are made of.
    assert np.median(levels) == pytest.approx(992, abs=1.0)
    assert max(levels) - min(levels) == pytest.approx(0.9, abs=0.3)
    bias = scan(folder, "bias-Neg10-Vis.00000003.BIAS.fits.fz", "stl1001").content[0]
    assert bias.overscan is None
    assert bias.noise == pytest.approx(6.56, rel=0.05)


def test_esis_content(real_data: Path) -> None:
    dark = scan(real_data / "esis" / "led", "ESIS1_04860.fits.fz", "esis")
    assert [a.overscan for a in dark.content] == pytest.approx([3558, 3789, 3648, 3438], abs=1.5)
    lit = scan(real_data / "esis" / "led", "ESIS1_04803.fits.fz", "esis")
    assert lit.signal() > 10_000
    assert (dark.facts.frame_type, lit.facts.frame_type) == ("dark", "flat")


def test_lsst_files_have_sixteen_segments(real_data: Path) -> None:
    for name in ("3018092000065-det000.fits", "201807241028453-RTM-010-S11-det067.fits"):
        raw = RawFrame.open(real_data / "lsst-raw-layout" / name)
        assert [i.name for i in raw.images][:2] == ["Segment10", "Segment11"]
        assert len(raw.images) == 16
        assert {(i.shape, str(i.dtype)) for i in raw.images} == {((2048, 576), "int32")}
    assert len(scan(real_data / "lsst-raw-layout", "3018092000065-det000.fits", "latiss").content) == 16


def test_a_frame_of_another_camera(real_data: Path) -> None:
    with pytest.raises(WrongCamera, match="ESIS1_04803"):
        scan(real_data / "esis" / "led", "ESIS1_04803.fits.fz", "kast-blue")


def test_every_truncation_of_a_real_frame_is_refused(real_data: Path, tmp_path: Path) -> None:
    from fiducial.errors import UnreadableFrame

    data = (real_data / "kast-blue" / "b14.fits.fz").read_bytes()
    with fits.open(io.BytesIO(data), disable_image_compression=True) as opened:
        end = opened[1].fileinfo()["datLoc"] + opened[1].size  # what follows is padding
    for size in (*np.linspace(0, end - 1, 40, dtype=int), end - 1):
        path = tmp_path / "cut.fits.fz"
        path.write_bytes(data[: int(size)])
        with pytest.raises(UnreadableFrame, match=r"cut\.fits\.fz"):
            scan_frame(path, load_camera("kast-blue"))
