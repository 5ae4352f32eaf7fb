"""Conditions on keywords: what tells a camera's frames from others, and one frame type from another."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from fiducial.cameras.facts import StateValue
from fiducial.cameras.source import Source, as_text

type Condition = str | int | float | bool

_COMPARISON = re.compile(r"^\s*(<=|>=|==|!=|<|>)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_OPERATORS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def holds(condition: Condition, source: Source, key: str) -> bool:
    """Whether a frame's keyword is as the condition says.

    A keyword that is missing, empty or NaN meets no condition but ``absent``.
    """
    if condition == "absent":
        return source.get(key) is None
    value = source.get(key)
    if value is None:
        return False
    return condition == "present" or agrees(condition, value)


def all_hold(conditions: Mapping[str, Condition], source: Source) -> bool:
    """Whether every condition holds; they are tried in order, and the first that does not ends it."""
    return all(holds(condition, source, key) for key, condition in conditions.items())


def agrees(condition: Condition, value: StateValue) -> bool:
    """Whether a value is as a condition on text, number or truth value says."""
    if isinstance(condition, bool):
        return as_text(value).lower() in (("true", "t", "1") if condition else ("false", "f", "0"))
    if isinstance(condition, str):
        if (comparison := _COMPARISON.match(condition)) is not None:
            number = as_number(value)
            return number is not None and bool(_OPERATORS[comparison[1]](number, float(comparison[2])))
        return any(matches(pattern, value) for pattern in condition.split("|"))
    number = as_number(value)
    return number is not None and math.isclose(number, condition, rel_tol=1e-9, abs_tol=1e-12)


def matches(pattern: str, value: StateValue) -> bool:
    """Whether text fits a pattern with ``*`` and ``?``, whatever its case and outer blanks."""
    return fnmatchcase(as_text(value).lower(), pattern.strip().lower())


def as_number(value: StateValue) -> float | None:
    """A header's value as a number; None if it is none. Text such as ``'30.0 '`` is one, True is not."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
