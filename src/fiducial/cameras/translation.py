"""Headers to facts: a camera's rules applied to one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fiducial.cameras.conditions import all_hold, holds
from fiducial.cameras.detectors import detectors_in
from fiducial.cameras.facts import FrameFacts, StateValue
from fiducial.cameras.facts_from_rules import header_error, missing, number, text
from fiducial.cameras.identity import day_of, exposure_id, sequence_number
from fiducial.cameras.model import Camera
from fiducial.cameras.source import Source, as_text
from fiducial.cameras.times import tai_time
from fiducial.errors import WrongCamera

if TYPE_CHECKING:
    from fiducial.cameras.translator import TranslatedHeader


def translate(
    camera: Camera,
    header: Mapping[str, Any],
    *,
    file: str,
    hdu_headers: Sequence[Mapping[str, Any]] = (),
    level: Callable[[], float] | None = None,
) -> FrameFacts:
    """Read the facts of one file from its header by the camera's rules.

    Parameters
    ----------
    camera
        Its ``headers`` say where each fact stands.
    header
        The primary header and that of the first image as one; of a keyword that stands twice the
        first value counts. NaN, empty and undefined values are as if they were missing.
    file
        Path of the file: named in errors, read by rules on ``$FILENAME`` and ``$FOLDER``.
    hdu_headers
        The header of each HDU: tells which detectors' pixels a file of several detectors holds.
    level
        Gives the median of the raw pixels (adu); called only where a rule asks for ``$LEVEL``.

    Returns
    -------
    FrameFacts
        What the header does not say is None, except where the rules say what then holds.

    Raises
    ------
    WrongCamera
        The frame is not of this camera: the message says what it says of itself.
    HeaderError
        Exposure time, begin or detector is missing, or a value cannot be understood.
    """
    source = Source(header, file, hdu_headers, level)
    _check_camera(camera, source)
    return _Translation(camera, source).facts()


def recognises(camera: Camera, header: Mapping[str, Any], file: str = "") -> bool:
    """Whether a frame is of this camera, by the camera's ``recognise`` conditions."""
    return all_hold(camera.headers.recognise, Source(header, file))


def _check_camera(camera: Camera, source: Source) -> None:
    for key, condition in camera.headers.recognise.items():
        if not holds(condition, source, key):
            found = source.get(key)
            says = f"{key} is {found!r}" if found is not None else f"it has no {key}"
            raise WrongCamera(
                f"{source.name} is no frame of {camera.name}: {says}, {condition!r} was wanted",
                hint="Ingest it into a repository of its own camera, or leave it out.",
                file=source.file,
                keyword=key,
            )


class _Translation:
    """The facts of one source, each found once; later ones build on earlier ones."""

    def __init__(self, camera: Camera, source: Source) -> None:
        self.camera = camera
        self.rules = camera.headers
        self.source = source

    def facts(self) -> FrameFacts:
        source, rules = self.source, self.rules
        return FrameFacts(
            camera=self.camera.name,
            exposure=exposure_id(rules, source, self.day_obs, self.seq_num, self._translated),
            obs_id=self.obs_id,
            detectors=detectors_in(self.camera, source, self._translated),
            day_obs=self.day_obs,
            seq_num=self.seq_num,
            group=self._text("group") or self.obs_id,
            begin=self.begin,
            end=self.end,
            exposure_time=self.exposure_time,
            dark_time=self._dark_time(),
            frame_type=self._frame_type(),
            filter=self._filter(),
            reason=self._text("reason"),
            target=self._text("target"),
            program=self._text("program"),
            temperature=self._number("temperature", "deg_C"),
            temperature_set=self._number("temperature_set", "deg_C"),
            binning=self._binning(),
            detector_serial=self._text("detector_serial"),
            ra=self._number("ra", "deg"),
            dec=self._number("dec", "deg"),
            zenith_angle=self._zenith_angle(),
            photodiode=number(rules.photodiode, source, "photodiode"),
            state={key: source.get(key) for key in rules.state},
        )

    @cached_property
    def _translated(self) -> TranslatedHeader | None:
        if self.rules.translator is None:
            return None
        from fiducial.cameras.translator import TranslatedHeader

        return TranslatedHeader(self.rules.translator, self.source)

    def _fallback(self, fact: str) -> Any:
        """What the translator says of a fact that has no rule."""
        return self._translated.get(fact) if self._translated is not None else None

    def _text(self, fact: str) -> str | None:
        rule = getattr(self.rules, fact)
        found: StateValue | None = text(rule, self.source) if rule is not None else self._fallback(fact)
        return None if found is None else as_text(found)

    def _number(self, fact: str, unit: str) -> float | None:
        rule = getattr(self.rules, fact)
        if rule is not None:
            return number(rule, self.source, fact, unit)
        found: float | None = self._fallback(fact)
        return found

    def _time(self, fact: str) -> datetime | None:
        rule = getattr(self.rules, fact)
        return tai_time(rule, self.source, fact) if rule is not None else self._fallback(fact)

    @cached_property
    def begin(self) -> datetime:
        if (begin := self._time("begin")) is None:
            raise missing(self.source, self.rules.begin, "begin")
        return begin

    @cached_property
    def end(self) -> datetime:
        after = self.begin + timedelta(seconds=self.exposure_time)
        end = self._time("end") or after
        return end if end >= self.begin else after

    @cached_property
    def exposure_time(self) -> float:
        rule = self.rules.exposure_time
        seconds = self._number("exposure_time", "s")
        if seconds is None:
            raise missing(self.source, rule, "exposure_time")
        if seconds < 0:
            raise header_error(self.source, rule, f"an exposure time of {seconds:g} s cannot be")
        return seconds

    @cached_property
    def day_obs(self) -> int:
        if self.rules.day_obs is None and (day := self._fallback("day_obs")) is not None:
            return int(day)
        return day_of(self.rules, self.source, lambda: self.begin)

    @cached_property
    def seq_num(self) -> int:
        if self.rules.seq_num is None and (counter := self._fallback("seq_num")) is not None:
            return int(counter)
        return sequence_number(self.rules, self.source, self.day_obs, lambda: self.begin)

    @cached_property
    def obs_id(self) -> str:
        return self._text("obs_id") or self.source.stem

    def _dark_time(self) -> float:
        seconds = self._number("dark_time", "s")
        return self.exposure_time if seconds is None else max(seconds, self.exposure_time)

    def _frame_type(self) -> str:
        for rule in self.rules.frame_types:
            if all_hold(rule.when, self.source):
                return rule.type
        return self._fallback("frame_type") or "unknown"

    def _filter(self) -> str:
        if self._translated is not None and "filter" not in self.rules.model_fields_set:
            return self._fallback("filter") or "unknown"
        return text(self.rules.filter, self.source) or "unknown"

    def _binning(self) -> tuple[int, int] | None:
        if (said := text(self.rules.binning, self.source)) is None:
            return None
        parts = said.lower().replace("x", " ").replace(",", " ").split()
        if len(parts) not in (1, 2) or not all(part.isdigit() and int(part) > 0 for part in parts):
            raise header_error(
                self.source, self.rules.binning, f"binning: {said!r} is not like 1, '2 2' or '2x2'"
            )
        return int(parts[0]), int(parts[-1])

    def _zenith_angle(self) -> float | None:
        angle = self._number("zenith_angle", "deg")
        altitude = number(self.rules.altitude, self.source, "altitude", "deg")
        return 90.0 - altitude if angle is None and altitude is not None else angle
