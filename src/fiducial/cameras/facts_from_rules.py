"""One fact of a frame by one rule: keyword or template, pattern, map, unit."""

from __future__ import annotations

import re
import string
from functools import lru_cache

from fiducial.cameras.conditions import as_number, matches
from fiducial.cameras.facts import StateValue
from fiducial.cameras.rules import FactRule
from fiducial.cameras.source import Source, as_text
from fiducial.errors import CameraError, HeaderError

_SEXAGESIMAL = re.compile(r"^([-+]?)\s*(\d{1,3})[:\s](\d{1,2})[:\s](\d{1,2}(?:\.\d*)?)$")


def find(rule: FactRule | None, source: Source) -> StateValue | None:
    """The value that a rule finds; its default if there is none, None if it has none.

    Pattern, replacements and map are applied in this order; the unit is not (see `number`).
    """
    if rule is None:
        return None
    found = _found(rule, source)
    return rule.default if found is None else found


def _found(rule: FactRule, source: Source) -> StateValue | None:
    if rule.value is not None:
        return rule.value
    raw = _filled(rule.template, source) if rule.template is not None else None
    candidates = [raw] if rule.template is not None else (source.get(key) for key in rule.keys)
    for value in candidates:
        if value is not None and (value := _cut_out(rule.pattern, value)) is not None:
            return _mapped(rule.map, _replaced(rule.replace, value))
    return None


def text(rule: FactRule | None, source: Source) -> str | None:
    """A fact that is text."""
    value = find(rule, source)
    return None if value is None else as_text(value)


def number(rule: FactRule | None, source: Source, fact: str, unit: str = "") -> float | None:
    """A fact that is a number, in the fact's own unit.

    Raises
    ------
    HeaderError
        There is a value, and it is no number.
    """
    if rule is None:
        return None
    found = _found(rule, source)
    value = rule.default if found is None else found
    if value is None:
        return None
    result = as_number(value)
    if result is None and unit == "deg" and isinstance(value, str):
        result = _sexagesimal(value)
    if result is None:
        known = f", and none of {', '.join(rule.map)}" if rule.map else ""
        raise header_error(source, rule, f"{fact}: {value!r} is not a number{known}")
    if rule.unit not in (None, unit) and found is not None:  # a default is in the fact's own unit
        return _converted(result, str(rule.unit), unit, fact)
    return result


def whole(rule: FactRule | None, source: Source, fact: str) -> int | None:
    """A fact that is a whole number."""
    result = number(rule, source, fact)
    if result is not None and not result.is_integer():
        raise header_error(source, rule, f"{fact}: {result} is not a whole number")
    return None if result is None else int(result)


def header_error(source: Source, rule: FactRule | None, problem: str, *, hint: str = "") -> HeaderError:
    """The error that names the file and the keywords of a rule."""
    keys = keywords(rule)
    return HeaderError(
        f"{source.name}: {problem}" + (f" ({' or '.join(keys)})" if keys else ""),
        hint=hint or "Mend the header, or leave the frame out.",
        file=source.file,
        keyword=keys[0] if keys else "",
    )


def missing(source: Source, rule: FactRule | None, fact: str) -> HeaderError:
    """The error for a fact that must be known and is not."""
    keys = keywords(rule)
    if not keys:
        hint = f"Give headers.{fact} in the camera file a rule."
        return header_error(source, rule, f"nothing says the {fact}", hint=hint)
    there = [key for key in keys if source.has(key)]
    problem = "is empty, not a number, or not as expected" if there else "is missing"
    return header_error(
        source,
        rule,
        f"{fact} is unknown: {' or '.join(there or keys)} {problem}",
        hint=f"Mend the header, or give headers.{fact} in the camera file a rule that fits this frame.",
    )


def keywords(rule: FactRule | None) -> tuple[str, ...]:
    """The keywords that a rule reads."""
    if rule is None:
        return ()
    if rule.template is not None:
        return tuple(name for _, name, _, _ in string.Formatter().parse(rule.template) if name)
    return rule.keys


def _filled(template: str, source: Source) -> str | None:
    """The template with the values of its keywords; None if one of them is missing."""
    out = []
    for literal, name, form, _ in string.Formatter().parse(template):
        out.append(literal)
        if name is None:
            continue
        value = source.get(name)
        if value is None:
            return None
        out.append(_formatted(value, form or ""))
    return "".join(out)


def _formatted(value: StateValue, form: str) -> str:
    if not form:
        return as_text(value)
    as_given = as_number(value)
    if as_given is not None and form[-1] in "dx":
        return format(int(as_given), form)
    try:
        return format(as_given if as_given is not None and form[-1] in "efg" else value, form)
    except ValueError:
        return as_text(value)


def _cut_out(pattern: str | None, value: StateValue) -> StateValue | None:
    if pattern is None:
        return value
    found = re.search(pattern, as_text(value))
    if found is None:
        return None
    return found[1] if found.re.groups else found[0]


def _replaced(table: dict[str, str] | None, value: StateValue) -> StateValue:
    for pattern, instead in (table or {}).items():
        value = re.sub(pattern, instead, as_text(value))
    return value


def _mapped(table: dict[str, str | int | float] | None, value: StateValue) -> StateValue:
    for pattern, mapped in (table or {}).items():
        if matches(pattern, value):
            return mapped
    return value


def _sexagesimal(value: str) -> float | None:
    found = _SEXAGESIMAL.match(value.strip())
    if found is None:
        return None
    size = float(found[2]) + float(found[3]) / 60 + float(found[4]) / 3600
    return -size if found[1] == "-" else size


def _converted(value: float, unit: str, wanted: str, fact: str) -> float:
    factor, offset = _conversion(unit, wanted, fact)
    return value * factor + offset


@lru_cache(maxsize=64)
def _conversion(unit: str, wanted: str, fact: str) -> tuple[float, float]:
    """Factor and offset from one unit to another: every conversion needed here is linear."""
    from astropy import units

    try:
        given = units.Unit(unit)
        at_zero, at_one = (
            units.Quantity(x, given).to_value(units.Unit(wanted), equivalencies=units.temperature())
            for x in (0.0, 1.0)
        )
    except (ValueError, TypeError, units.UnitConversionError) as error:
        raise CameraError(
            f"headers.{fact}: unit {unit!r} is not one of {wanted or 'a plain number'}: {error}",
            hint="Write it as astropy.units does: s, ms, K, deg_C, hourangle.",
        ) from None
    return float(at_one - at_zero), float(at_zero)
