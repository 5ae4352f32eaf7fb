"""Text that fits a pattern: camera files say how headers are read, a simulation has to write them."""

from __future__ import annotations

import re
import string

from fiducial.cameras.rules import FactRule

_COMPARISON = re.compile(r"^\s*(<=|>=|==|!=|<|>)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_STEPS = {">": 1.0, ">=": 0.0, "<": -1.0, "<=": 0.0, "==": 0.0, "!=": 1.0}
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "b": "", "B": ""}

type CardValue = str | int | float | bool


def value_for(condition: CardValue, filler: str = "") -> CardValue | None:
    """A keyword's value that meets a condition; None where the keyword has to be absent.

    Of a pattern's stars the last becomes ``filler``, the others nothing.
    """
    if not isinstance(condition, str):
        return condition
    if condition == "absent":
        return None
    if condition == "present":
        return filler or "simulated"
    if (comparison := _COMPARISON.match(condition)) is not None:
        return float(comparison[2]) + _STEPS[comparison[1]]
    return text_for_glob(condition, filler)


def text_for_glob(pattern: str, filler: str = "") -> str:
    """Text that fits the first of the patterns in ``a*|b*``."""
    text = pattern.split("|")[0].strip().replace("?", "x")
    if "*" in text:
        before, _, after = text.rpartition("*")
        text = before.replace("*", "") + filler + after
    return text


def unmapped(rule: FactRule, value: CardValue) -> CardValue:
    """What the header has to say so that the rule's map gives a value; the value itself without one."""
    for pattern, mapped in (rule.map or {}).items():
        if mapped == value or str(mapped) == str(value):
            return text_for_glob(pattern)
    return value


def text_for_regex(pattern: str, value: str) -> str | None:
    """Text in which a regular expression finds ``value`` as its first group; None if none was found.

    Understands what camera files use: literals, classes, groups, repetition and alternatives, of
    which the first and shortest are taken.
    """
    if re.compile(pattern).groups == 0:
        return value if (found := re.search(pattern, value)) and found[0] == value else None
    text = _Reader(pattern, value).alternatives()
    found = re.search(pattern, text)
    return text if found is not None and found[1] == value else None


def split_by_template(template: str, text: str, known: dict[str, CardValue]) -> dict[str, CardValue] | None:
    """The keywords' values with which a template gives a text; those that are known stay as they are."""
    expression, names = "", []
    for literal, name, form, _ in string.Formatter().parse(template):
        expression += re.escape(literal)
        if name is None:
            continue
        if name in known:
            given = known[name]
            expression += re.escape(format(given, form or "") if form else str(given))
        else:
            names.append((name, form or ""))
            expression += r"(-?\d+)" if (form or "").endswith("d") else "(.+?)"
    found = re.fullmatch(expression, text)
    if found is None:
        return None
    return {
        name: int(part) if form.endswith("d") or (part.isdecimal() and part == str(int(part))) else part
        for (name, form), part in zip(names, found.groups(), strict=True)
    }


class _Reader:
    """Reads a regular expression from left to right and writes text that fits it."""

    def __init__(self, pattern: str, value: str) -> None:
        self._rest = pattern
        self._value: str | None = value  # of the first group; None once it is used

    def alternatives(self) -> str:
        first = self._sequence()
        while self._rest.startswith("|"):
            self._rest = self._rest[1:]
            self._sequence()
        return first

    def _sequence(self) -> str:
        out = ""
        while self._rest and self._rest[0] not in "|)":
            out += self._repeated(self._atom())
        return out

    def _atom(self) -> str:
        first, self._rest = self._rest[0], self._rest[1:]
        match first:
            case "\\":
                escaped, self._rest = self._rest[0], self._rest[1:]
                return _CLASSES.get(escaped, escaped)
            case "[":
                inside, _, self._rest = self._rest.partition("]")
                return _CLASSES.get(inside[1], inside[1]) if inside.startswith("\\") else inside[0]
            case "(":
                return self._group()
            case ".":
                return "x"
            case "^" | "$":
                return ""
        return first

    def _group(self) -> str:
        captures = not self._rest.startswith("?") or self._rest.startswith("?P<")
        if not captures:
            self._rest = self._rest.removeprefix("?:")
        elif self._rest.startswith("?P<"):
            self._rest = self._rest.partition(">")[2]
        mine, kept = captures and self._value is not None, self._value
        if mine:
            self._value = None
        inside = self.alternatives()
        self._rest = self._rest.removeprefix(")")
        return kept if mine and kept is not None else inside

    def _repeated(self, atom: str) -> str:
        counted = re.match(r"\{(\d+)(,\d*)?\}", self._rest)
        if counted is not None:
            self._rest = self._rest[counted.end() :]
            atom = atom * int(counted[1]) if len(atom) <= 1 else atom
        elif self._rest[:1] in ("*", "?"):
            self._rest = self._rest[1:]
            atom = atom if len(atom) > 1 else ""
        elif self._rest[:1] == "+":
            self._rest = self._rest[1:]
        return atom + "" if not self._rest.startswith("?") else self._lazy(atom)

    def _lazy(self, atom: str) -> str:
        self._rest = self._rest[1:]
        return atom
