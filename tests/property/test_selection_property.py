"""Whatever frames are offered: each one is accounted for once, and nothing is used that may not be."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo
from fiducial.frames.records import FrameRecord
from fiducial.selection import KindPlan, first_exposures, plan_kind, plan_tables
from selection_frames import Night, make_camera

CAMERA = make_camera(detectors=2)

STATES = st.sampled_from([{"SET-TEMP": -10.0}, {"SET-TEMP": -5.0}, {"SEQFILE": "b.seq"}, {}])
SIGNALS = st.one_of(st.sampled_from([0.0, 20000.0]), st.floats(-900, 64000))


@st.composite
def nights(draw: st.DrawFn) -> list[FrameRecord]:
    """Draw frames of any type, state, level and order, over one to three nights."""
    records: list[FrameRecord] = []
    for day in draw(st.lists(st.sampled_from([20240301, 20240302, 20240303]), min_size=1, unique=True)):
        night = Night(day=day, detectors=2, seed=day)
        for _ in range(draw(st.integers(1, 6))):
            night.idle(draw(st.sampled_from([0.0, 1000.0])))
            frame_type = draw(st.sampled_from(["bias", "bias", "dark", "flat", "flat", "science"]))
            time = draw(st.sampled_from([0.0, 10.0, 60.0]))
            signal, state = draw(SIGNALS), draw(STATES)
            binning = draw(st.sampled_from([(1, 1), (2, 2), None]))
            for _ in range(draw(st.integers(2, 12))):
                odd = draw(st.booleans()) and draw(st.booleans())
                night.expose(
                    frame_type,
                    time,
                    signal=draw(SIGNALS) if odd else signal,
                    color=draw(st.sampled_from(["g", "g", "g", "r"])),
                    state=state,
                    binning=binning,
                    detectors=draw(st.sampled_from([(0, 1), (0, 1), (1,)])),
                    change=(lambda d, a: {"noise": 0.0, "saturated": 0.5}) if odd and signal > 6e4 else None,
                )
        records += night.records
    return records


def outcome(kind: str, records: list[FrameRecord], **asked: Any) -> KindPlan | NothingToDo:
    """Plan, or return the error that says why not."""
    try:
        return plan_kind(kind, records, CAMERA, **asked)
    except NothingToDo as error:
        return error


@settings(max_examples=150, deadline=None)
@given(
    records=nights(),
    kind=st.sampled_from(["bias", "dark", "flat", "flatBootstrap"]),
    settings_=st.builds(
        SelectionDefaults,
        skip_first=st.integers(0, 3),
        wanted=st.integers(2, 12),
        minimum=st.just(2),
        other_days_every=st.integers(1, 5),
    ),
    physical_filter=st.sampled_from([None, "g"]),
    night=st.sampled_from([None, 20240302]),
    state=st.sampled_from([None, {"SET-TEMP": -10}]),
)
def test_every_exposure_offered_is_accounted_for_once(
    records: list[FrameRecord],
    kind: str,
    settings_: SelectionDefaults,
    physical_filter: str | None,
    night: int | None,
    state: dict[str, float] | None,
) -> None:
    base = kind.removesuffix("Bootstrap")
    offered = {
        r.exposure: r
        for r in records
        if r.facts.frame_type == base and (base != "flat" or physical_filter in (None, r.facts.filter))
    }
    plan = outcome(
        kind, records, settings=settings_, physical_filter=physical_filter, night=night, state=state
    )
    if isinstance(plan, NothingToDo):
        event("nothing to do")
        assert plan.message
        assert plan.hint
        return
    event("planned")
    assert sorted(choice.exposure for choice in plan.choices) == sorted(offered)
    assert all(choice.reason for choice in plan.choices)
    used = {use: plan.count(use) for use in ("generate", "verify", "first", "left_out", "set_aside")}
    assert sum(used.values()) == len(offered)
    for use in ("generate", "verify", "first"):
        ids = [choice.exposure for choice in plan.choices if choice.use == use]
        assert getattr(plan, use) == tuple(sorted(ids))
    assert settings_.minimum <= len(plan.generate) <= settings_.wanted
    facts = [offered[exposure].facts for exposure in plan.generate]
    assert {fact.day_obs for fact in facts} == {plan.night}
    assert night in (None, plan.night)
    assert len({fact.binning for fact in facts} - {None}) == 1 or all(f.binning is None for f in facts)
    assert len({fact.state.get("SET-TEMP") for fact in facts} - {None}) <= 1
    if base == "flat":
        assert {fact.filter for fact in facts} == {plan.filter}
    for choice in plan.choices:
        assert (choice.value is None) == (choice.limit is None)
        if choice.use == "set_aside":
            assert choice.value is not None
    # What the plan takes for first exposures is what anyone finds in the same frames.
    first = first_exposures(records, CAMERA, settings=settings_)
    assert set(plan.first) <= first
    assert not set(plan.generate) & first
    assert not set(plan.verify) & first
    tables = plan_tables(plan, records)
    assert sum(row.count for row in tables.summary) == len(tables.exposures) == len(offered)


@settings(max_examples=40, deadline=None)
@given(records=nights(), seed=st.randoms(use_true_random=False))
def test_order_of_the_records_does_not_matter(records: list[FrameRecord], seed: object) -> None:
    shuffled = list(records)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    for kind in ("bias", "dark", "flat"):
        expected, found = outcome(kind, records), outcome(kind, shuffled)
        if isinstance(expected, NothingToDo):
            assert isinstance(found, NothingToDo)
            assert found.message == expected.message
        else:
            assert found == expected
