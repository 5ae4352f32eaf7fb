"""Linearity through a repository: frames are found, the product is stored, read again, and used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fiducial.algorithms.linearity_packing import unpack_model
from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.products.linearizer import Linearizer
from fiducial.repository import Repository
from fiducial.service import ingest, init
from fiducial.simulation import Effects, NightPlan, Physics, Ramp, simulate_night
from fiducial.simulation.effects import NonLinearity


def test_a_ramp_becomes_a_stored_linearizer(tmp_path: Path) -> None:
    ramp = Ramp(times=(0.3, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 12.0), rate=5000.0)
    effects = Effects(nonlinearity=NonLinearity(high=0.05, power=2.0, low=0.0))
    plan = NightPlan(
        biases=0,
        darks=0,
        flats=0,
        science=0,
        filters=("g",),
        detectors=(0,),
        ramp=ramp,
        physics=Physics(lamp_drift=0.0, lamp_noise=1e-4, vignetting=0.0, dark_rate=0.0, effects=effects),
    )
    truth = simulate_night(load_camera("simcam"), tmp_path / "raw", plan=plan, seed=5)
    init(tmp_path / "repo", "simcam")
    assert len(ingest(tmp_path / "repo", [tmp_path / "raw"]).used) == 18
    job = Job(
        pipeline=PIPELINES / "cpLinearizer.yaml",
        inputs=("SimCam/raw/all", "SimCam/calib"),
        output="u/linearizer",
        where="instrument='SimCam'",
        overrides=(
            "linearizer:chain=['saturation','overscan','assembly','nan']",
            "linearizer:model.kind=polynomial",
        ),
    )
    with Repository.open(tmp_path / "repo", writeable=True) as repository:
        outcome = run_job(repository, job)
        assert outcome.complete, (outcome.failures, outcome.missing)
        (ref,) = repository.butler.query_datasets("linearizer", outcome.run)
        product = repository.butler.get(ref)
    assert isinstance(product, Linearizer)
    assert (len(product.exposures), product.unit) == (18, "adu")
    assert len(str(product.metadata["FID INPUT 0 SHA256"])) == 64
    known = truth.detectors[0]
    for number, (found, own) in enumerate(zip(product.amplifiers, known.amplifiers, strict=True)):
        assert found.determined, found.reason
        curve = known.effects.curve(number)
        assert curve is not None
        at = np.array([0.2, 0.5, 0.9]) * found.maximum
        made = at + unpack_model(found.model, found.parameters).correction(at)
        true = at + curve.correction(at * own.gain) / own.gain
        before, after = (ratio / ratio[1] - 1 for ratio in (true / at, true / made))
        assert np.abs(before).max() > 5e-3
        # A bias of some adu that no master takes off is 1e-3 at the lowest level.
        assert np.abs(after).max() < 0.2 * np.abs(before).max()
