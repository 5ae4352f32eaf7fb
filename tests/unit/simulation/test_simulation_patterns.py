from __future__ import annotations

import re

import pytest

from fiducial.cameras.conditions import agrees
from fiducial.cameras.rules import FactRule
from fiducial.simulation.patterns import (
    split_by_template,
    text_for_glob,
    text_for_regex,
    unmapped,
    value_for,
)


@pytest.mark.parametrize(
    "condition",
    [
        0,
        1.5,
        True,
        False,
        "> 0",
        ">= 2.5",
        "< 0",
        "<= -1e3",
        "== 7",
        "!= 0",
        "Bias*",
        "*Zero?|Bias",
        "present",
    ],
)
def test_values_meet_their_conditions(condition: str | float | bool) -> None:
    value = value_for(condition)
    assert value is not None
    assert condition == "present" or agrees(condition, value)


def test_absent_has_no_value() -> None:
    assert value_for("absent") is None


def test_the_last_star_holds_the_filler() -> None:
    assert text_for_glob("a*b*.fits|c", "-x-") == "ab-x-.fits"
    assert text_for_glob("plain", "-x-") == "plain"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"(\d{8})", "20260115"),
        (r"(\d+)$", "7"),
        (r"(?:^|_)([A-Z])(?:_|$)", "O"),
        (r"^night-(\d+)\.(?:bias|dark)s?-[abc]+_x?(?P<more>y)?", "12"),
        (r"\w+\s(.*)/[\d]", "any thing"),
        (r"C(-?\d+)C\.f", "-100"),
        (r"\d{4}-\d{2}-(\d\d)", "15"),
        (r"[a-z]+", "word"),
    ],
)
def test_text_is_found_by_the_regular_expression(pattern: str, value: str) -> None:
    text = text_for_regex(pattern, value)
    assert text is not None
    found = re.search(pattern, text)
    assert found is not None
    assert (found[1] if found.re.groups else found[0]) == value


def test_a_value_that_no_text_can_give() -> None:
    assert text_for_regex(r"(\d+)", "seven") is None
    assert text_for_regex(r"[a-z]+", "7") is None


def test_maps_are_read_backwards() -> None:
    rule = FactRule(key="X", map={"Luminance*": "clear", "2": 4})
    assert unmapped(rule, "clear") == "Luminance"
    assert unmapped(rule, 4) == "2"
    assert unmapped(rule, "red") == "red"


def test_templates_are_split_around_what_is_known() -> None:
    assert split_by_template("{FILTER}~{GRATING}", "r~empty", {}) == {"FILTER": "r", "GRATING": "empty"}
    assert split_by_template("{A}_{B}", "R22_S11", {"A": "R22"}) == {"B": "S11"}
    assert split_by_template("{A}_{B}", "R22_S11", {"A": "R23"}) is None
    assert split_by_template("{DAY}{SEQ:05d}", "2026011500012", {"DAY": 20260115}) == {"SEQ": 12}
    assert split_by_template("{X} {Y}", "1 1", {}) == {"X": 1, "Y": 1}
