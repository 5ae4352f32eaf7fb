"""Frames that are not what they say: each is set aside with the number that says why."""

from __future__ import annotations

import pytest

from fiducial.cameras.model import SelectionDefaults
from fiducial.frames.records import FrameRecord
from fiducial.selection import Choice, KindPlan, plan_kind
from selection_frames import AMPLIFIER_PIXELS, Night, ids, make_camera

CAMERA = make_camera()
BARE = make_camera(overscan=False)


def aside(plan: KindPlan) -> dict[int, Choice]:
    return {c.exposure: c for c in plan.choices if c.use == "set_aside"}


def only(plan: KindPlan, records: list[FrameRecord]) -> Choice:
    """The one exposure that is set aside."""
    assert set(aside(plan)) == set(ids(records))
    return aside(plan)[records[0].exposure]


@pytest.mark.parametrize("overscan", [True, False])
@pytest.mark.parametrize("with_biases", [True, False])
def test_dark_among_flats(*, overscan: bool, with_biases: bool) -> None:
    night = Night(overscan=overscan)
    if with_biases:
        night.bias(5)
    night.flat(4)
    dark = night.flat(1, rate=0.3)
    night.flat(5)
    choice = only(plan_kind("flat", night.records, CAMERA if overscan else BARE), dark)
    if overscan or with_biases:
        assert choice.reason.startswith("no light: ")
        assert choice.value == pytest.approx(3 / (25 + 3 / 2) ** 0.5, rel=0.1)
        assert choice.limit == 5
    else:
        assert "of the set's: a dark, or the lamp was off" in choice.reason
        assert choice.value == pytest.approx(1003 / 21000, rel=0.01)


def test_dark_as_the_first_flat() -> None:
    night = Night()
    dark = night.flat(1, rate=0.3)
    night.flat(9)
    only(plan_kind("flat", night.records, CAMERA), dark)


@pytest.mark.parametrize("off", [2, 4, 8])
def test_lamp_that_was_off_for_half_of_the_set_or_more(off: int) -> None:
    night = Night()
    night.flat(5)
    dark = night.flat(off, rate=0.0)
    plan = plan_kind("flat", night.records, CAMERA)
    assert set(aside(plan)) == set(ids(dark))
    assert len(plan.generate) == 4


def test_saturated_flat_tells_how_many_pixels() -> None:
    night = Night()
    night.flat(5)
    saturated = night.flat(1, change=lambda d, a: {"saturated": 0.25 if a == "B" else 0.0})
    night.flat(5)
    choice = only(plan_kind("flat", night.records, CAMERA), saturated)
    assert choice.reason == (
        f"saturated in {AMPLIFIER_PIXELS // 4:,} of {2 * AMPLIFIER_PIXELS:,} pixels of detector 0 "
        "(25.00% of amplifier B)"
    )
    assert (choice.detector, choice.value, choice.limit) == (0, 0.25, 0.001)


def test_wrong_exposure_time_at_the_same_header_time() -> None:
    night = Night()
    night.flat(5)
    wrong = night.flat(1, rate=4000)
    night.flat(5)
    choice = only(plan_kind("flat", night.records, CAMERA), wrong)
    assert "is 2.00 of the set's at the same 10 s" in choice.reason
    assert choice.value == pytest.approx(2, rel=0.01)
    assert choice.limit == 1.1


def test_exposure_time_in_the_header_that_the_level_does_not_have() -> None:
    night = Night()
    night.flat(5)
    wrong = night.flat(1, time=30.0, rate=2000 / 3)
    right = night.flat(1, time=5.0)
    night.flat(5)
    plan = plan_kind("flat", night.records, CAMERA)
    choice = only(plan, wrong)
    assert "level per second is 0.33 of that of the 10 s flats" in choice.reason
    assert right[0].exposure in plan.first + plan.verify


def test_lamp_that_drifts_a_little_is_fine() -> None:
    night = Night()
    for i in range(12):
        night.flat(1, rate=2000 * (1 + 0.01 * i))
    assert not aside(plan_kind("flat", night.records, CAMERA))


def test_amplifier_that_lost_its_light() -> None:
    night = Night(detectors=2)
    camera = make_camera(detectors=2)
    night.flat(5)
    broken = night.flat(1, change=lambda d, a: {"level": 8000.0} if (d, a) == (1, "B") else {})
    night.flat(5)
    choice = only(plan_kind("flat", night.records, camera), broken)
    assert choice.reason.startswith("level of detector 1 amplifier B is 0.35 of the set's")
    assert choice.detector == 1


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_dead_amplifier(kind: str) -> None:
    night = Night(detectors=2)
    camera = make_camera(detectors=2)
    take = getattr(night, kind)
    take(5)
    dead = take(1, change=lambda d, a: {"noise": 0.1} if (d, a) == (1, "A") else {})
    take(5)
    choice = only(plan_kind(kind, night.records, camera), dead)
    assert choice.reason.startswith("detector 1 amplifier A is dead: its noise is 0.10 adu")
    assert choice.detector == 1


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_amplifier_that_is_dead_in_all_frames_is_no_reason(kind: str) -> None:
    night = Night()
    take = getattr(night, kind)
    take(8, change=lambda d, a: {"noise": 0.0, "level": 1000.0} if a == "A" else {})
    assert len(plan_kind(kind, night.records, CAMERA).generate) == 7


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
@pytest.mark.parametrize("noise", [0.4, 2.0])
def test_noise_both_ways(kind: str, noise: float) -> None:
    night = Night()
    take = getattr(night, kind)
    usual = take(5)[0].content[0].noise
    bad = take(1, change=lambda d, a: {"noise": noise * usual} if a == "B" else {})
    take(5)
    choice = only(plan_kind(kind, night.records, CAMERA), bad)
    assert choice.reason.startswith("noise of detector 0 amplifier B is")


@pytest.mark.parametrize("kind", ["bias", "dark"])
@pytest.mark.parametrize("shift", [-10.0, 10.0])
@pytest.mark.parametrize("overscan", [True, False])
def test_shifted_level_both_ways(kind: str, shift: float, *, overscan: bool) -> None:
    night = Night(overscan=overscan)
    take = getattr(night, kind)
    take(5)
    bad = take(1, shift=shift)
    take(5)
    choice = only(plan_kind(kind, night.records, CAMERA if overscan else BARE), bad)
    assert choice.reason.startswith("level of detector 0 amplifier")
    assert choice.value == pytest.approx(shift, abs=1)
    assert choice.limit is not None
    assert abs(choice.limit) < 8


@pytest.mark.parametrize("overscan", [True, False])
def test_drift_of_a_real_camera_is_fine(*, overscan: bool) -> None:
    # The biases of a real camera span 1.3 adu at a noise of 6.7; those of another alternate by 0.4 at 2.8.
    night = Night(overscan=overscan)
    for i in range(10):
        night.bias(1, shift=1.3 * i / 9 + 0.2 * (-1) ** i)
    assert not aside(plan_kind("bias", night.records, CAMERA if overscan else BARE))


def test_drift_that_the_overscan_follows_is_fine_but_a_jump_is_not() -> None:
    def raised(by: float):
        return lambda d, a: {"level": 1000.0 + by, "overscan": 1000.0 + by}

    night = Night()
    for i in range(10):
        night.bias(1, change=raised(i))
    assert not aside(plan_kind("bias", night.records, CAMERA))
    jumped = night.bias(1, change=raised(200))
    choice = only(plan_kind("bias", night.records, CAMERA), jumped)
    assert "overscan included, jumped by +194.5 adu" in choice.reason


@pytest.mark.parametrize("kind", ["bias", "dark"])
def test_light_in_a_bias_or_dark(kind: str) -> None:
    night = Night()
    take = getattr(night, kind)
    take(5)
    lit = take(1, shift=900)
    take(5)
    choice = only(plan_kind(kind, night.records, CAMERA), lit)
    assert choice.reason.startswith(f"light in a {kind}")
    assert choice.value == pytest.approx(900, abs=1)


def test_flat_as_the_first_bias_is_set_aside_and_a_late_flush_is_not() -> None:
    night = Night()
    night.bias(1, shift=40)
    night.bias(8)
    assert not aside(plan_kind("bias", night.records, CAMERA))
    flat = night.idle(3600).bias(1, shift=5000)
    night.bias(8)
    only(plan_kind("bias", night.records, CAMERA), flat)


def test_times_of_bias_and_dark() -> None:
    night = Night()
    night.bias(5)
    long = night.expose("bias", 10.0, signal=0.0)
    choice = only(plan_kind("bias", night.records, CAMERA), long)
    assert choice.reason == "exposed for 10 s: no bias"
    night = Night()
    night.dark(5)
    short = night.dark(1, dark_time=0.0)
    assert only(plan_kind("dark", night.records, CAMERA), short).reason == "dark time 0 s: no dark"


@pytest.mark.parametrize("overscan", [True, False])
def test_dark_of_another_time_than_its_header_says(*, overscan: bool) -> None:
    night = Night(overscan=overscan)
    night.dark(5, 60)
    for time in (10, 30, 150, 300):
        night.dark(1, time)
    camera = CAMERA if overscan else BARE
    assert not aside(plan_kind("dark", night.records, camera))
    wrong = night.expose("dark", 60, signal=90.0)
    choice = only(plan_kind("dark", night.records, camera), wrong)
    assert choice.value == pytest.approx(72, abs=1)


def test_small_sets_are_compared_with_the_others_of_the_night() -> None:
    night = Night()
    night.bias(2)
    night.idle(3600).bias(4)
    shifted = night.idle(3600).bias(2, shift=30)
    assert set(aside(plan_kind("bias", night.records, CAMERA))) == {ids(shifted)[1]}


def test_two_frames_that_differ_accuse_neither() -> None:
    night = Night()
    night.bias(1)
    night.bias(1, shift=500)
    settings = SelectionDefaults(skip_first=0, minimum=2)
    assert len(plan_kind("bias", night.records, CAMERA, settings=settings).generate) == 2


def test_one_bad_detector_sets_the_exposure_aside_and_is_named() -> None:
    night = Night(detectors=4)
    night.bias(5)
    bad = night.bias(1, change=lambda d, a: {"level": 1500.0} if d == 2 else {})
    night.bias(5)
    choice = only(plan_kind("bias", night.records, make_camera(detectors=4)), bad)
    assert choice.detector == 2
    assert "detector 2" in choice.reason


def test_frames_without_content_are_taken_as_they_are() -> None:
    night = Night()
    night.bias(6)
    bare = [record.model_copy(update={"content": ()}) for record in night.records]
    assert len(plan_kind("bias", bare, CAMERA).generate) == 5
