"""The report of a photon transfer that `pipetask` made: nothing of it is read as an image."""

from __future__ import annotations

from pathlib import Path

from commands import fiducial
from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.repository import Repository
from fiducial.repository.lookup import datasets
from fiducial.service import ingest, init
from fiducial.simulation import NightPlan, Ramp, simulate_night

CURVE = "SimCam/calib/T/nightly/ptcGen.20260115a"


def test_a_curve_that_nobody_verified_has_its_page(tmp_path: Path) -> None:
    ramp = Ramp(times=(0.3, 1.0, 3.0, 6.0, 9.0), rate=5000.0)
    plan = NightPlan(biases=0, darks=0, flats=0, science=0, filters=("g",), detectors=(0,), ramp=ramp)
    simulate_night(load_camera("simcam"), tmp_path / "raw", plan=plan, seed=3)
    root = tmp_path / "repo"
    init(root, "simcam")
    ingest(root, [tmp_path / "raw"])
    job = Job(
        pipeline=PIPELINES / "cpPtc.yaml",
        inputs=("SimCam/raw/all", "SimCam/calib"),
        output=CURVE,
        where="instrument='SimCam'",
        overrides=("ptc:chain=['saturation','overscan','assembly','nan']",),
    )
    with Repository.open(root, writeable=True) as repository:
        outcome = run_job(repository, job)
        (ref,) = datasets(repository.butler, "ptc", outcome.run)
        product = repository.butler.get(ref)
    assert isinstance(product, PhotonTransferCurve)
    said = fiducial("report", root, CURVE, "-o", tmp_path / "ptc.html")
    assert "ptc: not verified" in said.out
    html = (tmp_path / "ptc.html").read_text("utf-8")
    assert "2 of 2 amplifiers determined from 5 pairs of flats." in html
    for one in product.amplifiers:
        assert f"{one.fit.gain:.3f}" in html
    assert len(html) < 5_000_000
