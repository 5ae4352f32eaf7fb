"""The verdict: which frames are set aside, which amplifiers fail, and that nothing is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from fiducial.verify.rows import FrameIdentity, Row, rows_from_arrow

CRITERIA = load_criteria()


def row(exposure: int, amplifier: str = "A", value: float = 0.0, **changes: Any) -> Row:
    base = Row(
        kind="bias",
        test="noise",
        scope="amplifier",
        exposure=exposure,
        detector=0,
        amplifier=amplifier,
        physical_filter="",
        mjd=60000.0 + exposure,
        role="input",
        counts=True,
        applicable=True,
        value=value,
        uncertainty=0.002,
        unit="",
        n_pixels=100_000,
        read_noise=6.0,
        reference=0.0,
    )
    return replace(base, **changes)


def production(frames: int = 10, amplifiers: str = "AB", detectors: int = 1) -> list[Row]:
    return [
        row(exposure, amplifier, detector=detector)
        for exposure in range(1, frames + 1)
        for amplifier in amplifiers
        for detector in range(detectors)
    ]


def spoil(
    rows: list[Row], exposures: range | list[int], amplifier: str, value: float = 0.5, **where: Any
) -> list[Row]:
    return [
        replace(one, value=value)
        if one.exposure in exposures
        and one.amplifier == amplifier
        and all(getattr(one, key) == wanted for key, wanted in where.items())
        else one
        for one in rows
    ]


def verdict(rows: list[Row]) -> dict[str, Any]:
    return judge(rows, CRITERIA).verdict


def test_a_clean_production_passes() -> None:
    said = verdict(production())
    assert said["verdict"] == "pass"
    assert said["reasons"] == []
    assert [frame["outcome"] for frame in said["frames"]] == ["pass"] * 10
    # 20 rows, and a mean for each of two amplifiers
    assert said["tests"] == 22


def test_a_failing_frame_is_set_aside_and_named() -> None:
    said = verdict(spoil(production(), [4], "A"))
    assert said["verdict"] == "warn"
    (product,) = said["products"]
    assert product["frames_set_aside"] == [4]
    assert product["amplifiers_failed"] == []
    assert "exposure 4 detector 0 is set aside: A (noise +0.5" in said["reasons"][0]
    (frame,) = [one for one in said["frames"] if one["exposure"] == 4]
    assert frame["outcome"] == "fail"
    assert frame["failures"] == ["0 A noise"]
    assert frame["set_aside_on"] == [0]


@pytest.mark.parametrize(("failing", "word"), [(5, "warn"), (6, "fail")])
def test_an_amplifier_fails_in_more_than_half_of_the_frames(failing: int, word: str) -> None:
    said = verdict(spoil(production(), range(1, failing + 1), "B"))
    assert said["verdict"] == word
    (product,) = said["products"]
    assert product["amplifiers_failed"] == (["B"] if word == "fail" else [])
    if word == "fail":
        # its frames are not to blame
        assert product["frames_set_aside"] == []
        assert "detector 0 amplifier B fails in 6 of 10 frames" in said["reasons"][0]


def test_an_amplifier_fails_by_its_mean_though_no_frame_does() -> None:
    """Each frame at 0.06 +- 0.02 is compatible with the limit of 0.05; twenty of them are not."""
    rows = [row(k, value=0.08, uncertainty=0.02) for k in range(1, 21)]
    judgement = judge(rows, CRITERIA)
    singles = [r for r in rows_from_arrow(judgement.rows) if r.scope == "amplifier"]
    assert {one.outcome for one in singles} == {"warn"}
    assert judgement.verdict["verdict"] == "fail"
    assert judgement.verdict["products"][0]["amplifiers_failed"] == ["A"]
    assert "fails in the mean over frames" in judgement.verdict["reasons"][0]


def test_the_mean_allows_for_the_amplifiers_own_scatter() -> None:
    """0.07 +- 0.02 in twenty frames fails by the mean (z* u = 0.0157); with a scatter of 0.036 not."""

    def production_of(scatter: float) -> list[Row]:
        return [row(k, value=0.07 + scatter * (-1) ** k, uncertainty=0.02) for k in range(1, 21)]

    assert verdict(production_of(0.0))["products"][0]["amplifiers_failed"] == ["A"]
    assert verdict(production_of(0.035))["products"][0]["amplifiers_failed"] == []


def test_a_bad_frame_does_not_condemn_by_the_mean() -> None:
    """One frame at 50 moves the mean of ten to 5; it is set aside, and the mean is that of the others."""
    said = verdict(spoil(production(), [3], "A", value=50.0))
    assert said["products"][0]["amplifiers_failed"] == []
    assert said["verdict"] == "warn"


def test_first_exposures_are_shown_and_do_not_count() -> None:
    rows = [*production(), *(row(99, a, 5.0, role="first", counts=False) for a in "AB")]
    said = verdict(rows)
    assert said["verdict"] == "pass"
    (frame,) = [one for one in said["frames"] if one["exposure"] == 99]
    assert frame["counts"] is False
    assert frame["failures"] == ["0 A noise", "0 B noise"]
    assert said["products"][0]["frames_counted"] == 10


def test_nothing_but_first_exposures_is_no_verification() -> None:
    said = verdict([row(1, a, role="first", counts=False) for a in "AB"])
    assert said["verdict"] == "fail"
    assert "no frame counts" in said["reasons"][0]


def test_one_frame_is_enough_to_pass_and_to_fail() -> None:
    assert verdict([row(1)])["verdict"] == "pass"
    assert verdict([row(1, value=0.5)])["verdict"] == "fail"


def test_nothing_at_all_fails() -> None:
    said = verdict([])
    assert said["verdict"] == "fail"
    assert said["reasons"] == ["nothing was measured"]


def test_frames_that_all_fail_somewhere_leave_nothing() -> None:
    """Each amplifier fails in two of ten frames only, and yet no frame is good."""
    rows = production(amplifiers="ABCDE")
    for index, amplifier in enumerate("ABCDE"):
        rows = spoil(rows, [2 * index + 1, 2 * index + 2], amplifier)
    said = verdict(rows)
    assert said["verdict"] == "fail"
    assert any("every frame that counts fails" in reason for reason in said["reasons"])


@pytest.mark.parametrize("detector", [0, 7, 19])
@pytest.mark.parametrize("exposure", [1, 5])
def test_no_failure_is_lost_in_merging(detector: int, exposure: int) -> None:
    """One amplifier of one frame of one of twenty detectors, beside rows of whole detectors (flats)."""
    rows = [replace(one, kind="flat") for one in production(5, "AB", detectors=20)]
    rows += [
        replace(
            rows[0], test="flat_level", scope="detector", amplifier="", exposure=k, detector=d, value=100.0
        )
        for k in range(1, 6)
        for d in range(20)
    ]
    said = verdict(spoil(rows, [exposure], "B", detector=detector, test="noise"))
    assert said["verdict"] == "warn"
    assert [p["detector"] for p in said["products"] if p["frames_set_aside"]] == [detector]
    failures = {one["exposure"]: one["failures"] for one in said["frames"] if one["failures"]}
    assert failures == {exposure: [f"{detector} B noise"]}
    assert any(f"exposure {exposure} detector {detector}" in reason for reason in said["reasons"])


def test_a_product_fails_alone() -> None:
    said = verdict(spoil(production(detectors=3), range(1, 11), "A", detector=1))
    assert [p["verdict"] for p in said["products"]] == ["pass", "fail", "pass"]
    assert said["verdict"] == "fail"


def test_a_masked_amplifier_is_no_failure() -> None:
    rows = [
        replace(one, applicable=False, value=float("nan")) if one.amplifier == "B" else one
        for one in production()
    ]
    said = verdict(rows)
    assert said["verdict"] == "pass"
    assert said["products"][0]["amplifiers_masked"] == ["B"]


def test_a_frame_that_could_not_be_measured_is_named() -> None:
    problem = FrameIdentity("bias", 42, 0, "", 60042.0, "input").problem("b42.fits is truncated")
    said = verdict([*production(), problem])
    assert said["verdict"] == "warn"
    assert said["products"][0]["frames_set_aside"] == [42]
    assert "exposure 42 detector 0 could not be measured: b42.fits is truncated" in said["reasons"]
    (frame,) = [one for one in said["frames"] if one["exposure"] == 42]
    assert frame["problems"] == ["b42.fits is truncated"]
    assert frame["outcome"] == "fail"


def test_an_amplifier_that_could_not_be_measured_in_one_frame_is_named() -> None:
    """Saturated in one flat: it must not pass unseen because nothing of it was judged."""
    rows = [
        replace(one, applicable=False, note="0 usable pixels")
        if one.exposure == 3 and one.amplifier == "B"
        else one
        for one in production()
    ]
    said = verdict(rows)
    assert said["verdict"] == "warn"
    assert said["products"][0]["frames_set_aside"] == [3]
    assert said["products"][0]["amplifiers_masked"] == []
    assert "amplifier B" in said["reasons"][0]


def test_a_first_exposure_that_could_not_be_measured_is_shown_only() -> None:
    problem = FrameIdentity("bias", 99, 0, "", 60099.0, "first").problem("b99.fits is truncated")
    said = verdict([*production(), problem])
    assert said["verdict"] == "pass"
    (frame,) = [one for one in said["frames"] if one["exposure"] == 99]
    assert frame["problems"] == ["b99.fits is truncated"]


def test_the_verdict_is_plain_json() -> None:
    said = verdict(spoil(production(), [4], "A"))
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_a_certified_value_counts_where_nothing_better_is_there() -> None:
    """Without overscan and without other biases, noise against the certified value is all there is."""
    rows = [row(k, test="noise_certified", value=0.5) for k in range(1, 11)]
    alone = verdict(rows + [row(k, applicable=False) for k in range(1, 11)])
    assert alone["verdict"] == "fail"
    beside = verdict(rows + [row(k) for k in range(1, 11)])
    assert beside["verdict"] == "warn"
    assert "the certified read noise is not that of the frames" in beside["reasons"][0]
    assert all(one["outcome"] == "pass" for one in beside["frames"])
    assert beside["frames"][0]["reported"] == ["0 A noise_certified"]
