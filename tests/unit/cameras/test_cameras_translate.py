"""Headers to facts: each kind of rule, and what is said of headers that will not do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from astropy.io import fits

from fiducial.cameras import load_camera, recognises, state_differences, translate
from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError, HeaderError, WrongCamera

HEADER: dict[str, Any] = {
    "INSTRUME": "Small",
    "DATE-OBS": "2024-03-26T22:58:13.5",
    "EXPTIME": 30.0,
    "FILTER": "SDSSr",
    "GRATING": "empty_1",
    "TEMP": 173.15,
}


def camera(**rules: Any) -> Camera:
    """A camera of one small detector whose header rules are these, beside the needed ones."""
    amplifier = {"name": "A", "data": "[1:4,1:4]", "detector": "[1:4,1:4]"}
    values = {"gain": 1.0, "read_noise": 1.0, "saturation": 100.0}
    headers = {"recognise": {"INSTRUME": "Small"}, "begin": "DATE-OBS", "exposure_time": "EXPTIME"}
    return Camera.model_validate(
        {
            "name": "Small",
            "layouts": {"ccd": {"raw_shape": [4, 4], "amplifiers": [amplifier | values]}},
            "detectors": [{"id": 0, "name": "CCD", "layout": "ccd"}],
            "headers": headers | rules,
        }
    )


def facts(rules: dict[str, Any], header: dict[str, Any] | None = None, **more: Any) -> FrameFacts:
    """The facts of the small header with these changes, by the small camera with these rules."""
    options = {"file": "/nights/flats/f001.fits.fz"} | more
    return translate(camera(**rules), HEADER | (header or {}), **options)


def refused(rules: dict[str, Any], header: dict[str, Any], **more: Any) -> HeaderError:
    with pytest.raises(HeaderError) as caught:
        facts(rules, header, **more)
    assert caught.value.file == "/nights/flats/f001.fits.fz"
    assert caught.value.hint
    return caught.value


# --- values -----------------------------------------------------------------------------------------


def test_the_defaults_of_what_has_no_rule() -> None:
    found = facts({})
    assert found.obs_id == found.group == "f001"
    assert found.begin == datetime(2024, 3, 26, 22, 58, 50, 500000)  # UTC + 37 s
    assert (found.end - found.begin).total_seconds() == 30
    assert found.dark_time == found.exposure_time == 30
    # 22:58:13.5 is 10 h 58 min 13.5 s after the observing day began at 12:00 UTC.
    assert (found.day_obs, found.seq_num, found.exposure) == (20240326, 394935, 20240326394935)
    assert (found.frame_type, found.filter, found.detectors) == ("unknown", "none", (0,))
    assert found.temperature is found.binning is found.target is found.zenith_angle is None


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FILTER", "SDSSr"),
        ({"key": ["NONE", "EMPTY", "FILTER"]}, "SDSSr"),  # missing and empty ones are passed over
        ({"key": "filter"}, "SDSSr"),
        ({"template": "{FILTER}~{GRATING}"}, "SDSSr~empty_1"),
        ({"template": "{FILTER}~{NONE}", "default": "unknown~unknown"}, "unknown~unknown"),
        ({"value": "clear"}, "clear"),
        ({"key": "FILTER", "pattern": "SDSS(.)"}, "r"),
        ({"key": "FILTER", "pattern": "Bessell", "default": "other"}, "other"),
        ({"key": "GRATING", "replace": {r"_\d+$": ""}}, "empty"),
        ({"key": "FILTER", "map": {"SDSSg": "g", "sdss*": "red"}}, "red"),
        ({"key": "FILTER", "map": {"SDSSg": "g"}}, "SDSSr"),  # what the map does not name stays as it is
        ({"key": "NONE"}, "unknown"),
        ({"key": "$FILENAME", "pattern": r"^(\w)\d+"}, "f"),
        ({"key": "$FOLDER"}, "flats"),
    ],
)
def test_text_by_a_rule(rule: Any, expected: str) -> None:
    assert facts({"filter": rule}, {"EMPTY": " "}).filter == expected


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("T", -100.5, -100.5),
        ("T", "-100.5 ", -100.5),
        ({"key": "T", "unit": "K"}, 173.15, -100.0),
        ({"key": "T", "unit": "deg_C"}, -100, -100.0),
        ({"key": "T", "unit": "K", "default": -90}, None, -90.0),  # a default is in the fact's own unit
        ({"key": "T", "unit": "K", "default": 173.15}, 173.15, -100.0),
        ("T", float("nan"), None),
        ("T", "NaN", None),
        ("T", fits.card.Undefined(), None),
    ],
)
def test_temperatures(rule: Any, value: Any, expected: float | None) -> None:
    found = facts({"temperature": rule}, {"T": value}).temperature
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-9))


def test_milliseconds() -> None:
    rules = {"exposure_time": {"key": "IMG_EXP", "unit": "ms"}}
    assert facts(rules, {"IMG_EXP": 1999}).exposure_time == pytest.approx(1.999, rel=1e-12)


def test_a_unit_that_does_not_fit_is_a_fault_of_the_camera_file() -> None:
    with pytest.raises(CameraError, match="exposure_time: unit 'm'"):
        facts({"exposure_time": {"key": "EXPTIME", "unit": "m"}})


@pytest.mark.parametrize(("seconds", "dark"), [(30.2, 30.2), (0.0, 30.0), (None, 30.0)])
def test_a_dark_time_shorter_than_the_exposure_cannot_be(seconds: float | None, dark: float) -> None:
    assert facts({"dark_time": "DARKTIME"}, {"DARKTIME": seconds}).dark_time == dark


@pytest.mark.parametrize(("said", "expected"), [("1 1", (1, 1)), ("2x1", (2, 1)), (2, (2, 2)), (None, None)])
def test_binning(said: Any, expected: tuple[int, int] | None) -> None:
    assert facts({"binning": "CCDSUM"}, {"CCDSUM": said}).binning == expected


def test_directions() -> None:
    rules = {"ra": {"key": "RA", "unit": "hourangle"}, "dec": "DEC", "altitude": "EL"}
    found = facts(rules, {"RA": "09:21:46.0", "DEC": " -00:30:00 ", "EL": 60})
    assert found.ra == pytest.approx(15 * (9 + 21 / 60 + 46 / 3600))
    assert (found.dec, found.zenith_angle) == (-0.5, 30.0)


def test_of_a_keyword_that_stands_twice_the_first_counts() -> None:
    header = fits.Header([*HEADER.items(), ("OBSTYPE", "DARK")])
    header.append(("OBSTYPE", 0), end=True)
    rules = {"frame_types": [{"type": "dark", "when": {"OBSTYPE": "DARK"}}]}
    assert translate(camera(**rules), header, file="a.fits").frame_type == "dark"


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "header", "expected"),
    [
        ("DATE-OBS", {}, "22:58:50.5"),
        ("DATE-OBS", {"TIMESYS": "UTC"}, "22:58:50.5"),
        ("DATE-OBS", {"TIMESYS": "TAI"}, "22:58:13.5"),
        ("DATE-OBS", {"TIMESYS": "TT", "DATE-OBS": "2024-03-26T22:58:45.684"}, "22:58:13.5"),
        ({"key": "DATE-OBS", "scale": "tai"}, {"TIMESYS": "UTC"}, "22:58:13.5"),
        ("DATE-OBS", {"TIMESYS": "TAI", "DATE-OBS": "2024-03-26T22:58:13.5Z"}, "22:58:50.5"),
        ("DATE-OBS", {"DATE-OBS": "2024-03-26 22:58:13.500"}, "22:58:50.5"),
        ("DATE-OBS", {"DATE-OBS": "2024-03-27T01:58:13.5+03:00"}, "22:58:50.5"),
        ({"template": "{DATE}T{UT}"}, {"DATE": "2024-03-26", "UT": "22:58:13.5"}, "22:58:50.5"),
        ({"key": "MJD", "unit": "mjd"}, {"MJD": 60395.5}, "12:00:37"),
        ({"key": "JD", "unit": "jd"}, {"JD": 2460396.0}, "12:00:37"),
        ({"key": "CLOCK", "unit": "unix"}, {"CLOCK": 1711454400, "TIMESYS": "TAI"}, "12:00:37"),
    ],
)
def test_times_are_tai(rule: Any, header: dict[str, Any], expected: str) -> None:
    assert facts({"begin": rule}, header).begin == datetime.fromisoformat(f"2024-03-26T{expected}")


@pytest.mark.parametrize(
    ("utc", "seconds"),
    [("2016-12-31T23:59:59", 36), ("2017-01-01T00:00:00", 37), ("1980-06-01T00:00:00", 19)],
)
def test_leap_seconds(utc: str, seconds: int) -> None:
    begin = facts({}, {"DATE-OBS": utc}).begin
    assert (begin - datetime.fromisoformat(utc)).total_seconds() == seconds


def test_an_end_before_the_beginning_is_not_believed() -> None:
    found = facts({"end": "DATE-END"}, {"DATE-END": "1970-01-01T00:00:08"})
    assert (found.end - found.begin).total_seconds() == 30


@pytest.mark.parametrize(
    ("time", "day"),
    [("2024-03-27T11:59:59", 20240326), ("2024-03-27T12:00:00", 20240327), ("2024-03-01T00:00:00", 20240229)],
)
def test_the_observing_day_begins_at_noon_utc(time: str, day: int) -> None:
    assert facts({}, {"DATE-OBS": time}).day_obs == day


def test_the_observing_day_begins_when_the_camera_file_says() -> None:
    assert facts({"day_offset": 0.0}, {"DATE-OBS": "2024-03-27T00:00:00"}).day_obs == 20240327


# --- identity ---------------------------------------------------------------------------------------


def test_an_exposure_is_named_by_day_and_number() -> None:
    rules = {"day_obs": "DAYOBS", "seq_num": "SEQNUM", "obs_id": {"template": "S_{DAYOBS}_{SEQNUM:06d}"}}
    found = facts(rules, {"DAYOBS": "2024-03-26", "SEQNUM": 2})
    assert (found.exposure, found.obs_id) == (2024032600002, "S_2024-03-26_000002")


def test_other_sources_of_exposures_have_other_ids() -> None:
    offset = {"key": "CONTRLLR", "map": {"O": 0, "C": 10**12}, "default": 0}
    rules = {"day_obs": "DAYOBS", "seq_num": "SEQNUM", "exposure_offset": offset}
    header = {"DAYOBS": 20240326, "SEQNUM": 2}
    assert facts(rules, header).exposure == 2024032600002
    assert facts(rules, header | {"CONTRLLR": "C"}).exposure == 3024032600002
    assert "'X' is not a number, and none of O, C" in refused(rules, header | {"CONTRLLR": "X"}).message


def test_an_exposure_id_may_have_a_rule_of_its_own() -> None:
    assert facts({"exposure_id": "EXPNUM"}, {"EXPNUM": 160496}).exposure == 160496


# --- frame types ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ("Bias*", "Bias Frame", True),
        ("bias*", "BIAS FRAME ", True),
        ("Bias", "Bias Frame", False),
        ("Bias*|Zero*", "zero", True),
        (0, 0, True),
        (0, "0.0", True),
        (0, 0.5, False),
        (0, False, False),
        ("> 0", 0.5, True),
        ("> 0", 0, False),
        ("<= 0.5", "0.5", True),
        ("< 1e3", 999.0, True),
        ("!= 2", 3, True),
        ("> 0", "dark", False),
        (True, True, True),
        (True, "T", True),
        (False, True, False),
        ("present", "x", True),
        ("present", " ", False),
        ("absent", " ", True),
        ("absent", float("nan"), True),
        ("Bias*", None, False),
    ],
)
def test_conditions(condition: Any, value: Any, holds: bool) -> None:
    rules = {"frame_types": [{"type": "yes", "when": {"KEY": condition}}]}
    assert facts(rules, {"KEY": value}).frame_type == ("yes" if holds else "unknown")


def test_the_first_rule_that_holds_decides() -> None:
    types = [
        {"type": "bias", "when": {"EXPTIME": 0, "OBJECT": "Bias"}},
        {"type": "flat", "when": {"$FILENAME": "f*", "OBJECT": "absent"}},
        {"type": "science", "when": {}},
    ]
    assert facts({"frame_types": types}).frame_type == "flat"
    assert facts({"frame_types": types}, {"EXPTIME": 0, "OBJECT": "Bias"}).frame_type == "bias"
    assert facts({"frame_types": types}, {"OBJECT": "M51"}).frame_type == "science"


def counted(level: float) -> tuple[list[int], Callable[[], float]]:
    calls: list[int] = []

    def measure() -> float:
        calls.append(1)
        return level

    return calls, measure


def test_the_level_is_measured_once_and_only_if_asked_for() -> None:
    types = [
        {"type": "science", "when": {"OBJECT": "present", "$LEVEL": "> 1"}},
        {"type": "flat", "when": {"$LEVEL": "> 5000"}},
        {"type": "dark", "when": {"$LEVEL": "<= 5000"}},
    ]
    calls, measure = counted(3500.0)
    assert facts({"frame_types": types}, level=measure).frame_type == "dark"
    assert len(calls) == 1
    calls, measure = counted(3500.0)
    assert facts({"frame_types": types[:1]}, level=measure).frame_type == "unknown"
    assert not calls  # OBJECT is absent: the level was not asked for
    assert facts({"frame_types": types}).frame_type == "unknown"  # no pixels at hand


# --- detectors --------------------------------------------------------------------------------------


def test_the_detectors_of_a_file_are_those_whose_hdus_are_there() -> None:
    decam = load_camera("decam")
    header = {"INSTRUME": "DECam", "PROCTYPE": "raw", "OBSTYPE": "zero", "EXPTIME": 0, "EXPNUM": 1}
    header |= {"DATE-OBS": "2013-02-13T09:01:40.9", "TIMESYS": "UTC", "FILTER": "g", "CCDNUM": 25}
    hdus = [{}, {"EXTNAME": "S29"}, {"EXTNAME": "n4 "}, {"EXTNAME": "FS1"}]
    assert translate(decam, header, file="a.fits", hdu_headers=hdus).detectors == (1, 35)
    assert translate(decam, header, file="a.fits").detectors == (25,)
    with pytest.raises(HeaderError, match="none of the HDUs of DECam's detectors"):
        translate(decam, header, file="a.fits", hdu_headers=[{}, {"EXTNAME": "FS1"}])


@pytest.mark.parametrize(("said", "detector"), [("ESIS1", 1), ("esis3 ", 3), (3, 3)])
def test_a_detector_is_found_by_name_or_id(said: Any, detector: int) -> None:
    esis = load_camera("esis").model_copy(deep=True)
    rules = esis.headers.model_copy(update={"recognise": {"IMG_EXP": "present"}})
    header = {"CAM_ID": said, "IMG_TS": "2017-07-12T18:32:31.951Z", "IMG_EXP": 1999, "IMG_ISN": 4803}
    found = translate(esis.model_copy(update={"headers": rules}), header, file="a.fits")
    assert found.detectors == (detector,)


# --- complaints -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "header", "message", "keyword"),
    [
        ({}, {"EXPTIME": None}, "exposure_time is unknown: EXPTIME is empty", "EXPTIME"),
        (
            {},
            {"EXPTIME": float("nan")},
            "exposure_time is unknown: EXPTIME is empty, not a number",
            "EXPTIME",
        ),
        ({}, {"EXPTIME": "thirty"}, "exposure_time: 'thirty' is not a number", "EXPTIME"),
        ({}, {"EXPTIME": True}, "exposure_time: True is not a number", "EXPTIME"),
        ({}, {"EXPTIME": -1}, "an exposure time of -1 s cannot be", "EXPTIME"),
        ({"exposure_time": "ELAPSED"}, {}, "exposure_time is unknown: ELAPSED is missing", "ELAPSED"),
        ({}, {"DATE-OBS": ""}, "begin is unknown: DATE-OBS is empty", "DATE-OBS"),
        ({}, {"DATE-OBS": "2024-03-26"}, "'2024-03-26' is not a time like", "DATE-OBS"),
        ({}, {"DATE-OBS": "2024-13-26T00:00:00"}, "is not a time like", "DATE-OBS"),
        ({}, {"TIMESYS": "LST"}, "the time scale 'lst' is not known", "TIMESYS"),
        ({"seq_num": "N"}, {}, "seq_num is unknown: N is missing", "N"),
        ({"seq_num": "N"}, {"N": 2.5}, "2.5 is not a whole number", "N"),
        ({"seq_num": "N"}, {"N": 100000}, "100000 is not between 0 and 99999", "N"),
        ({"day_obs": "DAY"}, {"DAY": "20241326"}, "'20241326' is not a day like", "DAY"),
        ({"binning": "B"}, {"B": "two"}, "'two' is not like 1, '2 2' or '2x2'", "B"),
        ({"detector": "CCD"}, {}, "detector is unknown: CCD is missing", "CCD"),
        ({"detector": "CCD"}, {"CCD": "R44"}, "Small has no detector 'R44'", "CCD"),
        ({"exposure_id": "ID"}, {"ID": 0}, "0 is not a positive number", "ID"),
    ],
)
def test_a_header_that_will_not_do(
    rules: dict[str, Any], header: dict[str, Any], message: str, keyword: str
) -> None:
    error = refused(rules, header)
    assert message in error.message
    assert error.message.startswith("f001.fits.fz: ")
    assert error.keyword == keyword


def test_a_camera_file_without_the_needed_rule_is_said_so() -> None:
    rules = {"exposure_time": None}
    assert "nothing says the exposure_time" in refused(rules, {}).message


def test_a_frame_of_another_camera() -> None:
    with pytest.raises(WrongCamera, match="INSTRUME is 'Other', 'Small' was wanted") as caught:
        facts({}, {"INSTRUME": "Other"})
    assert (caught.value.keyword, caught.value.file) == ("INSTRUME", "/nights/flats/f001.fits.fz")
    with pytest.raises(WrongCamera, match="it has no INSTRUME"):
        facts({}, {"INSTRUME": None})
    assert recognises(camera(), HEADER)
    assert not recognises(camera(), {})


def test_a_translator_that_is_not_there() -> None:
    with pytest.raises(CameraError, match="astro-metadata-translator knows no 'Nobody'"):
        facts({"translator": "Nobody"})


def test_what_a_translator_cannot_read_is_named() -> None:
    decam = load_camera("decam")
    header = {"INSTRUME": "DECam", "PROCTYPE": "RAW", "CCDNUM": 25, "EXPTIME": 1.0}
    with pytest.raises(HeaderError, match="nothing says the begin"):
        translate(decam, header | {"EXPNUM": 1}, file="a.fits")
    header |= {"DATE-OBS": "2013-02-13T09:01:40.9", "TIMESYS": "UTC"}
    with pytest.raises(HeaderError, match="exposure_id cannot be read: KeyError 'EXPNUM'") as caught:
        translate(decam, header, file="a.fits")
    assert caught.value.keyword == "EXPNUM"
    assert "translator DECam" in caught.value.hint


# --- state ------------------------------------------------------------------------------------------


def test_state_differs_only_where_both_are_known() -> None:
    small = camera(state={"SEQFILE": {}, "TEMP_SET": {"tolerance": 0.1}, "ODP": {}})

    def with_state(**header: Any) -> FrameFacts:
        return translate(small, HEADER | header, file="a.fits")

    one = with_state(SEQFILE="v26.seq", TEMP_SET=-100.0, ODP=26.9)
    assert one.state == {"SEQFILE": "v26.seq", "TEMP_SET": -100.0, "ODP": 26.9}
    assert state_differences(small, one, with_state(SEQFILE="V26.seq ", TEMP_SET=-100.05)) == {}
    other = with_state(SEQFILE="v27.seq", TEMP_SET=-100.2, ODP=27)
    assert state_differences(small, one, other) == {
        "SEQFILE": ("v26.seq", "v27.seq"),
        "TEMP_SET": (-100.0, -100.2),
        "ODP": (26.9, 27),
    }
    assert with_state().state == {"SEQFILE": None, "TEMP_SET": None, "ODP": None}
