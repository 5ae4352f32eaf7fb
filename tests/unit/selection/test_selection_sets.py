"""Sets, first exposures and camera states."""

from __future__ import annotations

import pytest

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import UsageError
from fiducial.selection import default_limits, describe_state, first_exposures, parse_state
from fiducial.selection.exposures import gather
from fiducial.selection.sets import find_sets
from fiducial.selection.state import group_states
from selection_frames import Night, ids, make_camera

CAMERA = make_camera()


def sets_of(night: Night) -> list[tuple[int, ...]]:
    return [one.ids for one in find_sets(gather(night.records), default_limits())]


def test_an_idle_camera_ends_a_set() -> None:
    night = Night()
    one = night.bias(3)
    two = night.idle(400).bias(2)
    assert sets_of(night) == [ids(one), ids(two)]
    night = Night()
    together = night.bias(3) + night.idle(200).bias(2)
    assert sets_of(night) == [ids(together)]


def test_long_exposures_are_no_idling() -> None:
    night = Night()
    darks = night.dark(4, 1800)
    assert sets_of(night) == [ids(darks)]


def test_the_day_ends_a_set() -> None:
    night = Night()
    night.bias(2)
    next_day = Night(day=20240327)
    next_day.now = night.now
    next_day.bias(2)
    night.records += next_day.records
    assert [len(one) for one in sets_of(night)] == [2, 2]


def test_flats_divide_by_filter_and_time_and_strays_stay_together() -> None:
    night = Night()
    flats = night.flat(4, color="g")
    red = night.flat(3, color="r")
    more = night.flat(2, color="g")
    strays = night.flat(1, 30.0, color="g") + night.flat(2, 3.0, color="g")
    assert set(sets_of(night)) == {ids(flats + more), ids(red), ids(strays)}


def test_times_that_a_shutter_measures_are_the_same() -> None:
    night = Night()
    flats = [r for i in range(6) for r in night.flat(1, 15.0 + 0.02 * i)]
    assert sets_of(night) == [ids(flats)]


def test_order_of_records_does_not_matter() -> None:
    night = Night(detectors=2)
    night.bias(5)
    forward = first_exposures(night.records, CAMERA)
    assert first_exposures(reversed(night.records), CAMERA) == forward == {night.records[0].exposure}


def test_first_exposures_of_all_types_and_states() -> None:
    camera = make_camera(dark=SelectionDefaults(skip_first=2))
    night = Night()
    bias, warm = night.bias(4), night.bias(4, state={"SET-TEMP": 0.0})
    dark, flat = night.dark(4), night.flat(4)
    night.expose("science", 30, signal=10)
    later = night.idle(1000).bias(4)
    assert first_exposures(night.records, camera) == {
        r.exposure for r in (bias[0], warm[0], dark[0], dark[1], flat[0], later[0])
    }
    none = SelectionDefaults(skip_first=0)
    assert first_exposures(night.records, camera, settings=none) == set()


def test_detectors_of_one_exposure_vote_on_its_state() -> None:
    night = Night(detectors=3)
    records = night.bias(1)
    odd = records[0].model_copy(
        update={"facts": records[0].facts.model_copy(update={"state": {"SET-TEMP": -3.0, "SEQFILE": None}})}
    )
    (exposure,) = gather([odd, *records[1:]])
    assert exposure.facts.state == {"SET-TEMP": -10.0, "SEQFILE": "a.seq"}


def test_groups_know_what_any_of_their_exposures_tells() -> None:
    night = Night()
    night.bias(2, state={"SET-TEMP": -10.0})
    night.bias(2, state={"SEQFILE": "b.seq"}, binning=None)
    (group,) = group_states(gather(night.records), CAMERA)
    assert group.state == {"SET-TEMP": -10.0, "SEQFILE": "b.seq"}
    assert len(group.exposures) == 4


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("SET-TEMP=-10", {"SET-TEMP": -10}),
        ("SET-TEMP=-10.5,SEQFILE=a b.seq", {"SET-TEMP": -10.5, "SEQFILE": "a b.seq"}),
        (["A=1", "B=x"], {"A": 1, "B": "x"}),
        ("COOLED=True", {"COOLED": True}),
        ("SERIAL=007,RATE=1e3,NAME=nan", {"SERIAL": "007", "RATE": 1000.0, "NAME": "nan"}),
        ("binning=2x2", {"binning": "2x2"}),
    ],
)
def test_state_is_read_as_it_is_written(text: str | list[str], state: dict[str, object]) -> None:
    assert parse_state(text) == state
    assert parse_state(describe_state(parse_state(text))) == state


@pytest.mark.parametrize("text", ["", "SET-TEMP", "=3", "A=", "A=1,,B=2"])
def test_what_is_no_state(text: str) -> None:
    with pytest.raises(UsageError, match="is not a camera state"):
        parse_state(text)
