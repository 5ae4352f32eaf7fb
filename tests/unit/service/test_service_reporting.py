"""Reports of what is measured on ramps: nothing of it is read as an image, verified or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands import fiducial
from fiducial import service
from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.repository.lookup import datasets
from fiducial.service.production import Production
from fiducial.service.request import Request
from fiducial.simulation import NightPlan, Ramp, simulate_night

pytestmark = pytest.mark.xdist_group("reporting")

NIGHT = 20260115
TIMES = (0.3, 0.6, 1.0, 2.0, 3.0, 6.0, 9.0, 18.0)  # s; all is saturated in the last one
UNVERIFIED = "SimCam/calib/ALONE/nightly/ptcGen.20260115a"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Production]:
    """Bias, linearizer and photon transfer of one detector."""
    folder = tmp_path_factory.mktemp("reporting")
    plan = NightPlan(
        biases=5,
        darks=0,
        flats=0,
        science=0,
        filters=("g",),
        detectors=(0,),
        ramp=Ramp(times=TIMES, rate=5000.0),
    )
    simulate_night(load_camera("simcam"), folder / "raw", plan=plan, seed=3)
    root = folder / "repo"
    service.init(root, "simcam")
    service.ingest(root, [folder / "raw"])
    request = Request(night=NIGHT, ticket="T", world="adu")
    return root, service.make(root, ["bias", "linearizer", "ptc"], request)


def products(root: Path, kind: str, run: str) -> list[Any]:
    with Repository.open(root) as repository:
        return [repository.butler.get(ref) for ref in datasets(repository.butler, kind, run)]


def test_flats_that_say_nothing_are_named_however_long_their_reason(made: tuple[Path, Production]) -> None:
    root, production = made
    one = next(made for made in production.products if made.planned.plan.kind == "linearizer")
    (linearizer,) = products(root, "linearizer", one.run)
    assert linearizer.metadata["FID NASIDE"] == 2
    reason = str(linearizer.metadata["FID ASIDE 0 REASON"])
    assert len(reason) > 66  # more than a card of a header holds
    assert any(reason in said for said in one.reasons)
    assert one.set_aside == 2


def test_all_of_a_ramp_stands_on_one_page_with_its_bias(
    made: tuple[Path, Production], tmp_path: Path
) -> None:
    root, production = made
    runs = [one.run for one in production.products]
    page = service.report(root, runs, tmp_path / "all.html")
    words = [f"{one.planned.plan.kind}: {one.verdict}" for one in production.products]
    assert len(words) == 3
    assert page.verdict.startswith(words[0])
    assert all(word in page.verdict for word in words)
    html = (tmp_path / "all.html").read_text("utf-8")
    (curve,) = products(root, "ptc", runs[-1])
    for one in curve.amplifiers:
        assert f"{one.fit.gain:.3f}" in html
    for test in ("gain against the camera&#39;s file", "largest residual", "slope of the correction"):
        assert test in html
    assert "saturated" in html
    assert page.size < 5_000_000


def test_a_curve_that_nobody_verified_has_its_page(made: tuple[Path, Production], tmp_path: Path) -> None:
    root, _ = made
    job = Job(
        pipeline=PIPELINES / "cpPtc.yaml",
        inputs=("SimCam/raw/all", "SimCam/calib"),
        output=UNVERIFIED,
        where="instrument='SimCam' AND exposure.observation_type='flat'",
        overrides=("ptc:chain=['saturation','overscan','assembly','nan']",),
    )
    with Repository.open(root, writeable=True) as repository:
        outcome = run_job(repository, job)
    assert outcome.complete, (outcome.failures, outcome.missing)
    said = fiducial("report", root, UNVERIFIED, "-o", tmp_path / "ptc.html")
    assert "ptc: not verified" in said.out
    html = (tmp_path / "ptc.html").read_text("utf-8")
    (curve,) = products(root, "ptc", outcome.run)
    good = sum(one.fit.determined for one in curve.amplifiers)
    assert f"{good} of 2 amplifiers determined from {len(curve.pairs)} pairs of flats." in html
    assert "It was not verified: there is no verdict." in html
