"""Numbers in words."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from fiducial.reports.headline import limits_in_words, share_of_limit
from fiducial.reports.numbers import count, in_words, measured, moment, number, percent, plural


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (-0.0, "0"),
        (12, "12"),
        (-12, "−12"),
        (np.float32(0.5), "0.5000"),
        (np.int64(7), "7"),
        (-1.23456, "−1.235"),
        (123456.7, "123457"),
        (1.5e-7, "1.500 × 10⁻⁷"),
        (-2e9, "−2.000 × 10⁹"),
        ("text", "text"),
        (True, "True"),
    ],
)
def test_number(value, said):
    assert number(value) == said


@pytest.mark.parametrize(
    ("value", "uncertainty", "said"),
    [
        (0.012345, 0.0021, "0.0123 ± 0.0021 adu"),
        (-3.14159, 0.5, "−3.14 ± 0.50 adu"),
        (1234.5, 45.0, "1234 ± 45 adu"),
        (1.5, None, "1.500 adu"),
        (1.5, math.nan, "1.500 adu"),
        (math.nan, 0.1, "–"),
        (3e-9, 2e-9, "3.00 × 10⁻⁹ ± 2.0 × 10⁻⁹ adu"),
    ],
)
def test_measured(value, uncertainty, said):
    assert measured(value, uncertainty, "adu") == said


def test_percent_never_calls_something_nothing():
    assert percent(0.0) == "0.00 %"
    assert percent(1e-7) == "< 0.01 %"
    assert percent(0.01234) == "1.23 %"
    assert percent(0.5) == "50.0 %"


def test_counts_and_plurals():
    assert count(1234567) == "1\u202f234\u202f567"
    assert plural(1, "frame") == "1 frame"
    assert plural(2, "frame") == "2 frames"


def test_moments():
    assert moment(datetime(2026, 9, 1, 20, 0, 0, 123)) == "2026-09-01 20:00:00"
    assert moment("2026-01-15T00:00:00.000") == "2026-01-15 00:00:00"
    assert moment("some day") == "some day"
    assert moment(None) == "–"


def test_values_of_the_ledger():
    assert in_words({"chain": ("a", "b"), "n": 1}) == "chain: a, b; n: 1"
    assert in_words([]) == "–"
    assert in_words(list(range(20))) == "0, 1, 2, … 19 (20 of them)"


def test_limits_and_the_share_that_is_used():
    assert limits_in_words(0.05, -0.05, "two") == "± 0.0500"
    assert limits_in_words(0.05, -0.1, "two") == "−0.100 to 0.0500"
    assert limits_in_words(3.0, math.nan, "upper") == "≤ 3.00"
    assert share_of_limit(-0.05, 0.05, -0.1, "two") == pytest.approx(0.5)
    assert share_of_limit(0.1, 0.05, -0.1, "two") == pytest.approx(2.0)
    assert share_of_limit(-1.0, 3.0, math.nan, "upper") == 0.0
    assert math.isnan(share_of_limit(math.nan, 1.0, -1.0, "two"))
