"""The frames of real nights, chosen as their descriptions demand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fiducial.cameras import load_camera
from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.frames.scan import scan_frame
from fiducial.selection import KindPlan, first_exposures, plan_kind

pytestmark = pytest.mark.real


def scan(folder: Path, camera: str) -> list[FrameRecord]:
    files = sorted(folder.rglob("*.fits.fz"))
    assert files, folder
    return [record for file in files for record in scan_frame(file, load_camera(camera))]


@pytest.fixture(scope="module")
def stl1001(real_data: Path) -> list[FrameRecord]:
    return scan(real_data / "stl1001-2017", "stl1001")


@pytest.fixture(scope="module")
def kast(real_data: Path) -> list[FrameRecord]:
    return scan(real_data / "kast-blue", "kast-blue")


def files(records: list[FrameRecord], exposures: tuple[int, ...]) -> set[str]:
    """Return the names of the exposures' files."""
    return {
        Path(record.file).name.removesuffix(".fits.fz") for record in records if record.exposure in exposures
    }


def numbered(stem: str, numbers: range) -> set[str]:
    return {stem.format(number) for number in numbers}


def set_aside(plan: KindPlan) -> list[int]:
    return [choice.exposure for choice in plan.choices if choice.use == "set_aside"]


@pytest.mark.parametrize(
    ("temperature", "name"),
    [(-10, "bias-Neg10-Vis.{:08d}.BIAS"), (-5, "biases-Neg5-Vis.{:08d}.BIAS")],
)
def test_stl1001_biases_of_each_temperature(stl1001: list[FrameRecord], temperature: int, name: str) -> None:
    # Each set drifts by about 1 adu, most in its first frame and the last: no reason to set any aside.
    plan = plan_kind("bias", stl1001, load_camera("stl1001"), state={"SET-TEMP": temperature})
    assert files(stl1001, plan.first) == {name.format(0)}
    assert files(stl1001, plan.generate) == numbered(name, range(1, 10))
    assert set_aside(plan) == []
    assert plan.count("left_out") == 10
    assert len(plan.choices) == 20


def test_stl1001_bias_of_the_temperature_that_the_night_used_most(stl1001: list[FrameRecord]) -> None:
    plan = plan_kind("bias", stl1001, load_camera("stl1001"))
    assert plan.state["SET-TEMP"] == -5
    assert any(
        "10 more in another camera state" in note and "--state SET-TEMP=-10" in note for note in plan.notes
    )


def test_stl1001_darks_of_all_times(stl1001: list[FrameRecord]) -> None:
    # Those called expos1 are exposures of 60 s; the first of them is 0.8 adu high, which is no fault.
    camera = load_camera("stl1001")
    warm = plan_kind("dark", stl1001, camera, night=20170908)
    assert files(stl1001, warm.first) == {"darks-expos1-Neg5-Vis.00000000.DARK"}
    ladder = {f"darks-expos{time}s-Neg5-Vis.00000000.DARK" for time in (10, 20, 30, 60, 150, 300)}
    assert files(stl1001, warm.generate) == ladder | numbered(
        "darks-expos1-Neg5-Vis.{:08d}.DARK", range(1, 10)
    )
    cold = plan_kind("dark", stl1001, camera, state={"SET-TEMP": -10})
    ladder = {f"darks-expos{time}s-Neg10-Vis.00000000.DARK" for time in (10, 20, 30, 60, 150)}
    assert files(stl1001, cold.generate) == ladder
    assert files(stl1001, cold.first) == {"darks-expos300s-Neg10-Vis.00000000.DARK"}
    assert set_aside(warm) == set_aside(cold) == []


def test_stl1001_flats(stl1001: list[FrameRecord]) -> None:
    # Their headers say Light Frame.
    plan = plan_kind("flat", stl1001, load_camera("stl1001"))
    name = "flat-expos23s-Neg5-Vis.{:08d}"
    assert files(stl1001, plan.first) == {name.format(0)}
    assert files(stl1001, plan.generate) == numbered(name, range(1, 10))
    assert set_aside(plan) == []


def test_stl1001_dark_among_the_flats(stl1001: list[FrameRecord]) -> None:
    # A camera without overscan: what a level without light is, the biases say.
    records = [
        record.model_copy(update={"facts": record.facts.model_copy(update={"frame_type": "flat"})})
        if "expos30s-Neg5" in record.file
        else record
        for record in stl1001
    ]
    plan = plan_kind("flat", records, load_camera("stl1001"))
    (dark,) = [choice for choice in plan.choices if choice.use == "set_aside"]
    assert re.search(r"no light: 12\.\d adu above zero", dark.reason)  # 30 s of dark current


def test_kast_blue_biases(kast: list[FrameRecord]) -> None:
    # Even and odd ones alternate by 0.4 adu; their headers say DARK.
    plan = plan_kind("bias", kast, load_camera("kast-blue"))
    assert files(kast, plan.first) == {"b14"}
    assert files(kast, plan.generate) == numbered("b{}", range(15, 24))
    assert set_aside(plan) == []


def test_kast_blue_flats_without_the_saturated_one(kast: list[FrameRecord]) -> None:
    plan = plan_kind("flat", kast, load_camera("kast-blue"))
    assert files(kast, plan.first) == {"b3"}
    assert files(kast, plan.generate) == numbered("b{}", range(4, 14))
    (saturated,) = [choice for choice in plan.choices if choice.use == "set_aside"]
    assert files(kast, (saturated.exposure,)) == {"b2"}
    # 56,808 pixels reach 65,000 adu; 51,634 of them stand at the ADC's end.
    limit = max(amp.saturation for amp in load_camera("kast-blue").amplifiers(0))
    pixels = {65000: "56,808", 65535: "51,634"}[round(limit)]
    assert f"saturated in {pixels} of 716,800 pixels" in saturated.reason
    assert saturated.value is not None
    assert saturated.limit is not None
    assert saturated.value > saturated.limit


def test_first_exposures_of_both_nights(stl1001: list[FrameRecord], kast: list[FrameRecord]) -> None:
    first = first_exposures(stl1001, load_camera("stl1001"))
    assert files(stl1001, tuple(first)) == {
        "bias-Neg10-Vis.00000000.BIAS",
        "biases-Neg5-Vis.00000000.BIAS",
        "darks-expos1-Neg5-Vis.00000000.DARK",
        "darks-expos300s-Neg10-Vis.00000000.DARK",
        "flat-expos23s-Neg5-Vis.00000000",
    }
    first = first_exposures(kast, load_camera("kast-blue"))
    assert files(kast, tuple(first)) == {"b2", "b3", "b14"}


def test_esis_flats_with_the_lamp_off(real_data: Path) -> None:
    # Two frames with light and two without, and nothing in the headers that tells them apart.
    records = [
        record.model_copy(update={"facts": record.facts.model_copy(update={"frame_type": "flat"})})
        for record in scan(real_data / "esis" / "led", "esis")
    ]
    settings = SelectionDefaults(skip_first=0, minimum=2)
    plan = plan_kind("flat", records, load_camera("esis"), settings=settings)
    assert files(records, plan.generate) == {"ESIS1_04803", "ESIS1_04804"}
    off = [choice for choice in plan.choices if choice.use == "set_aside"]
    assert files(records, tuple(choice.exposure for choice in off)) == {"ESIS1_04860", "ESIS1_04861"}
    assert all(choice.reason.startswith("no light: ") for choice in off)


def test_esis_has_too_few_flats_unless_asked_for_two(real_data: Path) -> None:
    records = scan(real_data / "esis" / "led", "esis")
    with pytest.raises(NothingToDo, match="flat in none: 1 usable frame, 3 are needed"):
        plan_kind("flat", records, load_camera("esis"), settings=SelectionDefaults())
    # The camera's file says that flats come in pairs.
    assert len(plan_kind("flat", records, load_camera("esis")).generate) == 2


def test_kast_blue_has_no_darks(kast: list[FrameRecord]) -> None:
    with pytest.raises(NothingToDo, match="no dark frames: there are 1 arc, 10 bias, 12 flat, 4 science"):
        plan_kind("dark", kast, load_camera("kast-blue"))
