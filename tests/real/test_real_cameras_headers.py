"""Every real header of the Rubin cameras and DECam translates, or is refused for a reason that is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from astro_metadata_translator.tests import read_test_file

from fiducial.cameras import load_camera, recognises, translate
from fiducial.cameras.facts import FrameFacts
from fiducial.errors import FrameError, HeaderError, WrongCamera

pytestmark = pytest.mark.real

CAMERAS = ("latiss", "lsstcomcam", "lsstcam", "decam")

# File -> (camera, exposure, detector, frame type, filter, exposure time, dark time)
TRANSLATED = {
    "latiss-2018-09-20-05700065-det000.yaml": (
        "LATISS",
        3018092000065,
        0,
        "unknown",
        "unknown~unknown",
        27.0,
        27.0,
    ),
    "latiss-AT_O_20190306_000014.yaml": (
        "LATISS",
        2019030600014,
        0,
        "unknown",
        "unknown~unknown",
        1.06,
        1.06,
    ),
    "latiss-AT_O_20190915_000037.yaml": ("LATISS", 2019091500037, 0, "bias", "unknown~unknown", 0.0, 0.0),
    "latiss-AT_O_20191031_000004.yaml": ("LATISS", 2019103100004, 0, "science", "unknown~unknown", 3.0, 3.0),
    "latiss-AT_O_20191104_000003.yaml": ("LATISS", 2019110400003, 0, "science", "unknown~unknown", 3.0, 3.0),
    "latiss-AT_O_20191113_000061.yaml": (
        "LATISS",
        2019111300061,
        0,
        "science",
        "empty~ronchi90lpmm",
        0.5,
        0.5,
    ),
    "latiss-AT_O_20191118_000011.yaml": (
        "LATISS",
        2019111800011,
        0,
        "dark",
        "disperser~ronchi170lpmm",
        15.0,
        15.0,
    ),
    "latiss-AT_O_20200121_000045.yaml": (
        "LATISS",
        2020012100045,
        0,
        "science",
        "blank_bk7_wg05~empty",
        100.0,
        100.0,
    ),
    "latiss-AT_O_20200128_000335.yaml": (
        "LATISS",
        2020012800335,
        0,
        "engtest",
        "blank_bk7_wg05~ronchi90lpmm",
        7.5,
        7.5,
    ),
    "latiss-AT_O_20200128_000379.yaml": (
        "LATISS",
        2020012800379,
        0,
        "science",
        "KPNO_406_828nm~empty",
        5.0,
        5.0,
    ),
    "latiss-AT_O_20210210_000011.yaml": (
        "LATISS",
        2021021000011,
        0,
        "engtest",
        "RG610~ronchi90lpmm",
        1.0,
        1.33726835250854,
    ),
    "latiss-AT_O_20210212_000006.yaml": (
        "LATISS",
        2021021200006,
        0,
        "engtest",
        "RG610~ronchi90lpmm",
        1.0,
        1.32111597061157,
    ),
    "latiss-AT_O_20220405_000348.yaml": (
        "LATISS",
        2022040500348,
        0,
        "science",
        "SDSSr~empty",
        30.0,
        30.3176279067993,
    ),
    "latiss-AT_O_20220405_000349.yaml": (
        "LATISS",
        2022040500349,
        0,
        "science",
        "SDSSr~empty",
        30.0,
        30.2387452125549,
    ),
    "latiss-AT_O_20230321_000053.yaml": ("LATISS", 2023032100053, 0, "dark", "empty~empty", 30.0, 30.0126),
    "latiss-AT_O_20230705_000379_R00_S00.json": (
        "LATISS",
        2023070500379,
        0,
        "science",
        "empty~holo4_003",
        30.0,
        30.2418,
    ),
    "latiss-AT_O_20240624_000106_R00_S00-patched.yaml": (
        "LATISS",
        2024062400106,
        0,
        "science",
        "SDSSr_65mm~empty",
        30.0,
        30.2407,
    ),
    "latiss-AT_O_20240624_000106_R00_S00.yaml": (
        "LATISS",
        2024062400106,
        0,
        "cwfs",
        "SDSSr_65mm~empty",
        30.0,
        30.2407,
    ),
    "latiss-AT_O_20240624_000169_R00_S00.yaml": (
        "LATISS",
        2024062400169,
        0,
        "dark",
        "SDSSr_65mm~empty",
        30.0,
        30.0096,
    ),
    "comCam-CC_C_20190526_000223_R22_S01.yaml": (
        "LSSTComCam",
        3019052600223,
        1,
        "bias",
        "unknown",
        0.0,
        0.034,
    ),
    "comCam-CC_C_20190530_000001_R22_S00.yaml": (
        "LSSTComCam",
        3019053000001,
        0,
        "bias",
        "unknown",
        0.0,
        0.398,
    ),
    "comCam-CC_H_20100217_006001_R22_S00.yaml": ("LSSTComCam", 4010021706001, 0, "science", "g_01", 1.0, 1.0),
    "comCam-CC_O_20241108_000266_R22_S00.yaml": (
        "LSSTComCam",
        2024110800266,
        0,
        "science",
        "g_01",
        30.0,
        30.4306,
    ),
    "lsstCam-MC_C_20190319_000001_R10_S02.yaml": ("LSSTCam", 3019031900001, 29, "bias", "unknown", 0.0, 0.0),
    "lsstCam-MC_C_20190319_000001_R22_S21.yaml": ("LSSTCam", 3019031900001, 97, "bias", "unknown", 0.0, 0.0),
    "lsstCam-MC_C_20190322_000002_R10_S22.yaml": ("LSSTCam", 3019032200002, 35, "flat", "SDSSi", 1.0, 1.0),
    "lsstCam-MC_C_20190406_000643_R10_S00.yaml": (
        "LSSTCam",
        3019040600643,
        27,
        "flat",
        "950nm",
        999.99,
        1007.422,
    ),
    "lsstCam-MC_C_20231107_000078_R01_S01.json": ("LSSTCam", 3023110700078, 1, "bias", "ph_05", 0.0, 0.092),
    "lsstCam-MC_C_20250425_000031_R01_S01.yaml": (
        "LSSTCam",
        3025042500031,
        1,
        "unknown",
        "unknown",
        2.767,
        1469.57,
    ),
    "lsstCam-MC_H_20100217_000032_R22_S00.yaml": ("LSSTCam", 4010021700032, 90, "science", "g", 15.0, 15.0),
    "lsstCam-MC_O_20250415_000060_R01_S01.yaml": ("LSSTCam", 2025041500060, 1, "acq", "i_39", 15.0, 15.9548),
    "lsstCam-MC_O_20250415_000228_R10_S20.yaml": ("LSSTCam", 2025041500228, 33, "acq", "i_39", 30.0, 30.9422),
    "lsstCam-MC_O_20250422_000250_R01_S01.yaml": ("LSSTCam", 2025042200250, 1, "acq", "r_57", 15.0, 15.9482),
    "lsstCam-MC_O_20250609_000578_R01_S01.yaml": (
        "LSSTCam",
        2025060900578,
        1,
        "science",
        "y_10",
        30.0,
        30.9487,
    ),
    "lsstCam-MC_O_20260315_000051_R01_S01.yaml": ("LSSTCam", 2026031500051, 1, "dark", "r_57", 5.0, 5.01371),
    "lsstCam-faked-future-ccs.yaml": ("LSSTCam", 3029031900001, 29, "bias", "unknown", 0.0, 0.0),
    "lsstCam_MC_C_20231125_000600_R12_S10.yaml": (
        "LSSTCam",
        3023112500600,
        48,
        "flat",
        "NONE",
        15.0,
        18.1514,
    ),
    "fitsheader-decam-0160496.yaml": ("DECam", 160496, 25, "bias", "solid plate 0.0 0.0", 0.0, 0.0407898),
    "fitsheader-decam-raw_dec050441_25.yaml": (
        "DECam",
        177764,
        25,
        "science",
        "g DECam SDSS c0001 4720.0 1520.0",
        30.0,
        31.1290202,
    ),
    "fitsheader-decam.yaml": (
        "DECam",
        229388,
        25,
        "science",
        "z DECam SDSS c0004 9260.0 1520.0",
        200.0,
        201.15662,
    ),
}

# File -> (camera, keyword, what is said of it)
REFUSED = {
    "latiss-AT_C_20220426_000004_R00_S00.yaml": ("latiss", "EXPTIME", "EXPTIME is missing"),
    "latiss-AT_O_20190329_000022-ats-wfs_ccd.yaml": ("latiss", "EXPTIME", "EXPTIME is empty"),
    # Made up, of a controller that does not exist.
    "latiss-future.yaml": ("latiss", "CONTRLLR", "'X' is not a number, and none of O, C"),
    "latiss-future-bad.yaml": ("latiss", "CONTRLLR", "'X' is not a number, and none of O, C"),
    # A wavefront sensor of a corner raft: only the science detectors are described.
    "lsstCam-MC_O_20251121_000156_R44_SW0.json": ("lsstcam", "RAFTBAY", "LSSTCam has no detector 'R44_SW0'"),
}

# Of other cameras, or not raw: none of the four takes them for its own.
OTHERS = (
    "comCamSim-*",
    "lsstCamSim-*",
    "ts8-*",
    "fitsheader-hsc*",
    "fitsheader-megaprime*",
    "fitsheader-sdss*",
    "fitsheader-suprimecam*",
    "fitsheader-decam-calexp*",
    "fitsheader-decam-instcal*",
)
# Two files of test stands cannot be read even by the tool they were written with (a list as a value).
UNREADABLE = (
    "ts8-E2V-CCD250-179_lambda_bias_024_6006D_20180724104156.yaml",
    "ts8-E2V-CCD250-200-Dev_lambda_flat_0700_6006D_20180724102845.yaml",
)


def header_files(folder: Path) -> list[Path]:
    found = [*(folder / "headers").rglob("*.yaml"), *(folder / "headers").rglob("*.json")]
    return sorted(path for path in found if path.name not in UNREADABLE)


def outcome(header: Mapping[str, Any], path: Path, name: str) -> FrameFacts | FrameError:
    try:
        return translate(load_camera(name), header, file=str(path))
    except FrameError as error:
        return error


def test_every_header_translates_or_is_refused_for_its_reason(real_data: Path) -> None:
    seen: set[str] = set()
    for path in header_files(real_data):
        header = read_test_file(str(path))
        others = any(path.match(pattern) for pattern in OTHERS)
        for name in CAMERAS:
            found = outcome(header, path, name)
            ours = recognises(load_camera(name), header, str(path))
            assert ours == (not isinstance(found, WrongCamera))
            if not ours:
                continue
            assert not others, f"{path.name} was taken for {name}"
            assert path.name not in seen, f"{path.name} was taken for two cameras"
            seen.add(path.name)
            if isinstance(found, FrameFacts):
                summary = (found.camera, found.exposure, found.detectors[0], found.frame_type, found.filter)
                assert (*summary, found.exposure_time, found.dark_time) == TRANSLATED[path.name]
                assert 2010 <= found.begin.year <= 2026
                assert found.begin <= found.end
                continue
            camera, keyword, message = REFUSED[path.name]
            assert isinstance(found, HeaderError)
            assert (name, found.keyword) == (camera, keyword)
            assert message in found.message
            assert found.hint
    assert seen == TRANSLATED.keys() | REFUSED.keys()


def test_a_latiss_frame_has_all_its_facts(real_data: Path) -> None:
    path = real_data / "headers" / "lsst" / "latiss-AT_O_20240624_000169_R00_S00.yaml"
    found = translate(load_camera("latiss"), read_test_file(str(path)), file=str(path))
    assert (found.obs_id, found.day_obs, found.seq_num) == ("AT_O_20240624_000169", 20240624, 169)
    assert found.begin.isoformat() == "2024-06-25T07:10:40.383000"  # TAI already
    assert found.group == "2024-06-25T07:10:40.297"
    assert (found.temperature, found.temperature_set, found.binning) == (-101.019, -104.15, (1, 1))
    assert found.detector_serial == "ITL-3800C-068"
    assert found.zenith_angle == pytest.approx(51.007, abs=1e-3)
    assert found.state == {
        "SEQNAME": "FP_ITL_2s_ir2_v26_no_RG.seq",
        "SEQFILE": "FP_ITL_2s_ir2_v26_no_RG.seq",
        "ODP": None,  # not in the header: unknown
        "AP0_RC": None,
        "TEMP_SET": -104.15,
    }
