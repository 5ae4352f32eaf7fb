"""Everything that a night's frames allow: what cannot be made is named, and what does not need it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import fiducial
from fiducial import service
from fiducial.cameras import load_camera
from fiducial.errors import NothingToDo, UsageError
from fiducial.service.request import Request
from fiducial.simulation import NightPlan, Physics, Ramp, simulate_night

pytestmark = pytest.mark.xdist_group("service")

NIGHT = 20260115
TIMES = (0.3, 0.6, 1.2, 2.5, 4.0, 5.5, 7.0, 8.5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with biases and a ramp of the plug-in's camera, and no darks."""
    folder = tmp_path_factory.mktemp("everything")
    plan = NightPlan(
        biases=6,
        darks=0,
        flats=0,
        science=0,
        physics=Physics(cosmic_rays=0.0, lamp_noise=3e-4, lamp_drift=0.0),
        ramp=Ramp(times=TIMES, rate=5000.0, order="shuffled"),
    )
    simulate_night(load_camera("plugincam"), folder / "raw", plan=plan, seed=8)
    service.init(folder / "repo", "plugincam")
    service.ingest(folder / "repo", [folder / "raw"])
    return folder / "repo"


def test_a_ramp_without_its_bias_says_how_to_get_it(root: Path) -> None:
    with pytest.raises(NothingToDo, match="ptc needs a biasBootstrap, and none is certified") as caught:
        service.make(root, ["ptc"], Request(night=NIGHT))
    assert f"fiducial make REPO bias --bootstrap --night {NIGHT}" in caught.value.hint


def test_the_plan_of_everything_names_what_is_missing(root: Path) -> None:
    plans = service.plan(root, ["all"], Request(night=NIGHT))
    assert [one.step.product for one in plans.planned] == ["biasBootstrap", "linearizer", "ptc", "bias"]
    reasons = {one.kind: one for one in plans.impossible}
    assert list(reasons) == ["darkBootstrap", "flatBootstrap", "defects", "dark", "flat"]
    assert "no dark frames" in reasons["dark"].reason
    assert reasons["dark"].needed.startswith("3 darks of one camera state")
    assert "3 are needed" in reasons["flat"].reason
    assert "defects are found in one of them at least" in reasons["defects"].reason
    assert plans.asked == ("all",)
    ramp = next(one for one in plans.planned if one.step.product == "ptc")
    assert "a linearizer is there" in ramp.notes[-1]
    assert ramp.forecast.memory > 300e6
    (generation, verification) = (
        next(c for c in ramp.commands if name in c) for name in ("cpPtc", "VerifyPtc")
    )
    assert "'linearity'" in generation.replace("'\"'\"'", "'")
    assert verification.index("ptcGen.20260115a,") < verification.index("verifyPtc.20260115a")
    assert any("certify-calibrations" in c and c.endswith("ptc.20260115a ptc") for c in ramp.commands)


def test_pairing_that_the_user_wants_is_what_is_planned(root: Path) -> None:
    wishes = Request(night=NIGHT, overrides=("ptc:pairing.mostSeparation=2",))
    plans = service.plan(root, ["bias", "ptc"], Request(night=NIGHT, world="adu"))
    assert [one.step.product for one in plans.planned] == ["biasBootstrap", "ptc"]
    plans = service.plan(root, ["all"], wishes)
    (reason,) = (one.reason for one in plans.impossible if one.kind == "ptc")
    assert "photon transfer needs pairs of flats of at least 4 exposure times" in reason
    assert "at most 2 s are allowed" in reason
    # What was wanted of photon transfer does not touch linearity.
    assert "linearizer" in [one.step.product for one in plans.planned]


def test_everything_is_made_as_far_as_frames_go(root: Path) -> None:
    made = fiducial("make", root, "all", "--night", NIGHT, "--ticket", "ALL", "--json", code=3).json()
    products = {one["planned"]["step"]["kind"]: one for one in made["products"]}
    assert [one["planned"]["plan"]["kind"] for one in made["products"]] == [
        "biasBootstrap",
        "linearizer",
        "ptc",
        "bias",
    ]
    assert {one["verdict"] for one in made["products"]} <= {"pass", "warn"}
    assert [one["kind"] for one in made["impossible"]] == [
        "darkBootstrap",
        "flatBootstrap",
        "defects",
        "dark",
        "flat",
    ]
    assert any("gains are those of the ptc" in words for words in products["bias"]["reasons"])
    said = fiducial("plan", root, "all", "--night", NIGHT).out
    assert "dark: cannot be made: no dark frames" in said
    assert "needed: 3 darks of one camera state" in said


def test_a_ramp_uses_what_is_certified(root: Path) -> None:
    made = service.make(root, ["bias"], Request(night=NIGHT, ticket="CERT", world="adu"))
    service.certify(root, [made.products[0].run], begin="2026-01-15")
    again = service.make(root, ["ptc"], Request(night=NIGHT, ticket="CERT"))
    assert again.products[0].verdict in ("pass", "warn"), again.products[0].reasons
    assert not again.products[0].reasons or "linearity" not in again.products[0].reasons[0]


def test_what_fails_is_not_used_unasked_and_those_that_need_it_say_so(root: Path) -> None:
    """Criteria that nothing meets: the linearizer fails, and photon transfer goes on without it."""
    strict = root.parent / "strict.yaml"
    strict.write_text("tests:\n  linearizer:\n    error: {absolute: 1.0e-9, sided: upper}\n")
    made = service.make(
        root,
        ["bias", "linearizer", "ptc"],
        Request(
            night=NIGHT, ticket="STRICT", world="adu", overrides=(f"verifyLinearizer:criteria={strict}",)
        ),
    )
    verdicts = {one.planned.step.kind: one for one in made.products}
    assert verdicts["linearizer"].verdict == "fail"
    assert "the linearizer of this production did not pass: linearity is left out" in verdicts["ptc"].reasons


def test_there_is_no_report_page_of_a_ramp_and_no_kind_called_everything(root: Path) -> None:
    with pytest.raises(UsageError, match="no kind of calibration is called everything"):
        service.plan(root, ["everything"], Request(night=NIGHT))
