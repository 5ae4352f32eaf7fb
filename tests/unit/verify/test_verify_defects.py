"""The verdict on defects: sense, change, dead amplifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiducial.products.defects import DefectSet
from fiducial.verify.criteria import load_criteria
from fiducial.verify.defects import DefectLimits, DefectRow, judge_defects, measure_defects
from fiducial.verify.newest import newest_and_previous
from fiducial.verify.tasks_defects import VerifyDefectsConfig, VerifyDefectsTask
from frame_arrays import SHAPE, tiny_camera

CAMERA = tiny_camera()
PIXELS = SHAPE[0] * SHAPE[1]
LIMITS = DefectLimits.of(load_criteria())


def made(
    hot: int = 0, *, dead: bool = False, seed: int = 0, created: str = "", detector: int = 0
) -> DefectSet:
    masks: dict[str, np.ndarray] = {"hot": np.zeros(SHAPE, bool)}
    masks["hot"].ravel()[np.random.default_rng(seed).permutation(PIXELS)[:hot]] = True
    if dead:
        masks["dead_amplifier"] = np.zeros(SHAPE, bool)
        masks["dead_amplifier"][:, 20:] = True
    return DefectSet.from_masks(
        masks,
        instrument="TinyCam",
        detector=detector,
        shape=SHAPE,
        metadata={"FID RUN CREATED": created} if created else {},
    )


def verdict(now: DefectSet, before: DefectSet | None = None, **limits: float) -> dict[str, Any]:
    return judge_defects(measure_defects(now, before, CAMERA), replace(LIMITS, **limits))


def test_rows_count_each_amplifier_by_reason() -> None:
    now, before = made(50), made(50, seed=1)
    rows = {(row.amplifier, row.reason): row for row in measure_defects(now, before, CAMERA)}
    assert set(rows) == {(amp, reason) for amp in "AB" for reason in ("hot", "any")}
    for name, where in (("A", slice(0, 20)), ("B", slice(20, 40))):
        new, old = now.mask()[:, where], before.mask()[:, where]
        row = rows[name, "any"]
        counts = (int(new.sum()), int(old.sum()), int((new & ~old).sum()), int((old & ~new).sum()))
        assert (row.now, row.before, row.appeared, row.went) == counts
        assert row.pixels == 96 * 20
    assert measure_defects(now, None, CAMERA)[0] == DefectRow(
        0, "A", "hot", 96 * 20, rows["A", "hot"].now, -1, -1, -1
    )


def test_few_defects_without_a_previous_set_pass() -> None:
    said = verdict(made(50))
    assert said["verdict"] == "pass"
    assert said["reasons"] == []
    assert said["products"][0]["detector"] == 0


def test_too_many_fail() -> None:
    said = verdict(made(int(0.06 * PIXELS)))
    assert said["verdict"] == "fail"
    assert "230 pixels masked, 5.99 %, more than 5 %" in said["reasons"][0]
    assert verdict(made(int(0.06 * PIXELS)), most=0.1)["verdict"] == "pass"


def test_a_change_warns_beyond_its_noise() -> None:
    assert verdict(made(50), made(50))["verdict"] == "pass"
    assert verdict(made(50), made(55))["verdict"] == "pass"  # five went: less than 5 sqrt(55)
    said = verdict(made(50), made(50, seed=1))
    assert said["verdict"] == "warn"
    assert "since the previous set" in said["reasons"][0]


@pytest.mark.parametrize(("before", "word"), [(None, "fail"), (False, "fail"), (True, "pass")])
def test_an_amplifier_that_is_newly_dead_fails(before: bool | None, word: str) -> None:
    said = verdict(made(20, dead=True), None if before is None else made(20, dead=before))
    assert said["verdict"] == word
    assert said["products"][0]["amplifiers_masked"] == ["B"]
    assert said["products"][0]["amplifiers_failed"] == (["B"] if word == "fail" else [])


def test_nothing_to_judge_is_no_pass() -> None:
    assert judge_defects([], LIMITS)["verdict"] == "fail"


def test_the_newest_set_is_under_test() -> None:
    old, new = made(5, created="2026-01-01T00:00:00"), made(9, created="2026-01-02T00:00:00")
    alone = made(3, created="2026-01-01T00:00:00", detector=1)
    now, before = newest_and_previous([new, alone, old])
    assert {d.detector: d for d in now} == {0: new, 1: alone}
    assert before == {0: old}
    task = VerifyDefectsTask(config=VerifyDefectsConfig())
    result = task.run(camera=CAMERA, defects=now, previous=before)
    assert result.verdict["verdict"] == "pass"
    assert result.results.num_rows == 2 * 2 * 2


def test_limits_are_those_of_the_criteria_and_settings_go_over_them(tmp_path: Path) -> None:
    assert VerifyDefectsConfig().limits("TinyCam") == LIMITS == DefectLimits(0.05, 0.002)
    file = tmp_path / "mine.yaml"
    file.write_text("tests: {defects: {masked: {absolute: 0.2, sided: upper}}}\n")
    config = VerifyDefectsConfig()
    config.criteria = str(file)
    assert config.limits("TinyCam") == DefectLimits(0.2, 0.002)
    config.most, config.change = 0.3, 0.01
    assert config.limits("TinyCam") == DefectLimits(0.3, 0.01)
