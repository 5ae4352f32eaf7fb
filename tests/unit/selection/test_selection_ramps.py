"""Ramps: flats of many exposure times, each accounted for; too few of them are told, with what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo, UsageError
from fiducial.frames.records import FrameRecord
from fiducial.selection import RAMPS, KindPlan, PairingRule, plan_ramp, ramp_settings
from selection_frames import Night, ids, make_camera

CAMERA = make_camera(detectors=2)
ALL_COUNT = SelectionDefaults(skip_first=0, minimum=4)


def ramp(night: Night, times: tuple[float, ...] = (1, 2, 4, 8, 16), *, each: int = 2, **facts: Any) -> Night:
    """Take some flats of each exposure time."""
    for time in times:
        night.flat(each, time, rate=2000.0, **facts)
    return night


def plan(night: Night, kind: str = "ptc", **asked: Any) -> KindPlan:
    return plan_ramp(kind, night.records, CAMERA, **({"settings": ALL_COUNT} | asked))


def reasons(plan: KindPlan, use: str) -> dict[int, str]:
    return {choice.exposure: choice.reason for choice in plan.choices if choice.use == use}


def test_all_exposure_times_are_used_and_each_flat_has_its_partner() -> None:
    night = ramp(Night(detectors=2))
    chosen = plan(night)
    assert chosen.generate == ids(night.records)
    assert (chosen.kind, chosen.filter, chosen.night, chosen.verify) == ("ptc", "g", 20240326, ())
    first, second = chosen.generate[:2]
    assert reasons(chosen, "generate")[first] == f"1 s, paired with {second}"
    assert chosen.notes == ("5 exposure times from 1 to 16 s, 5 pairs",)


def test_biases_and_darks_are_not_offered() -> None:
    night = Night(detectors=2)
    night.bias(5)
    night.dark(3)
    ramp(night)
    chosen = plan(night)
    flats = [r for r in night.records if r.facts.frame_type == "flat"]
    assert tuple(choice.exposure for choice in chosen.choices) == ids(flats)


@pytest.mark.parametrize("kind", RAMPS)
def test_the_first_exposure_of_the_series_does_not_count(kind: str) -> None:
    night = ramp(Night(detectors=2), each=3)
    chosen = plan(night, kind, settings=SelectionDefaults(skip_first=1, minimum=4))
    first = ids(night.records)[0]
    assert reasons(chosen, "left_out")[first] == "among the first of its series of 15"
    # Not of each exposure time: flats of another time follow at once.
    assert len(chosen.generate) == (14 if kind == "linearizer" else 10)


def test_a_series_ends_where_the_camera_idles() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4))
    ramp(night.idle(1000), (8, 16, 30))
    chosen = plan(night, "linearizer", settings=SelectionDefaults(skip_first=1, minimum=4))
    taken = ids(night.records)
    assert reasons(chosen, "left_out") == dict.fromkeys(
        (taken[0], taken[6]), "among the first of its series of 6"
    )


def test_an_odd_flat_has_no_partner_for_photon_transfer_and_serves_linearity() -> None:
    night = ramp(Night(detectors=2))
    (alone,) = ids(night.flat(1, 3.0))
    assert reasons(plan(night), "left_out") == {
        alone: "no partner: no other flat has its exposure time 3 s in filter g"
    }
    assert alone in plan(night, "linearizer").generate


def test_pairs_are_those_that_the_task_would_make() -> None:
    night = Night(detectors=2)
    for time in (1, 2, 4, 8):
        night.flat(1, time)
    for time in (1, 2, 4, 8):
        night.flat(1, time)
    assert len(plan(night).generate) == 8
    with pytest.raises(NothingToDo, match="the next one"):
        plan(night, pairing=PairingRule("order"))
    with pytest.raises(NothingToDo, match="at most 5 s are allowed"):
        plan(night, pairing=PairingRule("time", most_separation=5.0))


def test_the_filter_with_most_levels_is_taken_unless_another_is_asked_for() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4, 8), color="r")
    ramp(night, (1, 2, 4, 8, 16), color="g")
    chosen = plan(night)
    assert chosen.filter == "g"
    assert set(reasons(chosen, "left_out").values()) == {"filter r, not g"}
    assert "there are 4 in r on 20240326, too" in chosen.notes
    asked = plan(night, physical_filter="r")
    assert (asked.filter, len(asked.choices)) == ("r", 8)
    with pytest.raises(NothingToDo, match="in filter i: there are 10 g, 8 r"):
        plan(night, physical_filter="i")


def test_one_camera_state_is_taken_and_the_other_named() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4, 8), state={"SET-TEMP": -5.0, "SEQFILE": "a.seq"})
    ramp(night, (1, 2, 4, 8, 16))
    chosen = plan(night)
    assert chosen.state["SET-TEMP"] == -10.0
    assert set(reasons(chosen, "left_out").values()) == {"another camera state, ask with --state SET-TEMP=-5"}
    assert len(plan(night, state={"SET-TEMP": -5}).generate) == 8
    with pytest.raises(NothingToDo, match="no flat frames with SET-TEMP=-20"):
        plan(night, state={"SET-TEMP": -20})
    with pytest.raises(UsageError, match="no part of the camera state"):
        plan(night, state={"COLOUR": 1})


def test_a_blank_frame_is_set_aside_and_its_partner_left_alone() -> None:
    night = ramp(Night(detectors=2))
    blank = ids(night.expose("flat", 6.0, signal=0.0, color="g"))[0]
    lit = ids(night.expose("flat", 6.0, signal=12000.0, color="g"))[0]
    chosen = plan(night)
    assert "no light" in reasons(chosen, "set_aside")[blank]
    assert "no partner" in reasons(chosen, "left_out")[lit]


def test_flats_of_one_time_that_differ_are_no_pair() -> None:
    night = ramp(Night(detectors=2))
    faint = ids(night.expose("flat", 6.0, signal=9000.0, color="g"))[0]
    night.expose("flat", 6.0, signal=12000.0, color="g")
    assert "is 0.75 of the set's at the same 6 s" in reasons(plan(night), "set_aside")[faint]


def saturated(*amplifiers: tuple[int, str], share: float = 0.5) -> Any:
    return lambda d, a: {"saturated": share, "noise": 0.0} if (d, a) in amplifiers else {}


def test_a_ramp_may_reach_saturation_while_one_amplifier_still_tells() -> None:
    night = ramp(Night(detectors=2))
    some = [(0, "A"), (0, "B"), (1, "A")]
    kept = ids(night.flat(2, 32.0, change=saturated(*some)))
    lost = ids(night.flat(2, 64.0, change=saturated(*some, (1, "B"))))
    chosen = plan(night)
    assert set(kept) <= set(chosen.generate)
    assert reasons(chosen, "set_aside") == dict.fromkeys(
        lost, "all amplifiers are saturated, the least in 50%"
    )


def test_many_flats_of_one_time_are_cut_to_what_is_wanted() -> None:
    night = Night(detectors=2)
    night.flat(9, 5.0)
    ramp(night)
    chosen = plan(night, settings=SelectionDefaults(skip_first=0, minimum=4, wanted=4))
    assert len(chosen.generate) == 14
    assert list(reasons(chosen, "left_out").values()) == ["beyond the 4 of 5 s that are wanted"] * 5


def test_one_level_is_too_few_and_what_is_there_and_missing_is_told() -> None:
    night = Night(detectors=2)
    night.flat(10, 23.0)
    with pytest.raises(NothingToDo) as caught:
        plan(night)
    assert caught.value.message == (
        "photon transfer needs pairs of flats of at least 4 exposure times; "
        "there are 10 flats of 1 exposure time in g: 23 s"
    )
    assert "take two flats of each of 4 exposure times or more" in caught.value.hint
    assert "below 4 pairs no gain is fitted" in caught.value.hint


def test_what_was_left_out_is_told_where_too_little_is_left() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4))
    night.expose("flat", 8.0, signal=0.0, color="g")
    night.flat(1, 8.0)
    with pytest.raises(NothingToDo) as caught:
        plan(night, settings=SelectionDefaults(skip_first=1, minimum=4))
    says = caught.value.message
    assert "(1 first exposure left out, 1 set aside, 2 of no use: 2 exposure times left)" in says
    assert "no light" in says
    assert "no other flat has its exposure time 8 s" in says


def test_fewer_levels_may_be_asked_for_and_the_plan_says_what_will_come_of_it() -> None:
    night = ramp(Night(detectors=2), (1, 2))
    chosen = plan(night, settings=SelectionDefaults(skip_first=0, minimum=2))
    assert chosen.notes[-1].startswith("below 4 pairs no gain is fitted")


def test_no_flats_at_all() -> None:
    night = Night(detectors=2)
    night.bias(5)
    with pytest.raises(NothingToDo, match="no flat frames: there are 5 bias"):
        plan(night)
    with pytest.raises(NothingToDo, match="no frames of 20240101 at all"):
        plan_ramp("ptc", night.records, CAMERA, night=20240101)


def test_the_night_with_most_levels_is_taken_if_none_is_asked_for() -> None:
    records: list[FrameRecord] = []
    for day, times in ((20240301, (1, 2, 4, 8, 16)), (20240302, (1, 2, 4, 8))):
        records += ramp(Night(day=day, detectors=2), times).records
    chosen = plan_ramp("ptc", records, CAMERA, settings=ALL_COUNT)
    assert chosen.night == 20240301
    assert set(reasons(chosen, "left_out").values()) == {"of another date, 20240302"}
    only = plan_ramp("ptc", records, CAMERA, settings=ALL_COUNT, night=20240302)
    assert (only.night, len(only.choices)) == (20240302, 8)


def test_settings_are_the_kinds_or_else_those_of_flats() -> None:
    flat = SelectionDefaults(skip_first=3, wanted=8, minimum=5)
    camera = make_camera(flat=flat)
    assert ramp_settings(camera, "ptc") == flat.model_copy(update={"minimum": 4})
    own = make_camera(flat=flat, ptc=SelectionDefaults(skip_first=0))
    assert (ramp_settings(own, "ptc").skip_first, ramp_settings(own, "ptc").minimum) == (0, 4)
    least = make_camera(flat=flat, linearizer=SelectionDefaults(minimum=9))
    assert ramp_settings(least, "linearizer").minimum == 9


def test_a_lamp_that_was_set_otherwise_is_told_for_linearity() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4, 8, 16, 20))
    assert not any("light per second" in note for note in plan(night, "linearizer").notes)
    night.flat(4, 5.0, rate=1600.0)
    (note,) = (note for note in plan(night, "linearizer").notes if "groups=ratio" in note)
    # The lamp is steady to half a per cent.
    assert note.startswith("4 flats of 5 s have at most 0.8")
    assert not any("groups=ratio" in note for note in plan(night).notes)


def test_saturation_is_no_other_lamp_and_without_overscan_nothing_is_said() -> None:
    night = ramp(Night(detectors=2), (1, 2, 4, 8, 16, 20))
    night.expose("flat", 60.0, signal=60000.0, color="g", change=saturated((0, "A")))
    assert not any("groups=ratio" in note for note in plan(night, "linearizer").notes)
    bare = ramp(Night(detectors=2, overscan=False), (1, 2, 4, 8, 16, 20))
    bare.flat(4, 5.0, rate=1600.0)
    chosen = plan_ramp(
        "linearizer", bare.records, make_camera(detectors=2, overscan=False), settings=ALL_COUNT
    )
    assert not any("groups=ratio" in note for note in chosen.notes)
