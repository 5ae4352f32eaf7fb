"""Photon transfer and linearizers are verified through a repository, against what is certified there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lsst.daf.butler import CollectionType, DatasetType, Timespan

from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.service import ingest, init
from fiducial.service.verdicts import read_verdict
from fiducial.service.verifying import nearest_to_limits
from fiducial.simulation import NightPlan, simulate_night
from verify_products import SETTINGS, linearizer, transfer, with_fit

CALIB = "SimCam/calib"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """A night of two flats, which say for when products have to be valid."""
    plan = NightPlan(biases=0, darks=0, flats=2, science=0, filters=("g",))
    simulate_night(load_camera("simcam"), tmp_path / "raw", plan=plan, seed=3)
    init(tmp_path / "repo", "simcam")
    ingest(tmp_path / "repo", [tmp_path / "raw"])
    with Repository.open(tmp_path / "repo", writeable=True) as opened:
        yield opened


def stored(
    repository: Repository, kind: str, run: str, products: list[Any], *, certified: bool = False
) -> None:
    butler = repository.butler
    butler.registry.registerDatasetType(
        DatasetType(
            kind,
            ("instrument", "detector"),
            "FiducialProduct",
            universe=butler.dimensions,
            isCalibration=True,
        )
    )
    butler.collections.register(run)
    refs = [butler.put(one, kind, instrument="SimCam", detector=one.detector, run=run) for one in products]
    if certified:
        butler.collections.register(f"{run}/certified", CollectionType.CALIBRATION)
        butler.registry.certify(f"{run}/certified", refs, Timespan(None, None))
        butler.collections.prepend_chain(CALIB, f"{run}/certified")


def verified(
    repository: Repository, kind: str, run: str
) -> tuple[str, tuple[str, ...], list[dict[str, Any]]]:
    stage = f"{kind[0].upper()}{kind[1:]}"
    job = Job(
        pipeline=PIPELINES / f"Verify{stage}.yaml",
        inputs=(run, CALIB, "SimCam/raw/all"),
        output=f"u/verify{stage}",
        where="instrument='SimCam'",
    )
    outcome = run_job(repository, job)
    assert outcome.complete, (outcome.failures, outcome.missing)
    said = read_verdict(repository, kind, outcome.run)
    (ref,) = repository.butler.query_datasets(f"verify{stage}Results", outcome.run)
    rows = repository.butler.get(ref).to_pylist()
    assert len(nearest_to_limits(repository, kind, outcome.run)) == 10
    return said.word, said.reasons, rows


def both(make: Any, created: str, **wishes: Any) -> list[Any]:
    rng = np.random.default_rng(8)
    return [make(SETTINGS["two"], rng, detector=d, created=created, **wishes) for d in (0, 1)]


def test_photon_transfer(repository: Repository) -> None:
    stored(repository, "ptc", "u/old", both(transfer, "2026-01-01"), certified=True)
    # The gains are 2 and 4, those of this camera's file 1.5 and 1.2: the file is off, and that is said.
    stored(repository, "ptc", "u/new", both(transfer, "2026-01-02"))
    word, reasons, rows = verified(repository, "ptc", "u/new")
    assert word == "warn"
    assert len(reasons) == 4
    assert all("gain_nominal" in reason and "warning only" in reason for reason in reasons)
    changes = [row for row in rows if row["test"] == "gain_change"]
    assert len(changes) == 4
    assert all(row["applicable"] and row["outcome"] == "pass" for row in changes)

    stored(repository, "ptc", "u/off", [with_fit(one, gain=2.1) for one in both(transfer, "2026-01-03")])
    word, reasons, rows = verified(repository, "ptc", "u/off")
    assert word == "fail"
    assert "gain_change" in reasons[0]


def test_linearizers_with_photon_transfer(repository: Repository) -> None:
    stored(repository, "linearizer", "u/first", both(linearizer, "2026-01-02"))
    word, reasons, rows = verified(repository, "linearizer", "u/first")
    assert (word, reasons) == ("pass", ())
    notes = {row["note"] for row in rows if row["test"] == "maximum"}
    assert notes == {"against the saturation"}
    assert not any(row["applicable"] for row in rows if row["test"] == "change")

    stored(repository, "ptc", "u/ptc", both(transfer, "2026-01-01"), certified=True)
    stored(repository, "linearizer", "u/old", both(linearizer, "2026-01-01"), certified=True)
    word, reasons, rows = verified(repository, "linearizer", "u/first")
    assert (word, reasons) == ("pass", ())
    assert {row["note"] for row in rows if row["test"] == "maximum"} == {"against the turn-off"}
    assert all(row["outcome"] == "pass" for row in rows if row["test"] == "change")

    stored(repository, "linearizer", "u/bent", both(linearizer, "2026-01-03", strength=0.05))
    word, reasons, _ = verified(repository, "linearizer", "u/bent")
    assert word == "fail"
    assert "change" in reasons[0]
