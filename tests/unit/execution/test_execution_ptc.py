"""Photon transfer through a repository: frames are found, the product is stored and read again."""

from __future__ import annotations

from pathlib import Path

from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.repository import Repository
from fiducial.service import ingest, init
from fiducial.simulation import NightPlan, Ramp, simulate_night


def test_a_ramp_becomes_a_stored_curve(tmp_path: Path) -> None:
    ramp = Ramp(times=(0.3, 1.0, 3.0, 6.0, 9.0), rate=5000.0)
    plan = NightPlan(biases=0, darks=0, flats=0, science=0, filters=("g",), detectors=(0,), ramp=ramp)
    truth = simulate_night(load_camera("simcam"), tmp_path / "raw", plan=plan, seed=3)
    init(tmp_path / "repo", "simcam")
    assert len(ingest(tmp_path / "repo", [tmp_path / "raw"]).used) == 10
    job = Job(
        pipeline=PIPELINES / "cpPtc.yaml",
        inputs=("SimCam/raw/all", "SimCam/calib"),
        output="u/ptc",
        where="instrument='SimCam'",
        overrides=(
            "ptc:chain=['saturation','overscan','assembly','nan']",
            "ptc:fit=covariance",
            "ptc:maxLag=2",
        ),
    )
    with Repository.open(tmp_path / "repo", writeable=True) as repository:
        outcome = run_job(repository, job)
        assert outcome.complete, (outcome.failures, outcome.missing)
        (ref,) = repository.butler.query_datasets("ptc", outcome.run)
        product = repository.butler.get(ref)
    assert isinstance(product, PhotonTransferCurve)
    assert (len(product.pairs), product.lags, product.aside) == (5, 3, ())
    assert len(str(product.metadata["FID INPUT 0 SHA256"])) == 64
    for found, own in zip(product.amplifiers, truth.detectors[0].amplifiers, strict=True):
        assert found.fit.model == "covariance"
        assert abs(found.fit.gain - own.gain) < 4 * found.fit.gain_error


def test_a_bias_takes_the_gains_of_a_stored_curve(tmp_path: Path) -> None:
    ramp = Ramp(times=(0.3, 1.0, 3.0, 6.0, 9.0), rate=5000.0)
    plan = NightPlan(biases=10, darks=0, flats=0, science=0, filters=("g",), detectors=(0,), ramp=ramp)
    simulate_night(load_camera("simcam"), tmp_path / "raw", plan=plan, seed=3)
    init(tmp_path / "repo", "simcam")
    ingest(tmp_path / "repo", [tmp_path / "raw"])
    curve = Job(
        pipeline=PIPELINES / "cpPtc.yaml",
        inputs=("SimCam/raw/all", "SimCam/calib"),
        output="u/ptc",
        where="instrument='SimCam' and exposure.observation_type='flat'",
        overrides=("ptc:chain=['saturation','overscan','assembly','nan']", "ptc:maxLag=2"),
    )
    bias = Job(
        pipeline=PIPELINES / "cpBias.yaml",
        inputs=("u/ptc", "SimCam/raw/all", "SimCam/calib"),
        output="u/bias",
        where="instrument='SimCam' and exposure.observation_type='bias'",
        overrides=("bias:gains=ptc",),
    )
    verify = Job(
        pipeline=PIPELINES / "VerifyBias.yaml",
        inputs=("u/bias", "SimCam/raw/all", "SimCam/calib"),
        output="u/verify",
        where="instrument='SimCam' and exposure.observation_type='bias'",
    )
    with Repository.open(tmp_path / "repo", writeable=True) as repository:
        for job in (curve, bias, verify):
            outcome = run_job(repository, job)
            assert outcome.complete, (outcome.failures, outcome.missing)
        found = repository.butler.get("ptc", instrument="SimCam", detector=0, collections="u/ptc")
        master = repository.butler.get("bias", instrument="SimCam", detector=0, collections="u/bias")
    for one in found.amplifiers:
        assert master.metadata[f"FID AMP {one.name} GAIN"] == one.fit.gain
        assert master.metadata[f"FID AMP {one.name} GAIN SOURCE"] == "ptc"
    assert master.metadata["FID RUN MASTER PTC"]
