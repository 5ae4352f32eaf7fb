"""A night against what was certified: words, references, false alarms, what is found."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fiducial.errors import ConfigurationError
from fiducial.trends.changes import changes_of, reference_of
from fiducial.trends.criteria import TrendCriteria, load_trend_criteria
from fiducial.trends.dates import meets
from fiducial.trends.readings import Reading, best_of_night
from fiducial.verify.rule import z_star

NIGHT = 20260120
HISTORIES = 1000
MOST_FALSE = 0.01 + 3.0 * math.sqrt(0.01 * 0.99 / HISTORIES)  # of so many: 3 sigma above the stated rate
CRITERIA = load_trend_criteria()


def reading(night: int = NIGHT, value: float = 1.0, error: float = 0.001, **other: object) -> Reading:
    first = Reading("gain", 0, "A", night, value, error, "electron / adu", "pairs", 5, f"run/{night}")
    return replace(first, **other)  # type: ignore[arg-type]


def certified(night: int = 20260115, value: float = 1.0, error: float = 0.001, **other: object) -> Reading:
    return reading(night, value, error, certified=True, begin="2026-01-15T00:00:00.000", **other)


def word_of(*readings: Reading, criteria: TrendCriteria = CRITERIA) -> str:
    (one,) = changes_of(readings, NIGHT, criteria)
    return one.word


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_change_has_to_exceed_its_limit_by_z_star_errors(sign: float) -> None:
    # One comparison: z* = 2.576; the limit of a gain is 0.005 of 1.0, u = 0.001 sqrt(2).
    edge = 0.005 + z_star(0.01, 1) * 0.001 * math.sqrt(2.0)
    assert word_of(certified(), reading(value=1.0 + sign * 1.01 * edge)) == "changed"
    assert word_of(certified(), reading(value=1.0 + sign * 0.99 * edge)) == "unknown"
    assert word_of(certified(), reading(value=1.0 + sign * 0.001)) == "same"


def test_what_is_too_imprecise_to_say_is_the_same_with_a_note() -> None:
    (one,) = changes_of([certified(), reading(value=1.01, error=0.02)], NIGHT, CRITERIA)
    assert one.word == "same"
    assert "too imprecise" in one.reason
    assert one.significance == pytest.approx(0.01 / math.hypot(0.001, 0.02))


def test_without_a_certified_value_nothing_can_be_said() -> None:
    (one,) = changes_of([reading(20260115), reading()], NIGHT, CRITERIA)
    assert (one.word, one.reason) == ("unknown", "nothing was certified before")
    # The night's own certified values are no reference for it.
    (one,) = changes_of([certified(NIGHT)], NIGHT, CRITERIA)
    assert one.reference is None


def test_an_amplifier_that_was_not_measured_is_named() -> None:
    others = [certified(amplifier="B"), reading(amplifier="B"), certified()]
    missing, there = changes_of(others, NIGHT, CRITERIA)
    assert (missing.amplifier, missing.word, missing.reason) == ("A", "unknown", "not measured in this night")
    assert (there.amplifier, there.word) == ("B", "same")


def test_quantities_that_were_not_measured_on_any_amplifier_are_left_out() -> None:
    noise = certified(quantity="read_noise", unit="electron")
    assert [one.quantity for one in changes_of([certified(), noise, reading()], NIGHT, CRITERIA)] == ["gain"]


def test_the_reference_is_what_a_look_up_finds() -> None:
    first, second = certified(20260115, rank=1), certified(20260117, rank=0)
    ended = certified(20260118, end="2026-01-19T00:00:00.000")
    assert reference_of([first, second, ended], NIGHT) is second
    exchanged = replace(first, rank=0), replace(second, rank=1)
    assert reference_of(exchanged, NIGHT) is exchanged[0]
    later = replace(second, begin="2026-01-21T00:00:00.000")
    assert reference_of([first, later], NIGHT) is first
    # Where nothing is valid any more, the newest of what was.
    over = replace(first, end="2026-01-16T00:00:00.000")
    assert reference_of([over, ended], NIGHT) is ended
    (one,) = changes_of([over, reading()], NIGHT, CRITERIA)
    assert (one.word, one.reason) == ("same", "what was certified is no longer valid")


def test_like_is_held_against_like() -> None:
    transfer = reading(value=1.1, error=1e-4, method="photon transfer")
    (one,) = changes_of([certified(), reading(), transfer], NIGHT, CRITERIA)
    assert one.now is not None
    assert (one.now.method, one.word) == ("pairs", "same")
    (one,) = changes_of([certified(), transfer], NIGHT, CRITERIA)
    assert (one.word, one.reason) == ("changed", "by photon transfer, certified by pairs")


def test_a_new_table_of_gains_changes_no_noise() -> None:
    noise = {"quantity": "read_noise", "unit": "electron"}
    before = certified(value=5.0, gain=1.5, **noise)
    (one,) = changes_of([before, reading(value=6.0, gain=1.8, **noise)], NIGHT, CRITERIA)
    assert one.word == "same"
    assert one.change == pytest.approx(0.0)
    (one,) = changes_of([before, reading(value=6.0, gain=1.5, **noise)], NIGHT, CRITERIA)
    assert one.word == "changed"


def test_the_error_of_the_certified_master_is_in_no_difference_from_it() -> None:
    rates = {"quantity": "dark_rate", "unit": "electron / s", "method": "rate"}
    before = certified(value=0.05, error=0.003, base="master", **rates)
    now = reading(value=0.05, error=math.hypot(0.003, 0.004), base="master", **rates)
    (one,) = changes_of([before, now], NIGHT, CRITERIA)
    assert one.error == pytest.approx(0.004)
    (one,) = changes_of([before, replace(now, base="another")], NIGHT, CRITERIA)
    assert one.error == pytest.approx(math.hypot(0.003, 0.003, 0.004))


def test_what_frames_have_beyond_a_master_is_held_against_that_master_alone() -> None:
    ratio = {"quantity": "amplifier_ratio", "unit": "", "method": "residual"}
    before = certified(value=0.0, error=1e-5, base="master", **ratio)
    (one,) = changes_of([before, reading(value=0.02, error=1e-5, base="master", **ratio)], NIGHT, CRITERIA)
    assert one.word == "changed"
    assert one.error == pytest.approx(math.sqrt(2.0) * 1e-5)
    (one,) = changes_of([before, reading(value=0.02, error=1e-5, base="another", **ratio)], NIGHT, CRITERIA)
    assert (one.word, one.reference) == ("unknown", None)
    assert one.reason == "held against another master than the certified one"


def test_states_of_the_camera_are_kept_apart() -> None:
    cold, warm = certified(state="T=-100"), reading(value=1.5, state="T=-90")
    (one,) = changes_of([cold, warm], NIGHT, CRITERIA)
    assert (one.state, one.reason) == ("T=-90", "nothing was certified before")


def history(
    rng: np.random.Generator, nights: int, amplifiers: int, error: float, scatter: float, *, common: bool
) -> list[Reading]:
    """Nights of one quantity that wander by ``scatter`` of its limit; the first one is certified."""
    shape = (1 if common else amplifiers, nights + 1)
    values = 1.0 + 0.005 * (
        scatter * rng.standard_normal(shape) + error * rng.standard_normal((amplifiers, nights + 1))
    )
    days = [NIGHT - nights + night for night in range(nights + 1)]
    return [
        reading(
            days[night],
            float(values[amplifier, night]),
            0.005 * error,
            amplifier=str(amplifier),
            certified=night == 0,
            begin="2026-01-01T00:00:00.000",
        )
        for amplifier in range(amplifiers)
        for night in range(nights + 1)
    ]


@pytest.mark.parametrize(
    ("nights", "scatter", "common"),
    [(1, 0.0, False), (4, 0.0, False), (4, 1.0, False), (10, 0.5, False), (4, 0.5, True), (10, 1.0, True)],
)
def test_a_camera_that_is_what_it_was_is_seldom_said_to_have_changed(
    nights: int, scatter: float, common: bool
) -> None:
    rng = np.random.default_rng(7)
    false = [
        any(
            one.word == "changed"
            for one in changes_of(history(rng, nights, 4, 0.5, scatter, common=common), NIGHT, CRITERIA)
        )
        for _ in range(HISTORIES)
    ]
    assert np.mean(false) <= MOST_FALSE


def test_false_alarms_come_at_the_stated_rate_where_no_limit_hides_them() -> None:
    rng = np.random.default_rng(8)
    strict = CRITERIA.model_copy(
        update={"quantities": {"gain": CRITERIA.quantities["gain"].model_copy(update={"relative": 0.0})}}
    )
    false = [
        any(
            one.word == "changed"
            for one in changes_of(history(rng, 1, 8, 0.5, 0.0, common=False), NIGHT, strict)
        )
        for _ in range(HISTORIES)
    ]
    # Two-sided and with the number of comparisons: alpha, by Bonferroni all but exactly.
    assert 0.001 <= np.mean(false) <= MOST_FALSE


def test_a_change_well_beyond_limit_and_error_is_found_and_only_that() -> None:
    rng = np.random.default_rng(9)
    found, others = 0, 0
    for _ in range(200):
        readings = history(rng, 6, 4, 0.5, 0.0, common=False)
        # L + (z* + 10) u, where u = 0.5 sqrt(2) L: room for 10 sigma, as from six nights the scatter in time
        # is overestimated now and then by as much as the errors themselves.
        shift = 0.005 * (1.0 + (z_star(0.01, 4) + 10.0) * 0.5 * math.sqrt(2.0))
        spoilt = [
            replace(one, value=one.value + shift) if (one.night, one.amplifier) == (NIGHT, "2") else one
            for one in readings
        ]
        words = {one.amplifier: one.word for one in changes_of(spoilt, NIGHT, CRITERIA)}
        found += words["2"] == "changed"
        others += any(word == "changed" for name, word in words.items() if name != "2")
    assert found >= 196
    assert others <= 6


def test_the_best_of_a_night_is_certified_or_of_most_frames_or_the_newest() -> None:
    old, new = reading(run="x/20260120T1"), reading(run="x/20260120T2", value=2.0)
    for candidates, value in (
        ((new, old), 2.0),
        ((replace(old, frames=9), new), 1.0),
        ((replace(old, certified=True, frames=2), new), 1.0),
    ):
        assert [one.value for one in best_of_night(candidates)] == [value]


def test_filters_are_joined_by_their_errors() -> None:
    (one,) = best_of_night(
        [
            reading(value=1.0, error=0.1, physical_filter="g"),
            reading(value=2.0, error=0.2, physical_filter="r"),
        ]
    )
    assert one.value == pytest.approx((1.0 / 0.01 + 2.0 / 0.04) / (1 / 0.01 + 1 / 0.04))
    assert one.error == pytest.approx((1 / 0.01 + 1 / 0.04) ** -0.5)
    assert (one.frames, one.physical_filter) == (10, "")


@pytest.mark.parametrize(
    ("begin", "end", "valid"),
    [
        (None, None, True),
        ("2026-01-20T12:00:00.000", None, True),
        ("2026-01-21T00:00:00.000", None, False),
        (None, "2026-01-20T00:00:00.000", False),
        (None, "2026-01-20T00:00:01.000", True),
    ],
)
def test_dates_meet_a_night(begin: str | None, end: str | None, valid: bool) -> None:
    assert meets(begin, end, NIGHT) is valid


def test_a_file_of_limits_goes_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("quantities: {gain: {relative: 0.1}}\nfalse_alarm: 0.05\n")
    own = load_trend_criteria(file)
    assert own.quantities["gain"].relative == 0.1
    assert own.quantities["read_noise"] == CRITERIA.quantities["read_noise"]
    assert own.false_alarm == 0.05
    assert word_of(certified(), reading(value=1.05), criteria=own) == "same"
    assert word_of(certified(), reading(value=1.05)) == "changed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quantities: {gains: {relative: 0.1}}", "no quantity gains"),
        ("quantities: {gain: {relativ: 0.1}}", "quantities.gain.relativ"),
        ("quantities: {gain: {}}", "relative, absolute or share"),
        ("quantities: {gain: {relative: -1}}", "greater than or equal"),
        ("quantities: [gain]", "a mapping is needed"),
        ("- a", "a mapping is needed"),
        ("a: [", "limits.yaml"),
        ("schema: 2", "schema"),
    ],
)
def test_a_bad_file_of_limits_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_trend_criteria(file)
    assert words in caught.value.message
    with pytest.raises(ConfigurationError, match=r"nothing\.yaml"):
        load_trend_criteria(tmp_path / "nothing.yaml")
