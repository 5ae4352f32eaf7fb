"""A camera's header rules read backwards: keywords and a file name for the facts that are wanted."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fiducial.cameras.facts_from_rules import number
from fiducial.cameras.model import Camera
from fiducial.cameras.rules import FactRule, FrameTypeRule
from fiducial.cameras.source import Source
from fiducial.cameras.times import tai_to_utc
from fiducial.frames.structure import is_structural
from fiducial.simulation.patterns import (
    CardValue,
    split_by_template,
    text_for_glob,
    text_for_regex,
    unmapped,
    value_for,
)

_MJD_ZERO = datetime(1858, 11, 17)  # TAI and UTC are without a zone here
_UNIX_ZERO = datetime(1970, 1, 1)
_UNITS = {"exposure_time": "s", "dark_time": "s", "temperature": "deg_C", "temperature_set": "deg_C"}
_FIRST = (  # facts that must come out right, in the order in which they claim keywords
    "detector",
    "day_obs",
    "seq_num",
    "exposure_offset",
    "begin",
    "end",
    "exposure_time",
    "dark_time",
    "filter",
    "temperature_set",
    "temperature",
    "detector_serial",
    "binning",
    "photodiode",
)
_LAST = ("obs_id", "group", "exposure_id", "target", "program", "reason")  # have what keywords are left


@dataclass(frozen=True, slots=True)
class WantedFacts:
    """What a header is to say. Times are TAI; durations s; temperature degrees Celsius."""

    detectors: tuple[int, ...]
    frame_type: str
    day: date
    seq_num: int
    begin: datetime
    end: datetime
    exposure_time: float
    dark_time: float
    filter: str
    temperature: float
    program: str
    target: str
    reason: str
    photodiode: float | None = None


class HeaderAttempt:
    """One way to write a header: with one frame-type rule, and the detector by name or id."""

    def __init__(self, camera: Camera, wanted: WantedFacts, rule: FrameTypeRule, detector: str | int) -> None:
        self.camera = camera
        self.wanted = wanted
        self.cards: dict[str, CardValue] = {}
        self.folder = ""
        self._globs: list[str] = []  # that the file's name has to fit
        self._parts: list[str] = []  # that rules look for in the file's name
        self._values = _values(camera, wanted, detector)
        if any(
            getattr(camera.headers, f) and getattr(camera.headers, f).scale is None for f in ("begin", "end")
        ):
            self.cards["TIMESYS"] = "TAI"
        for fact in _FIRST:
            self._state(fact)
        self._named = {key for fact in ("obs_id", "group") for key in _keys(camera, fact)}
        self._meet(camera.headers.recognise)
        self._meet(rule.when)
        for fact in _LAST:
            self._state(fact)
        for key, state in camera.headers.state.items():
            self._offer(key, 0.0 if state.tolerance is not None else "simulated")

    def stems(self) -> Iterator[str]:
        """Names for the file, without its ending, from what the rules want to what is plain."""
        wanted = self.wanted
        plain = f"{self.camera.name.lower()}-{wanted.day:%Y%m%d}-{wanted.seq_num:05d}-{wanted.frame_type}"
        if len(self.camera.detectors) > 1 and len(wanted.detectors) == 1:
            plain += f"-{self.camera.detector(wanted.detectors[0]).name}"
        inner = "".join(self._parts)
        bodies = [f"{plain}{inner}", f"{inner}{plain}", inner] if inner else [plain]
        for body in bodies:
            for glob in self._globs:
                yield _without_suffix(text_for_glob(glob, f"-{body}"))
            yield body

    def _state(self, fact: str) -> None:
        """Write the keywords of one fact, as far as no other fact has claimed them."""
        rule: FactRule | None = getattr(self.camera.headers, fact)
        value = self._values.get(fact)
        if rule is None or value is None or rule.value is not None:
            return
        if fact in ("begin", "end") and isinstance(value, datetime):
            value = _time(value, rule, str(self.cards.get("TIMESYS", "UTC")))
        if isinstance(value, float) and rule.unit is not None and fact in _UNITS:
            value = _in_unit(value, rule, fact)
        value = unmapped(rule, value)
        if rule.pattern is not None:
            text = text_for_regex(rule.pattern, str(value))
            value = value if text in (None, str(value)) else text
        if rule.template is not None:
            for text in _spellings(fact, str(value)):
                parts = split_by_template(rule.template, text, self.cards)
                for key, part in (parts or {}).items():
                    self._offer(key, part)
            self._fill(rule.template)
        elif rule.keys:
            self._offer(next((k for k in rule.keys if not k.startswith("$")), rule.keys[0]), value)

    def _fill(self, template: str) -> None:
        """Keywords of a template that nothing has claimed: any value does."""
        for _, name, form, _ in string.Formatter().parse(template):
            if name:
                self._offer(name, 1 if (form or "").endswith("d") else "X")

    def _meet(self, conditions: Mapping[str, CardValue]) -> None:
        for key, condition in conditions.items():
            if key == "$FILENAME" and isinstance(condition, str):
                self._globs.append(condition)
            elif (value := value_for(condition, self._filler(key))) is not None:
                self._offer(key, value)

    def _filler(self, key: str) -> str:
        """What a star in a condition stands for: a name where exposures are told apart by it."""
        return f"O_{self.wanted.day:%Y%m%d}_{self.wanted.seq_num:06d}" if key in self._named else ""

    def _offer(self, key: str, value: CardValue) -> None:
        key = key.upper()
        if key == "$FILENAME":
            self._parts.append(str(value))
        elif key == "$FOLDER":
            self.folder = str(value)
        elif not key.startswith("$") and not is_structural(key):
            self.cards.setdefault(key, value)


def _values(camera: Camera, wanted: WantedFacts, detector: str | int) -> dict[str, Any]:
    name = f"{camera.name}_{wanted.day:%Y%m%d}_{wanted.seq_num:06d}"
    serial = camera.detector(wanted.detectors[0]).serial
    return {
        "detector": detector,
        "day_obs": int(wanted.day.strftime("%Y%m%d")),
        "seq_num": wanted.seq_num,
        "exposure_offset": 0,
        "begin": wanted.begin,
        "end": wanted.end,
        "exposure_time": wanted.exposure_time,
        "dark_time": wanted.dark_time,
        "filter": wanted.filter,
        "temperature_set": wanted.temperature,
        "temperature": wanted.temperature,
        "detector_serial": serial or None,
        "binning": "1 1",
        "obs_id": name,
        "group": name,
        "exposure_id": int(f"{wanted.day:%Y%m%d}{wanted.seq_num:05d}"),
        "target": wanted.target,
        "program": wanted.program,
        "reason": wanted.reason,
        "photodiode": wanted.photodiode,
    }


def _keys(camera: Camera, fact: str) -> tuple[str, ...]:
    rule: FactRule | None = getattr(camera.headers, fact)
    return rule.keys if rule is not None else ()


def _spellings(fact: str, value: str) -> tuple[str, ...]:
    """Ways in which a template may spell a fact."""
    return (
        tuple(value.replace(" ", between) for between in (" ", "x", ",")) if fact == "binning" else (value,)
    )


def _time(tai: datetime, rule: FactRule, timesys: str) -> CardValue:
    """A time as the rule reads it: ISO text, or a number of days or seconds."""
    scale = "utc" if rule.unit == "unix" else (rule.scale or timesys.lower())
    time = tai if scale == "tai" else tai_to_utc(tai)
    match rule.unit:
        case "unix":
            return (time - _UNIX_ZERO).total_seconds()
        case "mjd" | "jd":
            return (time - _MJD_ZERO).total_seconds() / 86400.0 + (2400000.5 if rule.unit == "jd" else 0.0)
    return time.isoformat(timespec="milliseconds")


def _in_unit(value: float, rule: FactRule, fact: str) -> float:
    """The header's number for a fact in its own unit; every conversion is linear."""
    plain = FactRule(key="X", unit=rule.unit)
    zero, one = (number(plain, Source({"X": x}, ""), fact, _UNITS[fact]) or 0.0 for x in (0.0, 1.0))
    return round((value - zero) / (one - zero), 9)


def _without_suffix(name: str) -> str:
    for suffix in (".fits.fz", ".fits.gz", ".fits", ".fit"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
