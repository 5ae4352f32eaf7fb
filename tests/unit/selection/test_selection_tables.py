"""Rows of a plan, nights that have enough frames, and the limits as data."""

from __future__ import annotations

from importlib.resources import files

import pytest

from fiducial.errors import ConfigurationError
from fiducial.selection import ContentLimits, default_limits, find_dates, plan_kind, plan_tables
from fiducial.selection.limits import limits_from_yaml
from selection_frames import Night, ids, make_camera

CAMERA = make_camera()


def test_tables_account_for_every_exposure() -> None:
    night = Night(detectors=2)
    camera = make_camera(detectors=2)
    night.flat(8)
    bad = night.flat(1, rate=0.0)
    plan = plan_kind("flat", night.records, camera)
    tables = plan_tables(plan, night.records)
    assert [row.exposure for row in tables.exposures] == list(ids(night.records))
    assert sum(row.count for row in tables.summary) == 9
    assert [row.use for row in tables.summary] == ["generate", "first", "set_aside"]
    assert tables.summary[0].exposures == "2024032600002..2024032600008"
    row = tables.exposures[1]
    assert (row.filter, row.exposure_time, row.use) == ("g", 10.0, "generate")
    assert row.signal == pytest.approx(20000, rel=0.01)
    last = tables.exposures[-1]
    assert last.exposure == bad[0].exposure
    assert last.value is not None
    assert last.limit == 5


def test_tables_without_records() -> None:
    night = Night()
    night.bias(5)
    row = plan_tables(plan_kind("bias", night.records, CAMERA)).exposures[0]
    assert (row.begin, row.signal, row.exposure_time, row.filter) == (None, None, None, "")


def test_dates_with_enough_frames() -> None:
    good, few, other = Night(day=20240320), Night(day=20240321), Night(day=20240322)
    good.bias(10)
    good.dark(8)
    few.bias(10)
    few.dark(3)
    other.bias(10)
    records = good.records + few.records + other.records
    assert {row.night for row in find_dates(records, CAMERA, kinds=["bias"])} == {
        20240320,
        20240321,
        20240322,
    }
    rows = find_dates(records, CAMERA, kinds=["bias", "dark"], minimum={"dark": 5})
    assert [(row.night, row.kind, row.usable, row.frames) for row in rows] == [
        (20240320, "bias", 9, 10),
        (20240320, "dark", 7, 8),
    ]
    assert find_dates(records, CAMERA, kinds=["bias"], minimum=10) == []


def test_dates_with_the_qualities_asked_for() -> None:
    night = Night()
    night.flat(6, 10.0, color="g")
    night.flat(5, 5.0, color="g")
    night.flat(9, 10.0, color="r")
    night.flat(1, 10.0, color="r", rate=0.0)
    (g, r) = sorted(find_dates(night.records, CAMERA, kinds=["flat"]), key=lambda row: str(row.filter))
    assert (g.filter, g.usable, g.frames, g.sets, g.exposure_times) == ("g", 5, 11, 1, (10.0,))
    assert (r.filter, r.usable, r.set_aside) == ("r", 8, 1)
    assert r.signal == pytest.approx(20000, rel=0.02)
    (only,) = find_dates(night.records, CAMERA, kinds=["flat"], physical_filter="g", exposure_time=5)
    assert (only.usable, only.exposure_times) == (4, (5.0,))
    assert find_dates(night.records, CAMERA, kinds=["flat"], state={"SET-TEMP": -20}) == []
    assert len(find_dates(night.records, CAMERA, kinds=["flat"], state={"SET-TEMP": -10})) == 2


def test_every_limit_has_its_reason() -> None:
    for name in ContentLimits.model_fields:
        assert len(getattr(default_limits(), name).reason) > 40, name


LIMITS = files("fiducial.selection").joinpath("limits.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "mine.yaml: not YAML"),
        ("", "mine.yaml: the file: Input should be"),
        (LIMITS.replace("idle:", "idol:"), "mine.yaml: idle: Field required"),
        (LIMITS.replace("  low: 0.8\n", ""), "mine.yaml: rate.low: Field required"),
        (LIMITS.replace("  high: 300", "  high: 300\n  colour: red"), "mine.yaml: idle.colour: Extra inputs"),
        (
            LIMITS.replace("low: 0.8", "low: 8"),
            "mine.yaml: rate: Value error, low 8.0 is not below high 1.25",
        ),
    ],
)
def test_limits_that_are_off(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        limits_from_yaml(text, "mine.yaml")
    assert caught.value.message.startswith(message)
