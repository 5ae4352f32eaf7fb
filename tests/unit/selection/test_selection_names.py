"""Names of collections, ranges of exposures, and the commands that use them."""

from __future__ import annotations

import shlex

import pytest

from fiducial.errors import UsageError
from fiducial.selection import commands, data_query, free_rerun, plan_kind, production_names
from fiducial.selection.ranges import compress
from selection_frames import Night, make_camera


def test_names_of_a_bias() -> None:
    names = production_names("LATISS", "DM-43525", "lowerSetTemp", "bias", None, "20240326a")
    assert names.gen == "LATISS/calib/DM-43525/lowerSetTemp/biasGen.20240326a"
    assert names.verify == "LATISS/calib/DM-43525/lowerSetTemp/verifyBias.20240326a"
    assert names.certified == "LATISS/calib/DM-43525/lowerSetTemp/bias.20240326a"
    assert names.ticket_chain == "LATISS/calib/DM-43525"
    assert names.calib == "LATISS/calib"


def test_names_of_a_flat_hold_its_filter() -> None:
    names = production_names("CAM", "T", "t", "flat", "SDSS r/65 mm", "20240326a")
    assert names.gen == "CAM/calib/T/t/flatGen-SDSS_r_65_mm.20240326a"
    assert names.verify == "CAM/calib/T/t/verifyFlat-SDSS_r_65_mm.20240326a"
    assert names.certified == "CAM/calib/T/t/flat-SDSS_r_65_mm.20240326a"
    bootstrap = production_names("CAM", "T", "t", "flatBootstrap", "g", "20240326a")
    assert bootstrap.gen == "CAM/calib/T/t/flatBootstrapGen-g.20240326a"
    assert production_names("CAM", "T", "t", "dark", "g", "20240326a").gen.endswith("/darkGen.20240326a")


@pytest.mark.parametrize("ticket", ["", "a b", "a/b", ".a", "a,b", "a*"])
def test_names_refuse_what_does_not_fit(ticket: str) -> None:
    with pytest.raises(UsageError, match="ticket"):
        production_names("CAM", ticket, "t", "bias", None, "20240326a")


def test_free_rerun() -> None:
    base = "CAM/calib/T/t"
    assert free_rerun(20240326, []) == "20240326a"
    existing = [
        f"{base}/biasGen.20240326a/20240327T163518Z",
        f"{base}/flat-g.20240326b",
        f"{base}/x.20240325c",
    ]
    assert free_rerun("20240326", existing) == "20240326c"
    many = [f"{base}/bias.20240326{chr(97 + i)}" for i in range(26)]
    assert free_rerun(20240326, many) == "20240326aa"
    assert free_rerun(20240326, [*many, "bias.20240326aa", "bias.20240326ab"]) == "20240326ac"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([3], "3"), ([5, 3, 4, 9], "3..5, 9"), ([1, 1, 2], "1..2"), ([1, 3, 5], "1, 3, 5")],
)
def test_ranges(numbers: list[int], text: str) -> None:
    assert compress(numbers) == text


def test_data_query() -> None:
    assert data_query("C", [2, 3, 4]) == "instrument='C' AND exposure IN (2..4)"
    assert data_query("C", [7], [0]) == "instrument='C' AND detector=0 AND exposure IN (7)"
    assert data_query("C", [7], [0, 1, 5]) == "instrument='C' AND detector IN (0..1, 5) AND exposure IN (7)"


def test_commands_are_those_of_a_calibration_script() -> None:
    night = Night()
    night.bias(12)
    plan = plan_kind("bias", night.records, make_camera())
    lines = commands(
        plan,
        repo="/data/my repo",
        instrument="TestCam",
        ticket="DM-1",
        tag="first",
        rerun="20240326a",
        detectors=[0],
        pipelines_dir="/pipes",
        processes=4,
    )
    words = [shlex.split(line) for line in lines]
    base = "TestCam/calib/DM-1/first"
    generate, _, verify, certify = words[:4]
    assert generate == [
        *("pipetask", "--long-log", "--log-level", "fiducial=INFO", "run", "-b", "/data/my repo"),
        *(
            "-p",
            "/pipes/cpBias.yaml",
            "-i",
            "TestCam/raw/all,TestCam/calib",
            "-o",
            f"{base}/biasGen.20240326a",
        ),
        *("-d", "instrument='TestCam' AND detector=0 AND exposure IN (2024032600002..2024032600012)"),
        *("--register-dataset-types", "-j", "4"),
    ]
    assert verify[verify.index("-p") + 1] == "/pipes/VerifyBias.yaml"
    assert verify[verify.index("-i") + 1] == f"{base}/biasGen.20240326a,TestCam/calib,TestCam/raw/all"
    assert verify[verify.index("-o") + 1] == f"{base}/verifyBias.20240326a"
    assert verify[verify.index("-d") + 1].endswith("(2024032600001..2024032600012)")
    assert certify == [
        *("butler", "certify-calibrations", "--begin-date", "2024-03-26", "/data/my repo"),
        *(f"{base}/biasGen.20240326a", f"{base}/bias.20240326a", "bias"),
    ]
    chains = [w for w in words if w[1] == "collection-chain"]
    assert chains[0][2:] == [
        *("--mode", "prepend", "/data/my repo", "TestCam/calib/DM-1", f"{base}/bias.20240326a")
    ]
    assert chains[1][2:] == ["--mode", "prepend", "/data/my repo", "TestCam/calib", "TestCam/calib/DM-1"]
    assert words[-1][:4] == ["butler", "export-calibs", "--transfer", "copy"]


def test_commands_of_a_flat_and_of_a_bootstrap() -> None:
    night = Night()
    night.flat(6)
    names = production_names("TestCam", "T", "t", "flat", "g", "20240326a")
    plan = plan_kind("flat", night.records, make_camera(), physical_filter="g")
    lines = commands(plan, names, repo="r", instrument="TestCam", begin="2024-04-01", end="2025-04-01")
    assert "/cpFlat.yaml" in lines[0]
    assert "detector" not in lines[0]
    assert "--begin-date 2024-04-01 --end-date 2025-04-01" in lines[3]
    bootstrap = plan_kind("flatBootstrap", night.records, make_camera(), physical_filter="g")
    lines = commands(bootstrap, repo="r", instrument="TestCam", ticket="T", tag="t", rerun="20240326a")
    assert "cpFlatBootstrap.yaml" in lines[0]
    assert "VerifyFlatBootstrap.yaml" in lines[2]
    lines = commands(bootstrap, names, repo="r", instrument="TestCam", processes=3, overrides=("a:b=[1, 2]",))
    assert " -c 'a:b=[1, 2]' " in lines[0]
    assert " -c " not in lines[2]
    assert lines[0].endswith(" -j 3")
