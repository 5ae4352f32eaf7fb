"""Whatever flats are offered for a ramp: each one is accounted for once, and pairs are pairs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.selection import RAMPS, KindPlan, plan_ramp
from selection_frames import Night, make_camera

CAMERA = make_camera(detectors=2)
STATES = st.sampled_from([{"SET-TEMP": -10.0}, {"SET-TEMP": -10.0}, {"SET-TEMP": -5.0}, {}])


@st.composite
def nights(draw: st.DrawFn) -> list[FrameRecord]:
    """Draw flats (and a few others) of any exposure time, level, filter and state, over one or two nights."""
    records: list[FrameRecord] = []
    for day in draw(st.lists(st.sampled_from([20240301, 20240302]), min_size=1, unique=True)):
        night = Night(day=day, detectors=2, seed=day)
        for _ in range(draw(st.integers(1, 8))):
            night.idle(draw(st.sampled_from([0.0, 0.0, 1000.0])))
            state, color = draw(STATES), draw(st.sampled_from(["g", "g", "r"]))
            kind = draw(st.sampled_from(["flat", "flat", "flat", "bias"]))
            time = draw(st.sampled_from([0.0, 1.0, 1.005, 2.0, 3.0, 8.0, 20.0, 60.0]))
            for _ in range(draw(st.integers(1, 4))):
                odd = draw(st.integers(0, 5)) == 0
                share = draw(st.sampled_from([0.0, 0.0, 0.05, 1.0])) if time > 5 else 0.0
                night.expose(
                    kind,
                    time,
                    signal=draw(st.floats(-900, 64000)) if odd else 1000.0 * time,
                    color=color,
                    state=state,
                    detectors=draw(st.sampled_from([(0, 1), (0, 1), (1,)])),
                    change=lambda d, a, share=share: {"saturated": share},
                )
        records += night.records
    return records


def outcome(kind: str, records: list[FrameRecord], **asked: Any) -> KindPlan | NothingToDo:
    """Plan, or return the error that says why not."""
    try:
        return plan_ramp(kind, records, CAMERA, **asked)
    except NothingToDo as error:
        return error


@settings(max_examples=100, deadline=None)
@given(
    records=nights(),
    kind=st.sampled_from(sorted(RAMPS)),
    wishes=st.builds(
        SelectionDefaults, skip_first=st.integers(0, 2), wanted=st.integers(1, 6), minimum=st.integers(2, 4)
    ),
    physical_filter=st.sampled_from([None, "g"]),
    night=st.sampled_from([None, 20240302]),
)
def test_used_and_left_out_and_set_aside_are_what_was_offered(
    records: list[FrameRecord],
    kind: str,
    wishes: SelectionDefaults,
    physical_filter: str | None,
    night: int | None,
) -> None:
    offered = {
        r.exposure: r.facts
        for r in records
        if r.facts.frame_type == "flat"
        and physical_filter in (None, r.facts.filter)
        and night in (None, r.facts.day_obs)
    }
    plan = outcome(kind, records, settings=wishes, physical_filter=physical_filter, night=night)
    if isinstance(plan, NothingToDo):
        event("nothing to do")
        assert plan.message
        assert plan.hint
        return
    event("planned")
    assert sorted(choice.exposure for choice in plan.choices) == sorted(offered)
    assert all(choice.reason for choice in plan.choices)
    uses = Counter(choice.use for choice in plan.choices)
    assert sum(uses[use] for use in ("generate", "left_out", "set_aside")) == len(offered)
    assert len(plan.generate) == uses["generate"] == len(set(plan.generate))
    assert plan.first == plan.verify == ()
    used = [offered[exposure] for exposure in plan.generate]
    assert {facts.filter for facts in used} == {plan.filter}
    assert {facts.day_obs for facts in used} == {plan.night}
    assert len({facts.state.get("SET-TEMP") for facts in used} - {None}) <= 1
    levels = Counter(round(facts.exposure_time, 1) for facts in used)
    assert len(levels) >= wishes.minimum
    assert all(time > 0 and 0 < count <= wishes.wanted for time, count in levels.items())
    if RAMPS[kind].pairs:
        partners = {c.exposure: int(c.reason.rsplit(" ", 1)[1]) for c in plan.choices if c.use == "generate"}
        assert all(partners[partners[exposure]] == exposure != partners[exposure] for exposure in partners)
        assert sorted(partners) == list(plan.generate)


@settings(max_examples=40, deadline=None)
@given(records=nights(), seed=st.randoms(use_true_random=False))
def test_order_of_the_records_does_not_matter(records: list[FrameRecord], seed: object) -> None:
    shuffled = list(records)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    wishes = SelectionDefaults(skip_first=1, minimum=2)
    for kind in RAMPS:
        expected = outcome(kind, records, settings=wishes)
        found = outcome(kind, shuffled, settings=wishes)
        if isinstance(expected, NothingToDo):
            assert isinstance(found, NothingToDo)
            assert found.message == expected.message
        else:
            assert found == expected
