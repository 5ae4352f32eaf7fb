"""Camera files drafted from frames of made-up cameras, whose description is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cameras_frames import Night

from fiducial.cameras import DraftInput, camera_from_yaml, draft_camera
from fiducial.cameras.model import Camera
from fiducial.cameras.regions import Region
from fiducial.errors import HeaderError, NothingToDo

HEADERS = {"recognise": {"INSTRUME": "MockCam 7"}, "begin": "DATE-OBS", "exposure_time": "EXPTIME"}


def camera(raw_shape: tuple[int, int], amplifiers: list[dict[str, Any]]) -> Camera:
    return Camera.model_validate(
        {
            "name": "MockCam",
            "layouts": {"ccd": {"raw_shape": raw_shape, "amplifiers": amplifiers}},
            "detectors": [{"id": 0, "name": "CCD", "layout": "ccd"}],
            "headers": HEADERS,
        }
    )


def amplifier(
    name: str, data: str, detector: str, gain: float = 1.5, noise: float = 6.0, **more: Any
) -> dict[str, Any]:
    fixed = {"name": name, "data": data, "detector": detector, "gain": gain, "read_noise": noise}
    return fixed | {"saturation": 65535} | more


def take_night(night: Night) -> Night:
    """Three biases, two darks, four flats of two levels, an image of the sky; as plain as may be."""
    for i in range(3):
        night.take(f"b{i}.fits", 0, 0.0, IMAGETYP="Bias Frame", INSTRUME="MockCam 7")
    for i in range(2):
        night.take(f"d{i}.fits", 30, 60.0, IMAGETYP="Dark Frame", INSTRUME="MockCam 7")
    for i in range(4):
        night.take(f"f{i}.fits", 20000 if i < 2 else 24000, 5.0, IMAGETYP="Flat Field", INSTRUME="MockCam 7")
    night.take("s0.fits", 300, 30.0, IMAGETYP="Light Frame", INSTRUME="MockCam 7")
    return night


# Overscan in the middle, where both readouts meet; rows of parallel overscan at the top.
MIDDLE = camera(
    (176, 344),
    [
        amplifier(
            "L",
            "[1:150,1:160]",
            "[1:150,1:160]",
            1.5,
            6.0,
            serial_overscan="[151:172,1:160]",
            parallel_overscan="[1:150,161:176]",
        ),
        amplifier(
            "R",
            "[195:344,1:160]",
            "[151:300,1:160]",
            1.1,
            4.0,
            serial_overscan="[173:194,1:160]",
            parallel_overscan="[195:344,161:176]",
            read_corner="LR",
        ),
    ],
)
# Four taps, blank columns outside.
QUADRANTS = camera(
    (200, 340),
    [
        amplifier("BL", "[21:170,1:100]", "[1:150,1:100]", serial_overscan="[1:20,1:100]"),
        amplifier(
            "BR", "[171:320,1:100]", "[151:300,1:100]", serial_overscan="[321:340,1:100]", read_corner="LR"
        ),
        amplifier(
            "TL", "[21:170,101:200]", "[1:150,101:200]", serial_overscan="[1:20,101:200]", read_corner="UL"
        ),
        amplifier(
            "TR",
            "[171:320,101:200]",
            "[151:300,101:200]",
            serial_overscan="[321:340,101:200]",
            read_corner="UR",
        ),
    ],
)
SINGLE = camera((160, 200), [amplifier("A", "[1:200,1:160]", "[1:200,1:160]")])


@pytest.mark.parametrize(
    ("described", "levels"),
    [
        (MIDDLE, {"L": 1000.0, "R": 1030.0}),
        (QUADRANTS, {"BL": 3560.0, "BR": 3790.0, "TL": 3648.0, "TR": 3438.0}),
        (SINGLE, {"A": 990.0}),
    ],
    ids=["middle", "quadrants", "single"],
)
def test_the_layout_is_found_in_the_pixels(described: Camera, levels: dict[str, float]) -> None:
    night = take_night(Night(described, levels, transient=12.0))
    draft = draft_camera(night.frames)
    found = {a.name: a for a in draft.camera.layouts["ccd"].amplifiers}
    assert draft.camera.layouts["ccd"].raw_shape == described.layouts["ccd"].raw_shape
    assert found.keys() == levels.keys()
    for amp in described.layouts["ccd"].amplifiers:
        drafted = found[amp.name]
        for part in ("data", "detector", "serial_overscan", "parallel_overscan", "read_corner"):
            assert getattr(drafted, part) == getattr(amp, part), (amp.name, part)
        # Two pairs of flats: sqrt(2 / pixels / 2) = 0.8 % for 15,000 pixels; 5 sigma.
        assert drafted.gain == pytest.approx(amp.gain, rel=0.04)
        # One pair of biases: sqrt(1 / 2 pixels) = 0.6 %; rounding and the gain's error come along.
        assert drafted.read_noise == pytest.approx(amp.read_noise, rel=0.06)
    assert camera_from_yaml(draft.yaml, "draft") == draft.camera


def test_equal_levels_give_each_amplifier_the_nearest_overscan() -> None:
    night = take_night(Night(MIDDLE, {"L": 1000.0, "R": 1000.0}))
    amplifiers = draft_camera(night.frames).camera.layouts["ccd"].amplifiers
    # Nothing but light tells the two apart, and it does not: one overscan, 44 columns wide, is what there is.
    assert [str(a.data) for a in amplifiers] == ["[1:150,1:160]", "[195:344,1:160]"]
    assert {str(a.serial_overscan) for a in amplifiers} == {"[151:194,1:160]"}


def test_a_dead_column_does_not_part_an_amplifier() -> None:
    night = take_night(Night(SINGLE, {"A": 990.0}))
    for frame in night.frames:
        frame.hdus[0][2][:, 77:79] = 990
    found = draft_camera(night.frames).camera.layouts["ccd"].amplifiers
    assert [str(a.data) for a in found] == ["[1:200,1:160]"]


def test_pixels_that_are_no_number_are_passed_over() -> None:
    night = take_night(Night(MIDDLE, {"L": 1000.0, "R": 1030.0}))
    frames = []
    for frame in night.frames:
        pixels = frame.hdus[0][2].astype(np.float32)
        pixels[5, 7:12] = np.nan
        frames.append(DraftInput(frame.file, frame.header, [(0, frame.header, pixels)]))
    plain, holed = (draft_camera(given).camera.layouts["ccd"].amplifiers for given in (night.frames, frames))
    assert [(a.name, a.data, a.serial_overscan) for a in holed] == [
        (a.name, a.data, a.serial_overscan) for a in plain
    ]


def test_types_need_words_that_exposure_time_and_level_do_not_contradict() -> None:
    night = Night(SINGLE, {"A": 990.0}, keywords={"INSTRUME": "MockCam 7"})
    for i in range(3):  # as kast-blue: zero exposures called DARK, flats called OBJECT
        night.take(f"b{i}.fits", 0, 0.0, OBSTYPE="DARK", OBJECT="Bias")
    for i in range(4):
        night.take(f"f{i}.fits", 20000, 5.0, OBSTYPE="OBJECT", OBJECT="Dome Flat")
    night.take("s0.fits", 300, 30.0, OBSTYPE="OBJECT", OBJECT="M51")
    rules = {rule.type: rule.when for rule in draft_camera(night.frames).camera.headers.frame_types}
    assert rules == {
        "bias": {"EXPTIME": 0, "OBJECT": "Bias*"},
        "flat": {"OBJECT": "Dome Flat*"},
        "science": {"EXPTIME": "> 0"},
    }


def test_frames_without_any_word_are_parted_by_their_level() -> None:
    night = Night(SINGLE, {"A": 3000.0}, keywords={"CAM_ID": "MOCK"})
    for i in range(4):
        night.take(f"m{i}.fits", 0, 2.0)
    for i in range(4, 6):
        night.take(f"m{i}.fits", 20000, 2.0)
    camera = draft_camera(night.frames).camera
    assert {rule.type: rule.when for rule in camera.headers.frame_types} == {
        "dark": {"$LEVEL": "<= 7000"},  # sqrt(3000 x 16333), to one digit
        "flat": {"$LEVEL": "> 7000"},
    }
    assert camera.defaults.selection["flat"].minimum == 2  # there is a pair of flats, and no third


def test_milliseconds_are_told_by_the_time_between_frames() -> None:
    night = take_night(Night(SINGLE, {"A": 990.0}))
    frames = []
    for frame in night.frames:
        header = {key: value for key, value in frame.header.items() if key != "EXPTIME"}
        header["IMG_EXP"] = round(float(frame.header["EXPTIME"]) * 1000)
        frames.append(DraftInput(frame.file, header, frame.hdus))
    rule = draft_camera(frames).camera.headers.exposure_time
    assert rule is not None
    assert (rule.key, rule.unit) == ("IMG_EXP", "ms")


def test_what_keywords_say_is_taken_up() -> None:
    extra = {
        "CCD-TEMP": -10.2,
        "SET-TEMP": -10.0,
        "XBINNING": 1,
        "YBINNING": 1,
        "FILTER": "V",
        "XPIXSZ": 9.0,
        "TEMPDET": 192.0,
        "RA": "09:21:46.0",
        "DEC": "37:25:56",
        "GAIN": 2.06,
        "READMODE": "slow",
    }
    night = take_night(Night(SINGLE, {"A": 990.0}, keywords=extra))
    for i, frame in enumerate(night.frames):
        frame.header["SEQNUM"] = 10 + i  # type: ignore[index]
    draft = draft_camera(night.frames)
    rules = draft.camera.headers
    assert draft.camera.name == "MockCam"
    assert rules.recognise == {"INSTRUME": "MockCam 7"}
    keys = {
        fact: getattr(rules, fact).key for fact in ("filter", "temperature", "temperature_set", "seq_num")
    }
    assert keys == {
        "filter": "FILTER",
        "temperature": "CCD-TEMP",
        "temperature_set": "SET-TEMP",
        "seq_num": "SEQNUM",
    }
    assert rules.binning is not None
    assert rules.binning.template == "{XBINNING} {YBINNING}"
    assert rules.ra is not None
    assert rules.ra.unit == "hourangle"
    assert set(rules.state) == {"SET-TEMP", "GAIN", "READMODE"}
    assert draft.camera.layouts["ccd"].pixel_size == 9.0


def test_a_number_that_does_not_tell_exposures_apart_is_no_sequence() -> None:
    night = take_night(Night(SINGLE, {"A": 990.0}, keywords={"SEQNUM": 1}))
    assert draft_camera(night.frames).camera.headers.seq_num is None


def test_every_guess_has_its_evidence_beside_it() -> None:
    draft = draft_camera(take_night(Night(SINGLE, {"A": 990.0})).frames)
    lines = draft.yaml.splitlines()
    gain = next(i for i, line in enumerate(lines) if line.strip().startswith("gain:"))
    assert "from 2 pairs of flats" in lines[gain - 1]
    assert any(entry.key == "name" and not entry.sure for entry in draft.evidence)
    assert any("CHECK" in line for line in lines)
    assert camera_from_yaml(draft.yaml, "draft") == draft.camera


def test_the_order_of_the_frames_does_not_matter() -> None:
    frames = take_night(Night(MIDDLE, {"L": 1000.0, "R": 1030.0})).frames
    assert draft_camera(frames[::-1]).yaml == draft_camera(frames).yaml


def test_frames_without_light_or_of_one_kind_still_give_a_camera() -> None:
    night = Night(MIDDLE, {"L": 1000.0, "R": 1030.0}, keywords={"INSTRUME": "MockCam 7"})
    night.take("b0.fits", 0, 0.0, IMAGETYP="Bias")
    draft = draft_camera(night.frames)
    assert any("no flats" in entry.reason and not entry.sure for entry in draft.evidence)
    assert any("no pair" in entry.reason and not entry.sure for entry in draft.evidence)


def test_fits_sections_are_taken_where_they_describe_the_amplifiers() -> None:
    def segment(name: str, detsec: str) -> tuple[str, dict[str, Any], np.ndarray]:
        header = {"EXTNAME": name, "DATASEC": "[4:50,1:60]", "DETSEC": detsec}
        return name, header, np.full((64, 60), 1000, np.int32)

    primary = {"INSTRUME": "Mosaic", "DATE-OBS": "2024-03-26T20:00:00", "EXPTIME": 0.0}
    hdus = [segment("Seg1", "[147:101,1:60]"), segment("Seg0", "[148:194,120:61]")]
    amplifiers = draft_camera([DraftInput("a.fits", primary, hdus)]).camera.layouts["ccd"].amplifiers
    assert [(a.name, a.hdu) for a in amplifiers] == [("Seg1", "Seg1"), ("Seg0", "Seg0")]
    assert amplifiers[0].detector == Region.parse("[47:1,1:60]")
    assert amplifiers[1].detector == Region.parse("[48:94,120:61]")
    assert amplifiers[0].serial_overscan == Region.parse("[51:60,1:60]")
    assert amplifiers[0].parallel_overscan == Region.parse("[4:50,61:64]")


def test_sections_with_letters() -> None:
    header = {
        "INSTRUME": "DECam",
        "DATE-OBS": "2024-03-26T20:00:00",
        "EXPTIME": 0.0,
        "DATASECA": "[41:60,11:50]",
        "CCDSECA": "[21:40,1:40]",
        "BIASSECA": "[61:70,11:50]",
        "AMPSECA": "[40:21,40:1]",
        "DATASECB": "[21:40,11:50]",
        "CCDSECB": "[1:20,1:40]",
        "BIASSECB": "[11:20,11:50]",
        "AMPSECB": "[1:20,40:1]",
    }
    pixels = np.full((50, 80), 1000, np.uint16)
    amplifiers = (
        draft_camera([DraftInput("a.fits", header, [(0, header, pixels)])]).camera.layouts["ccd"].amplifiers
    )
    assert [(a.name, str(a.detector), a.read_corner) for a in amplifiers] == [
        ("A", "[21:40,1:40]", "UR"),
        ("B", "[1:20,1:40]", "UL"),
    ]


def test_a_section_of_a_single_amplifier() -> None:
    night = take_night(
        Night(SINGLE, {"A": 990.0}, keywords={"DATASEC": "[1:180,1:160]", "BIASSEC": "[181:200,1:160]"})
    )
    found = draft_camera(night.frames).camera.layouts["ccd"].amplifiers[0]
    assert (str(found.data), str(found.serial_overscan)) == ("[1:180,1:160]", "[181:200,1:160]")


def test_frames_that_give_no_camera_are_refused() -> None:
    with pytest.raises(NothingToDo, match="no frame has an image"):
        draft_camera([])
    with pytest.raises(NothingToDo, match="no frame has an image"):
        draft_camera([DraftInput("a.fits", {}, [])])
    pixels = np.full((50, 80), 1000, np.uint16)
    with pytest.raises(HeaderError, match="no keyword looks like an exposure time"):
        draft_camera([DraftInput("a.fits", {"DATE-OBS": "2024-03-26T20:00:00"}, [(0, {}, pixels)])])
