"""Which keywords say what: exposure time and its unit, times, filter, temperature, identity, state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from fiducial.cameras.conditions import as_number
from fiducial.cameras.draft_frames import DraftFrame, Notebook
from fiducial.cameras.facts_from_rules import header_error
from fiducial.cameras.rules import FactRule
from fiducial.cameras.times import tai_time
from fiducial.errors import HeaderError

type Frames = Sequence[DraftFrame]

# Keywords by what they say, the surest first; patterns are those of regular expressions, whole names.
EXPOSURE = (
    "EXPTIME",
    "EXPOSURE",
    "EXP_TIME",
    "EXPOSED",
    "ELAPTIME",
    "ITIME",
    "TEXP",
    "INTTIME",
    r".*_EXP",
    "EXP",
)
BEGIN = ("DATE-BEG", "DATE_BEG", "DATE-OBS", "DATE_OBS", "DATEOBS", "UTSTART", r".*_TS", r"TIMESTAMP|TSTAMP")
END = ("DATE-END", "DATE_END", "UTEND")
CLOCK = ("TIME-OBS", "UT", "UTC", "UTC-OBS", "UT-TIME", "UTSTART")  # beside a date without a time
DARK_TIME = ("DARKTIME",)
FILTER = ("FILTER", "FILTNAM", "FILTER1", "INSFILTE", r".*FILT.*_N", r".*FILT.*")
TEMPERATURE = ("CCD-TEMP", "CCDTEMP", "CCD_TEMP", "DETTEMP", "TEMPDET", "CHIPTEMP", "TEMPERAT", "SENSTEMP")
TEMPERATURE_SET = ("SET-TEMP", "TEMP_SET", "TEMPSET", "CCDTSET", "SETTEMP", "CCD-TSET")
SEQUENCE = ("SEQNUM", "OBSNUM", "FRAMENO", "FRAMENUM", "IMAGENO", "IMGNUM", r".*_ISN", "EXPNUM", "RUN")
DAY = ("DAYOBS",)
GROUP = ("GROUPID",)
OBSERVATION = ("OBSID", "OBS_ID")
SERIAL = ("CCD_SERN", "DET_SER", "DETSER", "LSST_NUM", "CAM_SN", "SERIAL")
TARGET = ("OBJECT", "TARGET")
PROGRAM = ("PROGRAM", "PROPID", "PROP-ID")
REASON = ("REASON", "OBSREASN")
BINNING_PAIRS = (("XBINNING", "YBINNING"), ("BINX", "BINY"), ("CCDXBIN", "CCDYBIN"), ("XBIN", "YBIN"))
BINNING = ("CCDSUM", "BINNING")
STATE = re.compile(
    r"SEQNAME|SEQFILE|ODP|AP0_RC|TEMP_SET|SET-TEMP|TEMPSET|READ-?SPD|READMODE|RDMODE|RUN_MODE|SPEED"
    r"|GAIN|GAINSET|GRISM(_N)?|GRATING|SLIT(_N)?|BSPLIT_N|DICHROIC|DISPERSR"
)
_MILLISECONDS_FROM = 1000.0  # values this large that outlast the time between frames are milliseconds


def draft_headers(frames: Frames, notebook: Notebook, *, one_file_per_detector: bool) -> dict[str, Any]:
    """Rules for all facts but the frame's type and detector; sets the times of the frames."""
    rules: dict[str, Any] = {}
    begin = _begin(frames)
    if begin is not None:
        rules["begin"] = begin
        _set_begin(frames, FactRule.model_validate(begin))
        shown = begin if isinstance(begin, str) else begin.get("key", begin.get("template"))
        notebook.note("headers.begin", shown, "reads as a time in every frame")
    _exposure_time(frames, rules, notebook)
    simple: tuple[tuple[str, tuple[str, ...], Callable[[Any], bool], str], ...] = (
        ("end", END, _is_time, "reads as a time in every frame"),
        ("dark_time", DARK_TIME, _is_number, "a number in every frame"),
        ("day_obs", DAY, _is_day, "a day in every frame"),
        ("group", GROUP, _is_text, "text in every frame"),
        ("obs_id", OBSERVATION, _is_text, "text in every frame"),
        ("filter", FILTER, _is_word, "text in every frame"),
        ("temperature_set", TEMPERATURE_SET, _is_celsius, "a number in every frame, named as a set point"),
        ("detector_serial", SERIAL, _is_anything, "named as a serial number"),
        ("target", TARGET, _is_text, "text in every frame"),
        ("program", PROGRAM, _is_text, "text in every frame"),
        ("reason", REASON, _is_text, "text in every frame"),
    )
    for fact, patterns, fits, reason in simple:
        if (key := keyword(frames, patterns, fits)) is not None:
            rules[fact] = key
            notebook.note(f"headers.{fact}", key, reason)
    _sequence(frames, rules, notebook)
    _temperature(frames, rules, notebook)
    _binning(frames, rules, notebook)
    _pointing(frames, rules, notebook)
    if one_file_per_detector and "obs_id" not in rules and isinstance(begin, str):
        rules["obs_id"] = begin
        notebook.note(
            "headers.obs_id", begin, "files are named after the detector; the time is the exposure's"
        )
    rules["state"] = {key: {} for key in _state_keywords(frames)}
    for key in rules["state"]:
        notebook.note(f"headers.state.{key}", "", "named as a setting of camera or spectrograph", sure=False)
    return rules


def keyword(frames: Frames, patterns: Iterable[str], fits: Callable[[Any], bool]) -> str | None:
    """The first keyword, by patterns and then by its place in the header, whose value fits in every frame."""
    keys = list(dict.fromkeys(str(key).upper() for key in frames[0].header))
    for pattern in patterns:
        for key in keys:
            if re.fullmatch(pattern, key) and all(fits(frame.get(key)) for frame in frames):
                return key
    return None


def _is_anything(value: Any) -> bool:
    return value is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and as_number(value) is None


def _is_number(value: Any) -> bool:
    return value is not None and as_number(value) is not None


def _is_day(value: Any) -> bool:
    return value is not None and re.fullmatch(r"(19|20)\d{2}-?\d{2}-?\d{2}", str(value)) is not None


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", value) is not None


def _is_celsius(value: Any) -> bool:
    number = as_number(value) if value is not None else None
    return number is not None and -200 < number < 60


def _is_detector_temperature(value: Any) -> bool:
    """A number between -200 and 60 degrees Celsius, or between 60 and 320 kelvin."""
    number = as_number(value) if value is not None else None
    return number is not None and -200 < number < 320


def _begin(frames: Frames) -> Any:
    if (key := keyword(frames, BEGIN, _is_time)) is not None:
        return key
    day, clock = (
        keyword(frames, BEGIN, _is_day),
        keyword(frames, CLOCK, lambda v: bool(re.match(r"\d+:\d+", str(v)))),
    )
    if day is not None and clock is not None:
        return {"template": f"{{{day}}}T{{{clock}}}"}
    if (key := keyword(frames, ("MJD-BEG", "MJD-OBS", "MJD"), _is_number)) is not None:
        return {"key": key, "unit": "mjd"}
    return keyword(frames, ("DATE",), _is_time)


def _set_begin(frames: Frames, rule: FactRule) -> None:
    for frame in frames:
        try:
            time = tai_time(rule, frame.source, "begin")
        except HeaderError:
            continue
        frame.begin = (time - datetime(2000, 1, 1)).total_seconds() if time is not None else None


def _exposure_time(frames: Frames, rules: dict[str, Any], notebook: Notebook) -> None:
    """The keyword of the exposure time, its unit from its comment or from the time between frames."""

    def seconds(value: Any) -> bool:
        number = as_number(value) if value is not None else None
        return number is not None and number >= 0

    keys = [
        key
        for pattern in EXPOSURE
        for key in dict.fromkeys(str(k).upper() for k in frames[0].header)
        if re.fullmatch(pattern, key) and all(seconds(frame.get(key)) for frame in frames)
    ]
    keys = [key for key in keys if not re.search(r"\bticks\b|\bcounts\b|\bclocks\b", frames[0].comment(key))]
    if not keys:
        raise header_error(
            frames[0].source,
            None,
            "no keyword looks like an exposure time",
            hint="Write the camera file by hand: `fiducial camera show simcam` prints one to start from.",
        )
    key = keys[0]
    values = [as_number(frame.get(key) or 0) or 0.0 for frame in frames]
    unit, reason = _unit_of_time(frames, key, values)
    for frame, value in zip(frames, values, strict=True):
        frame.exposure_time = value * (1e-3 if unit == "ms" else 1.0)
    rules["exposure_time"] = {"key": key, "unit": "ms"} if unit == "ms" else key
    notebook.note("headers.exposure_time", f"{key} in {unit}", reason)


def _unit_of_time(frames: Frames, key: str, values: Sequence[float]) -> tuple[str, str]:
    comment = frames[0].comment(key)
    if re.search(r"\bms\b|msec|millisec", comment):
        return "ms", f"its comment says so: {comment!r}"
    begins = sorted((f.begin, v) for f, v in zip(frames, values, strict=True) if f.begin is not None)
    gaps = [(later[0] - first[0], first[1]) for first, later in pairwise(begins)]
    outlasted = [gap for gap, value in gaps if 0 < gap < value]
    if max(values) >= _MILLISECONDS_FROM and len(outlasted) > len(gaps) / 4:
        return "ms", f"{max(values):g} s would outlast the {min(outlasted):.3g} s between frames"
    return "s", f"0 to {max(values):g} s fit between the frames' times" if gaps else "seconds are usual"


def _sequence(frames: Frames, rules: dict[str, Any], notebook: Notebook) -> None:
    """A whole number that tells the exposures of a day apart and grows with time."""

    def counts(value: Any) -> bool:
        number = as_number(value) if value is not None else None
        return number is not None and number.is_integer() and 0 <= number < 100_000

    for pattern in SEQUENCE:
        if (key := keyword(frames, (pattern,), counts)) is None:
            continue
        # One number, one time: several detectors may share both.
        moments = {(frame.begin, as_number(frame.get(key) or 0)) for frame in frames}
        days: dict[int, list[tuple[float, float]]] = {}
        for begin, number in moments:
            days.setdefault(int((begin or 0.0) // 86400), []).append((begin or 0.0, number or 0.0))
        grows = all(first[1] < later[1] for day in days.values() for first, later in pairwise(sorted(day)))
        if grows:
            rules["seq_num"] = key
            notebook.note("headers.seq_num", key, "grows with time, and no two exposures of a day share it")
            return
    notebook.note("headers.seq_num", "tenths of a second", "no keyword counts the exposures")


def _temperature(frames: Frames, rules: dict[str, Any], notebook: Notebook) -> None:
    key = keyword(frames, TEMPERATURE, _is_detector_temperature)
    if key is None:
        return
    middle = float(np.median([as_number(frame.get(key) or 0) or 0.0 for frame in frames]))
    kelvin = middle > 60
    rules["temperature"] = {"key": key, "unit": "K"} if kelvin else key
    notebook.note("headers.temperature", key, f"{middle:g}: {'kelvin' if kelvin else 'degrees Celsius'}")


def _binning(frames: Frames, rules: dict[str, Any], notebook: Notebook) -> None:
    for pair in BINNING_PAIRS:
        if all(keyword(frames, (key,), _is_number) for key in pair):
            rules["binning"] = {"template": f"{{{pair[0]}}} {{{pair[1]}}}"}
            notebook.note("headers.binning", " and ".join(pair), "numbers in every frame")
            return
    if (key := keyword(frames, BINNING, _is_anything)) is not None:
        rules["binning"] = key
        notebook.note("headers.binning", key, "in every frame")


def _pointing(frames: Frames, rules: dict[str, Any], notebook: Notebook) -> None:
    if keyword(frames, ("RA",), _is_anything) is None or keyword(frames, ("DEC",), _is_anything) is None:
        return
    sexagesimal = ":" in str(frames[0].get("RA"))
    rules["ra"] = {"key": "RA", "unit": "hourangle"} if sexagesimal else "RA"
    rules["dec"] = "DEC"
    notebook.note("headers.ra", "RA", "hours, as they are written with colons" if sexagesimal else "degrees")


def _state_keywords(frames: Frames) -> list[str]:
    keys = sorted(dict.fromkeys(str(key).upper() for key in frames[0].header))
    return [key for key in keys if STATE.fullmatch(key) and frames[0].get(key) is not None]
