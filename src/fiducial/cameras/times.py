"""Times of headers to TAI: ISO text or day numbers, in UTC, TAI or TT."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache

from fiducial.cameras.conditions import as_number
from fiducial.cameras.facts import StateValue
from fiducial.cameras.facts_from_rules import find, header_error
from fiducial.cameras.rules import FactRule
from fiducial.cameras.source import Source

_MJD_ZERO = datetime(1858, 11, 17)
_JD_OF_MJD_ZERO = 2400000.5
_TT_MINUS_TAI = 32.184
_ISO = re.compile(r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d*)?)?)\s*(Z|[-+]\d{2}:\d{2})?$")


def tai_time(rule: FactRule | None, source: Source, fact: str) -> datetime | None:
    """A fact that is a time, as TAI without a zone; None where the header does not say it.

    The scale is that of the rule, else what the header's TIMESYS says, else UTC as the FITS standard
    has it; a time that ends in Z or a zone is UTC whatever else is said.
    """
    value = find(rule, source)
    if rule is None or value is None:
        return None
    time, zoned = _parsed(value, rule, source, fact)
    scale = "utc" if zoned else (rule.scale or _timesys(source))
    match scale:
        case "utc":
            return utc_to_tai(time)
        case "tai":
            return time
        case "tt" | "tdt":
            return time - timedelta(seconds=_TT_MINUS_TAI)
    raise header_error(
        source,
        FactRule(key="TIMESYS"),
        f"{fact}: the time scale {scale!r} is not known here",
        hint=f"Give headers.{fact} in the camera file `scale: utc` or `scale: tai`.",
    )


def utc_to_tai(time: datetime) -> datetime:
    """TAI of a UTC time (both without a zone)."""
    return time + timedelta(seconds=_leap_seconds(time))


def tai_to_utc(time: datetime) -> datetime:
    """UTC of a TAI time (both without a zone)."""
    return time - timedelta(seconds=_leap_seconds(time - timedelta(seconds=37)))


def _timesys(source: Source) -> str:
    said = str(source.get("TIMESYS") or "utc").strip().lower()
    return "utc" if said in ("ut", "ut1", "gmt", "utc") else said


def _parsed(value: StateValue, rule: FactRule, source: Source, fact: str) -> tuple[datetime, bool]:
    """The time as written, and whether a zone was written with it."""
    if rule.unit in ("mjd", "jd", "unix"):
        number = as_number(value)
        if number is not None:
            try:
                return _from_number(number, rule.unit), rule.unit == "unix"
            except OverflowError:
                problem = f"{fact}: {value!r} is not a time in {rule.unit}"
                raise header_error(source, rule, problem) from None
    found = _ISO.match(str(value))
    if found is not None:
        try:
            time = datetime.fromisoformat(f"{found[1]}T{found[2][:15]}")
            if found[3] and found[3] != "Z":
                zone = datetime.fromisoformat(f"2000-01-01T00:00:00{found[3]}").utcoffset()
                time -= zone or timedelta(0)
            return time, bool(found[3])
        except ValueError:
            pass
    raise header_error(
        source,
        rule,
        f"{fact}: {value!r} is not a time like 2024-03-26T22:58:13.5",
        hint="Mend the header; where date and time stand apart, use a template: '{DATE-OBS}T{UT}'.",
    )


def _from_number(number: float, unit: str) -> datetime:
    if unit == "unix":
        return datetime.fromtimestamp(number, UTC).replace(tzinfo=None)
    return _MJD_ZERO + timedelta(days=number - (_JD_OF_MJD_ZERO if unit == "jd" else 0.0))


def _leap_seconds(utc: datetime) -> float:
    """TAI - UTC at a UTC time, from the table of the IAU's software (ERFA)."""
    before = [offset for begin, offset in _table() if begin <= utc]
    return before[-1] if before else 0.0


@cache
def _table() -> tuple[tuple[datetime, float], ...]:
    from erfa import leap_seconds  # type: ignore[import-untyped]

    return tuple(
        (datetime(int(year), int(month), 1), float(offset))
        for year, month, offset in leap_seconds.get()
        if year >= 1972  # before, TAI - UTC was no whole number of seconds
    )
