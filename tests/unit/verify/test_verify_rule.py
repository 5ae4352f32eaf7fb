"""The rule: what fails, warns and passes, on rows made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from fiducial.verify.columns import Columns
from fiducial.verify.counts import chance_of_more, upper_limit
from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from fiducial.verify.rows import Row, rows_from_arrow
from fiducial.verify.rule import judge_rows, set_limits, warn_by_discovery, z_star

CRITERIA = load_criteria()

BASE = Row(
    kind="bias",
    test="noise",
    scope="amplifier",
    exposure=1,
    detector=0,
    amplifier="A",
    physical_filter="",
    mjd=60000.0,
    role="input",
    counts=True,
    applicable=True,
    value=0.0,
    uncertainty=0.001,
    unit="",
    n_pixels=100_000,
    read_noise=6.0,
    reference=0.0,
)


def judged(row: Row, z: float = 4.0, tests: int = 40) -> Row:
    columns = Columns.of([row])
    set_limits(columns, CRITERIA, tests)
    judge_rows(columns, z, CRITERIA)
    return rows_from_arrow(columns.table())[0]


@pytest.mark.parametrize(("tests", "expected"), [(40, 3.66), (1_600, 4.52), (300_000, 5.52)])
def test_z_star_is_that_of_the_definitions(tests: int, expected: float) -> None:
    assert z_star(0.01, tests) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("size", "outcome"),
    [(0.0459, "pass"), (0.0461, "warn"), (0.0539, "warn"), (0.0541, "fail"), (0.5, "fail")],
)
def test_the_rule_looks_both_ways(sign: float, size: float, outcome: str) -> None:
    """L = 0.05, z* u = 4 x 0.001: fail beyond 0.054, pass within 0.046, on either side."""
    assert judged(replace(BASE, value=sign * size)).outcome == outcome


def test_margin_is_the_distance_to_the_limit_in_errors() -> None:
    assert judged(replace(BASE, value=-0.03)).margin == pytest.approx((0.05 - 0.03) / 0.001)
    assert judged(replace(BASE, value=0.07)).margin == pytest.approx((0.05 - 0.07) / 0.001)


def test_significance_alone_fails_nothing() -> None:
    """Forty sigma from zero, and far within the limit."""
    assert judged(replace(BASE, value=0.04, uncertainty=0.0001)).outcome == "pass"


@pytest.mark.parametrize(
    ("read_noise", "overscan", "gain", "expected"),
    [
        (3.0, True, 1.0, 0.5),  # half an electron
        (8.0, True, 1.0, 0.8),  # a tenth of the read noise
        (8.0, False, 1.0, 2.4),  # 0.3 of it without overscan
        (2.0, True, 2.0, 0.25),  # adu: half an electron is a quarter of an adu
    ],
)
def test_the_limit_of_the_level(read_noise: float, overscan: bool, gain: float, expected: float) -> None:
    row = replace(
        BASE, test="level", read_noise=read_noise, overscan=overscan, electrons_per_unit=gain, unit="electron"
    )
    assert judged(row).limit == pytest.approx(expected)


def test_structure_is_tested_on_the_square_and_one_way() -> None:
    """L = 0.6 electron: 0.36 in the square; z* u = 4 x 0.01."""
    row = replace(BASE, test="structure_blocks", unit="electron", square_uncertainty=0.01, reference=60.0)
    for square, outcome in ((-5.0, "pass"), (0.31, "pass"), (0.34, "warn"), (0.38, "warn"), (0.41, "fail")):
        found = judged(replace(row, square=square, value=math.sqrt(max(0.0, square))))
        assert found.outcome == outcome, square
        assert found.sided == "upper"
    assert judged(replace(row, square=0.26)).margin == pytest.approx((0.36 - 0.26) / 0.01)


def test_an_unknown_a00_widens_the_lower_limit_only() -> None:
    """At 50,000 electrons and a00 = -4.6e-6 the noise is 12 per cent low; that must not fail."""
    flat = replace(BASE, kind="flat", reference=50_000.0)
    widening = 1 - math.sqrt(1 - 4.6e-6 * 50_000)
    assert judged(flat).limit_low == pytest.approx(-0.05 - widening)
    assert judged(flat).limit == pytest.approx(0.05)
    assert judged(replace(flat, value=-0.05 - widening + 0.01)).outcome == "pass"
    assert judged(replace(flat, value=0.06)).outcome == "fail"
    assert judged(replace(flat, reference=0.0, value=-0.1)).outcome == "fail"


def test_a_value_that_is_no_number_fails() -> None:
    found = judged(replace(BASE, value=math.nan))
    assert found.outcome == "fail"
    assert "not a number" in found.note
    assert judged(replace(BASE, uncertainty=math.nan)).outcome == "fail"


def test_what_is_not_applicable_is_not_judged() -> None:
    assert judged(replace(BASE, applicable=False, value=math.nan)).outcome == "not_applicable"


def test_a_test_without_a_limit_is_shown_and_does_not_count() -> None:
    found = judged(replace(BASE, test="read_noise", value=99.0))
    assert found.outcome == "shown"
    assert found.counts is False


def test_the_peak_warns_and_never_fails() -> None:
    """With 64 blocks and 40 tests the limit is Phi^-1(1 - 0.01 / (2 x 40 x 64))."""
    row = replace(BASE, test="structure_peak", uncertainty=1.0, reference=64.0)
    limit = norm.isf(0.01 / (2 * 40 * 64))
    assert judged(row).limit == pytest.approx(limit)
    assert judged(replace(row, value=limit - 0.01)).outcome == "pass"
    assert judged(replace(row, value=50.0)).outcome == "warn"


def test_warnings_are_those_of_benjamini_and_yekutieli() -> None:
    """Of twenty rows within their errors of the limit only the one that differs from zero warns."""
    rows = [replace(BASE, amplifier=str(i), value=0.001, uncertainty=0.02) for i in range(19)]
    rows.append(replace(BASE, amplifier="real", value=0.049, uncertainty=0.002))
    columns = Columns.of(rows)
    set_limits(columns, CRITERIA, 20)
    judge_rows(columns, 4.0, CRITERIA)
    assert set(columns["outcome"]) == {"warn"}
    warn_by_discovery(columns, 0.05)
    assert columns["outcome"].tolist() == ["pass"] * 19 + ["warn"]
    assert "too imprecise" in columns["note"][0]


def test_the_threshold_of_the_discovery_is_that_of_the_theorem() -> None:
    """p = 0.05 / (m sum(1/i)) is found among m, a little more is not."""
    m = 10
    threshold = 0.05 / (m * sum(1 / i for i in range(1, m + 1)))
    for factor, outcome in ((0.99, "warn"), (1.01, "pass")):
        value = 0.04
        u = value / norm.isf(factor * threshold / 2)
        rows = [replace(BASE, value=0.0, uncertainty=0.02, amplifier=str(i)) for i in range(m - 1)]
        columns = Columns.of([replace(BASE, value=value, uncertainty=float(u)), *rows])
        set_limits(columns, CRITERIA, m)
        judge_rows(columns, 4.0, CRITERIA)
        warn_by_discovery(columns, 0.05)
        assert columns["outcome"][0] == outcome


def test_counts_of_hits_of_one_pixel_are_poisson() -> None:
    from scipy.stats import poisson

    assert upper_limit(1e-4, 3.0, 1.0) == poisson.isf(1e-4, 3.0)
    assert chance_of_more(5.0, 3.0, 1.0) == pytest.approx(poisson.sf(4, 3.0))
    assert chance_of_more(0.0, 3.0, 1.0) == 1.0


def test_counts_of_hits_of_many_pixels_are_compound() -> None:
    """Against a simulation of 400,000 frames: Poisson hits, exponential sizes; error 1 / sqrt(np)."""
    rng = np.random.default_rng(8)
    hits = rng.poisson(0.5, 400_000)
    totals = np.array([rng.gamma(n, 20.0) if n else 0.0 for n in hits])
    for count in (10.0, 50.0, 100.0):
        expected = float(np.mean(totals >= count))
        assert chance_of_more(count, 10.0, 20.0) == pytest.approx(expected, abs=5 * math.sqrt(expected / 4e5))
    limit = upper_limit(1e-3, 10.0, 20.0)
    assert float(np.mean(totals >= limit)) == pytest.approx(1e-3, abs=5 * math.sqrt(1e-3 / 4e5))


def test_the_mean_of_frames_is_held_to_its_share_of_the_limit_of_the_sum() -> None:
    one = judged(replace(BASE, test="outliers", reference=2.0, value=60.0, uncertainty=1.4))
    mean = judged(replace(BASE, test="outliers", reference=2.0, value=60.0, uncertainty=0.4, n_frames=20))
    assert mean.limit < 0.2 * one.limit
    assert (one.outcome, mean.outcome) == ("pass", "fail")


def test_judging_changes_nothing_that_is_given() -> None:
    rows = [BASE, replace(BASE, exposure=2)]
    table = Columns.of(rows).table()
    before = table.to_pydict()
    judge(table, CRITERIA)
    after = table.to_pydict()
    assert str(before) == str(after)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(-1.1e-5, "fail"), (-9e-6, "pass"), (-2e-6, "pass"), (4e-7, "pass"), (6e-7, "fail")],
)
def test_a_range_has_its_own_lower_end(value: float, outcome: str) -> None:
    row = judged(replace(BASE, kind="ptc", test="a00", value=value, uncertainty=1e-8))
    assert (row.outcome, row.limit_low, row.limit) == (outcome, -1e-5, 5e-7)


def test_only_what_is_significantly_beyond_a_range_warns() -> None:
    columns = Columns.of(
        [
            replace(BASE, kind="ptc", test="a00", amplifier=name, value=value, uncertainty=1e-7)
            for name, value in (("A", 4e-7), ("B", 6e-7), ("C", 8.7e-7), ("D", 2e-6))
        ]
    )
    set_limits(columns, CRITERIA, 40)
    judge_rows(columns, 4.0, CRITERIA)
    assert columns["p_value"] == pytest.approx(norm.sf([-1.0, 1.0, 3.7, 15.0]))
    assert columns["outcome"].tolist() == ["warn", "warn", "warn", "fail"]
    warn_by_discovery(columns, 0.05)
    assert columns["outcome"].tolist() == ["pass", "pass", "warn", "fail"]
    assert "compatible with its range" in columns["note"][1]


def test_a_test_that_does_not_count_is_judged_and_does_not_count() -> None:
    row = judged(replace(BASE, kind="ptc", test="gain_nominal", value=0.5))
    assert (row.outcome, row.counts) == ("fail", False)
    assert judged(replace(BASE, kind="ptc", test="gain_change", value=0.5)).counts


def test_a_value_without_error_has_no_chance_of_being_noise() -> None:
    row = judged(replace(BASE, kind="ptc", test="pairs_lost", value=0.1, uncertainty=0.0))
    assert row.outcome == "pass"
    assert math.isnan(row.p_value)
    assert judged(replace(BASE, kind="ptc", test="pairs_lost", value=0.3, uncertainty=0.0)).outcome == "fail"
