"""Plans of nights made by hand."""

from __future__ import annotations

import time

import pytest

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo, UsageError
from fiducial.frames.records import FrameRecord
from fiducial.selection import Choice, KindPlan, plan_kind
from selection_frames import Night, ids, make_camera

CAMERA = make_camera()


def choice(plan: KindPlan, record: FrameRecord) -> Choice:
    (found,) = [c for c in plan.choices if c.exposure == record.exposure]
    return found


def test_first_exposure_is_left_out_and_kept_for_verification() -> None:
    night = Night()
    biases = night.bias(10)
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.first == ids(biases)[:1]
    assert plan.generate == ids(biases)[1:]
    assert plan.verify == ()
    assert plan.night == night.day
    assert plan.state == {"SET-TEMP": -10.0, "SEQFILE": "a.seq"}
    assert plan.kind == "bias"
    assert plan.filter is None
    assert choice(plan, biases[0]).use == "first"


def test_number_of_first_exposures_is_a_setting() -> None:
    night = Night()
    biases = night.bias(20)
    settings = SelectionDefaults(skip_first=10, wanted=10)
    plan = plan_kind("bias", night.records, CAMERA, settings=settings)
    assert plan.first == ids(biases)[:10]
    assert plan.generate == ids(biases)[10:]


def test_settings_come_from_the_camera() -> None:
    camera = make_camera(bias=SelectionDefaults(skip_first=2), biasBootstrap=SelectionDefaults(skip_first=3))
    night = Night()
    night.bias(10)
    night.dark(10)
    assert len(plan_kind("bias", night.records, camera).first) == 2
    assert len(plan_kind("biasBootstrap", night.records, camera).first) == 3
    assert len(plan_kind("darkBootstrap", night.records, camera).first) == 1


def test_more_than_wanted_takes_neighbours_in_time_and_the_others_verify() -> None:
    night = Night()
    biases = night.bias(6) + night.idle(60).bias(20)
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(biases)[6:]
    assert plan.verify == ids(biases)[1:6]


def test_one_set_is_preferred_over_many() -> None:
    night = Night()
    small = night.bias(5)
    large = night.idle(3600).bias(13)
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(large)[1:]
    assert plan.first == (ids(small)[0], ids(large)[0])
    assert plan.verify == ids(small)[1:]


def test_small_sets_join_nearest_first_until_enough() -> None:
    night = Night()
    sets = [night.idle(3600).bias(5) for _ in range(7)]
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids([r for one in sets[:5] for r in one[1:]])
    assert plan.first == ids([one[0] for one in sets])
    assert plan.verify == ids([r for one in sets[5:] for r in one[1:]])


def test_exposures_of_another_type_do_not_end_a_set() -> None:
    night = Night()
    biases = [r for _ in range(10) for r in (night.bias(), night.dark(time=20))[0]]
    assert plan_kind("bias", night.records, CAMERA).generate == ids(biases)[1:]


def test_state_with_most_frames_is_chosen_and_the_other_named() -> None:
    night = Night()
    warm = night.bias(5, state={"SET-TEMP": -5.0, "SEQFILE": "a.seq"})
    cold = night.bias(9)
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(cold)[1:]
    left = choice(plan, warm[2])
    assert left.use == "left_out"
    assert "--state SET-TEMP=-5" in left.reason
    assert any("--state SET-TEMP=-5" in note for note in plan.notes)


def test_state_asked_for() -> None:
    night = Night()
    warm = night.bias(5, state={"SET-TEMP": -5.0, "SEQFILE": "a.seq"})
    night.bias(9)
    plan = plan_kind("bias", night.records, CAMERA, state={"SET-TEMP": -5})
    assert plan.generate == ids(warm)[1:]
    as_text = plan_kind("bias", night.records, CAMERA, state={"SET-TEMP": "-5", "SEQFILE": "A.SEQ"})
    assert as_text == plan
    with pytest.raises(NothingToDo, match=r"no bias frames with SET-TEMP=-20: there are 5 of SET-TEMP=-5"):
        plan_kind("bias", night.records, CAMERA, state={"SET-TEMP": -20})
    with pytest.raises(UsageError, match="GAIN is no part of the camera state"):
        plan_kind("bias", night.records, CAMERA, state={"GAIN": 1})


def test_equal_states_the_one_of_the_other_frames_wins() -> None:
    night = Night()
    night.bias(9)
    warm = night.bias(9, state={"SET-TEMP": -5.0, "SEQFILE": "a.seq"})
    night.flat(5, state={"SET-TEMP": -5.0, "SEQFILE": "a.seq"})
    assert plan_kind("bias", night.records, CAMERA).generate == ids(warm)[1:]


def test_unknown_state_is_no_mismatch() -> None:
    night = Night()
    biases = night.bias(5) + night.bias(5, state={"SET-TEMP": None}) + night.bias(5, state={})
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(biases)[1:]
    assert plan.state["SET-TEMP"] == -10.0


def test_unknown_state_goes_with_its_neighbours_in_time() -> None:
    night = Night()
    cold = night.bias(8) + night.bias(2, state={})
    warm = night.idle(7200).bias(4, state={"SET-TEMP": -5.0})
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(cold)[1:]
    assert {c.exposure for c in plan.choices if c.use == "left_out"} == set(ids(warm))


def test_state_within_tolerance_is_one_state() -> None:
    night = Night()
    biases = [
        r for i in range(10) for r in night.bias(state={"SET-TEMP": -10 + 0.3 * (i % 2), "SEQFILE": "a.seq"})
    ]
    assert plan_kind("bias", night.records, CAMERA).generate == ids(biases)[1:]


def test_mixed_binning_is_not_mixed() -> None:
    night = Night()
    small = night.bias(5, binning=(2, 2))
    full = night.bias(7)
    plan = plan_kind("bias", night.records, CAMERA)
    assert plan.generate == ids(full)[1:]
    assert "--state binning=2x2" in choice(plan, small[1]).reason
    asked = plan_kind("bias", night.records, CAMERA, state={"binning": "2x2"})
    assert asked.generate == ids(small)[1:]
    assert asked.state["binning"] == "2x2"


def test_darks_of_several_times_combine_and_keep_every_time() -> None:
    night = Night()
    night.dark(1, 30)
    short, middle, long = night.dark(10, 10), night.dark(10, 60), night.dark(4, 300)
    plan = plan_kind("dark", night.records, CAMERA)
    assert len(plan.generate) == 20
    assert set(ids(long)) <= set(plan.generate)
    assert len(set(ids(short)) & set(plan.generate)) == 8
    assert len(set(ids(middle)) & set(plan.generate)) == 8


def test_flats_are_chosen_per_filter() -> None:
    night = Night()
    g, r = night.flat(6, color="g"), night.flat(9, color="r")
    assert plan_kind("flat", night.records, CAMERA, physical_filter="g").generate == ids(g)[1:]
    plan = plan_kind("flat", night.records, CAMERA)
    assert (plan.filter, plan.generate) == ("r", ids(r)[1:])
    assert choice(plan, g[3]).reason == "filter g, not r"
    with pytest.raises(NothingToDo, match="no flat frames in filter z: there are 6 g, 9 r"):
        plan_kind("flat", night.records, CAMERA, physical_filter="z")


def test_flats_of_one_exposure_time_are_preferred() -> None:
    night = Night()
    short, long = night.flat(5, 5.0), night.flat(8, 10.0)
    plan = plan_kind("flat", night.records, CAMERA)
    assert plan.generate == ids(long)[1:]
    assert plan.first == (ids(short)[0], ids(long)[0])
    assert choice(plan, short[2]).reason == "of another set of the night, of 5 s"


def test_flats_of_a_ramp_verify_where_their_light_is_near() -> None:
    night = Night()
    own = night.flat(8, 10.0)
    ramp = {time: night.flat(2, time) for time in (0.5, 3.0, 6.0, 19.0, 30.0)}
    plan = plan_kind("flat", night.records, CAMERA)
    assert plan.generate == ids(own)[1:]
    assert {time for time, pair in ramp.items() if pair[1].exposure in plan.verify} == {6.0, 19.0}
    far = choice(plan, ramp[0.5][1])
    assert (far.use, far.value, far.limit) == ("left_out", pytest.approx(0.05, rel=0.02), 0.4)
    assert "of the light of those that generate" in far.reason


def test_flats_of_a_twilight_take_the_level_that_most_have() -> None:
    night = Night()
    flats = [r for i in range(12) for r in night.flat(time=2.0 * 1.3**i, rate=8000 / 1.3**i)]
    bright = [r for i in range(3) for r in night.flat(time=60.0 + 3 * i, rate=500 / (1 + 0.05 * i))]
    plan = plan_kind("flat", night.records, CAMERA)
    assert plan.generate == ids(flats)[1:]
    assert set(plan.verify) == set(ids(bright))
    reason = choice(plan, bright[0])
    assert "does not generate: level" in reason.reason
    assert reason.value == pytest.approx(30000 / 16000, rel=0.02)


def test_flats_join_only_at_the_same_level() -> None:
    night = Night()
    same = night.flat(6) + night.idle(3600).flat(6)
    faint = night.idle(3600).flat(5, rate=1000)
    plan = plan_kind("flat", night.records, CAMERA)
    assert plan.generate == ids(same[1:6] + same[7:])
    assert set(plan.verify) == set(ids(faint)[1:])


def test_other_dates_are_sampled() -> None:
    night, before = Night(), Night(day=20240320)
    night.bias(10)
    others = before.bias(12)
    plan = plan_kind("bias", night.records + before.records, CAMERA, night=night.day)
    assert plan.verify == (ids(others)[1], ids(others)[6], ids(others)[11])
    same = plan_kind("bias", night.records, CAMERA, other_records=before.records)
    assert same == plan


def test_newest_night_of_equals_is_chosen() -> None:
    night, before = Night(), Night(day=20240320)
    night.bias(10)
    before.bias(10)
    assert plan_kind("bias", before.records + night.records, CAMERA).night == night.day


def test_detectors_that_an_exposure_lacks_are_named() -> None:
    night = Night(detectors=3)
    night.bias(4)
    part = night.bias(1, detectors=(0, 2))
    night.bias(4)
    plan = plan_kind("bias", night.records, make_camera(detectors=3))
    assert choice(plan, part[0]).use == "generate"
    assert choice(plan, part[0]).reason.endswith("without detector 1")


def test_no_frames_of_the_type() -> None:
    night = Night()
    night.bias(3)
    night.flat(2)
    with pytest.raises(NothingToDo, match="no dark frames of 20240326: there are 3 bias, 2 flat"):
        plan_kind("dark", night.records, CAMERA, night=20240326)


def test_no_frames_at_all() -> None:
    with pytest.raises(NothingToDo, match="no frames at all") as caught:
        plan_kind("bias", [], CAMERA)
    assert caught.value.hint == "ingest frames first"
    night = Night()
    night.bias(5)
    with pytest.raises(NothingToDo, match="no frames of 20200101 at all: there are nights from 20240326"):
        plan_kind("bias", night.records, CAMERA, night=20200101)


def test_only_one_frame() -> None:
    night = Night()
    night.bias(1)
    with pytest.raises(NothingToDo, match="bias: 0 usable frames, 3 are needed") as caught:
        plan_kind("bias", night.records, CAMERA)
    assert "1 of 20240326 in 1 set, 1 first exposure left out" in caught.value.message
    assert "minimum" in caught.value.hint


def test_mixed_binning_too_few_of_each() -> None:
    night = Night()
    night.bias(3)
    night.bias(2, binning=(2, 2))
    with pytest.raises(NothingToDo, match=r"in other camera states or binnings: 2 with .*binning=2x2"):
        plan_kind("bias", night.records, CAMERA)


def test_too_few_says_what_was_set_aside() -> None:
    night = Night()
    night.flat(6, rate=0.1)
    with pytest.raises(NothingToDo, match=r"6 set aside\)\n  2024032600001: no light: ") as caught:
        plan_kind("flat", night.records, CAMERA)
    assert "and 1 more set aside" in caught.value.message


def test_unknown_kind() -> None:
    with pytest.raises(UsageError, match="'ptc'"):
        plan_kind("ptc", [], CAMERA)


def test_other_records_of_the_same_night_all_verify() -> None:
    night = Night()
    night.bias(8)
    others = night.idle(3600).bias(12)
    own = [record for record in night.records if record not in others]
    plan = plan_kind("bias", own, CAMERA, other_records=others)
    assert plan.generate == ids(own)[1:]
    assert plan.verify == ids(others)[1:]
    assert plan.first == (ids(own)[0], ids(others)[0])


def test_ten_thousand_records_are_quick() -> None:
    nights = [Night(day=20240101 + i) for i in range(25)]
    for night in nights:
        night.bias(100)
        night.dark(100)
        night.flat(200)
    records = [record for night in nights for record in night.records]
    assert len(records) == 10_000
    begin = time.monotonic()
    for kind in ("bias", "dark", "flat"):
        plan_kind(kind, records, CAMERA)
    # 1.6 s on an idle machine of the year 2025; ten times that is no longer quick anywhere.
    assert time.monotonic() - begin < 16
