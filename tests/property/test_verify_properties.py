"""What holds for any rows: order does not matter, nothing is lost, worse never becomes better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.verify.columns import Columns
from fiducial.verify.counts import chance_of_more, upper_limit
from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from fiducial.verify.expected import frame_variance
from fiducial.verify.rows import Row, rows_from_arrow
from fiducial.verify.rule import judge_rows, set_limits, z_star

CRITERIA = load_criteria()
ORDER = {"pass": 0, "warn": 1, "fail": 2}

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
    uncertainty=0.002,
    unit="",
    n_pixels=10_000,
    read_noise=6.0,
    reference=0.0,
)


@st.composite
def productions(draw: Any) -> list[Row]:
    frames = draw(st.integers(1, 6))
    amplifiers = draw(st.sampled_from(["A", "AB", "ABC"]))
    detectors = draw(st.integers(1, 2))
    values = st.sampled_from([0.0, 0.0, 0.0, 0.03, -0.049, 0.055, -0.2, 0.5])
    tests = st.sampled_from(["noise", "level", "noise_clean"])
    roles = [draw(st.sampled_from(["input", "input", "held_out", "first"])) for _ in range(frames)]
    return [
        replace(
            BASE,
            test=draw(tests),
            exposure=exposure,
            detector=detector,
            amplifier=amplifier,
            role=role,
            counts=role != "first",
            value=draw(values) * 3,
            applicable=draw(st.integers(0, 9)) > 0,
        )
        for exposure, role in enumerate(roles, start=1)
        for detector in range(detectors)
        for amplifier in amplifiers
    ]


def outcome(row: Row, z: float = 4.0) -> str:
    columns = Columns.of([row])
    set_limits(columns, CRITERIA, 40)
    judge_rows(columns, z, CRITERIA)
    return str(columns["outcome"][0])


@settings(max_examples=40, deadline=None)
@given(productions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert judge(rows, CRITERIA).verdict == judge(shuffled, CRITERIA).verdict


@settings(max_examples=40, deadline=None)
@given(productions())
def test_every_row_comes_back_and_every_failure_is_named(rows: list[Row]) -> None:
    judgement = judge(rows, CRITERIA)
    back = [row for row in rows_from_arrow(judgement.rows) if row.scope == "amplifier"]
    assert len(back) == len(rows)
    named = {(frame["exposure"], text) for frame in judgement.verdict["frames"] for text in frame["failures"]}
    failed = {
        (row.exposure, f"{row.detector} {row.amplifier} {row.test}")
        for row in back
        if row.outcome == "fail" and (row.counts or row.role == "first")
    }
    assert named == failed
    if any(row.outcome == "fail" and row.counts for row in back):
        assert judgement.verdict["verdict"] != "pass"
        assert judgement.verdict["reasons"]
    assert {frame["exposure"] for frame in judgement.verdict["frames"]} == {row.exposure for row in rows}


@settings(deadline=None)
@given(st.floats(-1, 1), st.floats(0, 1), st.floats(1e-6, 0.1), st.sampled_from([1.0, 3.66, 5.52]))
def test_farther_out_is_never_better(value: float, more: float, error: float, z: float) -> None:
    sign = 1.0 if value >= 0 else -1.0
    near = replace(BASE, value=value, uncertainty=error)
    far = replace(near, value=value + sign * more)
    assert ORDER[outcome(far, z)] >= ORDER[outcome(near, z)]


@settings(deadline=None)
@given(st.floats(-1, 1), st.floats(1e-6, 0.1))
def test_noise_is_judged_the_same_on_either_side(value: float, error: float) -> None:
    row = replace(BASE, value=value, uncertainty=error)
    assert outcome(row) == outcome(replace(row, value=-value))


@settings(deadline=None)
@given(st.floats(-1, 1), st.floats(1e-6, 0.1))
def test_the_margin_says_the_outcome(value: float, error: float) -> None:
    columns = Columns.of([replace(BASE, value=value, uncertainty=error)])
    set_limits(columns, CRITERIA, 40)
    judge_rows(columns, 4.0, CRITERIA)
    margin = float(columns["margin"][0])
    expected = "pass" if margin >= 4.0 else "warn" if margin >= -4.0 else "fail"
    assert columns["outcome"][0] == expected


@settings(deadline=None)
@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_more_tests_need_more_sigmas(a: int, b: int) -> None:
    assert (z_star(0.01, a) <= z_star(0.01, b)) == (a <= b)


@settings(deadline=None)
@given(st.floats(1e-3, 300), st.floats(1e-8, 0.1), st.sampled_from([1.0, 5.0, 20.0]))
def test_a_limit_of_counts_is_what_it_says(expected: float, chance: float, per_hit: float) -> None:
    limit = upper_limit(chance, expected, per_hit)
    assert limit >= 0
    beyond = chance_of_more(np.floor(limit) + 1 if per_hit < 1.5 else limit + 1e-6, expected, per_hit)
    assert beyond <= chance * 1.01


@settings(deadline=None)
@given(
    st.floats(0.1, 50),
    st.floats(-1e4, 1e5),
    st.floats(0.1, 10),
    st.one_of(st.none(), st.floats(-1e-5, 0)),
)
def test_signal_never_lowers_the_variance_below_the_read_noise(
    read_noise: float, signal: float, gain: float, a00: float | None
) -> None:
    found = frame_variance(
        read_noise=read_noise,
        signal=np.full((2, 2), signal, np.float32),
        electrons_per_unit=gain,
        a00=a00,
        overscan_variance=0.0,
        shape=(2, 2),
    )
    assert np.all(found >= read_noise**2 * (1 - 1e-5))
