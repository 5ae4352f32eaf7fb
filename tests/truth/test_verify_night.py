"""A simulated night through the real tasks and a real repository: generated, measured, judged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from fiducial.cameras import load_camera
from fiducial.execution.job import PIPELINES, Job, Outcome
from fiducial.execution.run import run_job
from fiducial.products.residuals import ResidualStack
from fiducial.repository import Repository
from fiducial.simulation import FirstExposureStripes, NightPlan, simulate_night
from fiducial.verify.rows import SCHEMA, Row, rows_from_arrow

SIMCAM = "SimCam"
PLAN = NightPlan(biases=9, darks=7, flats=6, science=0, filters=("r",))


@dataclass
class Night:
    """A repository with a night in it, and the masters made of it."""

    repository: Repository
    files: Path
    runs: dict[str, str]
    verified: dict[str, dict[str, Any]] = field(default_factory=dict)

    def exposures(self, kind: str) -> list[int]:
        return sorted({r.exposure for r in self.repository.records() if r.facts.frame_type == kind})

    def run(
        self, pipeline: str, inputs: tuple[str, ...], output: str, exposures: list[int], *more: str
    ) -> Outcome:
        ids = ",".join(map(str, exposures))
        job = Job(
            pipeline=PIPELINES / f"{pipeline}.yaml",
            inputs=(*inputs, f"{SIMCAM}/raw/all", f"{SIMCAM}/calib"),
            output=output,
            where=f"instrument='{SIMCAM}' AND detector IN (0,1) AND exposure IN ({ids})",
            overrides=more,
        )
        return run_job(self.repository, job)

    def verify(self, kind: str, exposures: list[int], *more: str, tag: str = "v") -> dict[str, Any]:
        masters = tuple(self.runs[k] for k in ("flat", "dark", "bias") if k in self.runs)
        outcome = self.run(f"Verify{kind.capitalize()}", masters, f"{SIMCAM}/{tag}{kind}", exposures, *more)
        assert outcome.complete, outcome.failures
        return self.read(kind, outcome.run)

    def all_of(self, kind: str) -> dict[str, Any]:
        """The verification of a kind with all frames of the night, done once."""
        if kind not in self.verified:
            self.verified[kind] = self.verify(kind, self.exposures(kind))
        return self.verified[kind]

    def read(self, kind: str, run: str) -> dict[str, Any]:
        butler = self.repository.butler
        found: dict[str, Any] = {}
        for name in ("Measurements", "Residuals", "Results", "Verdict"):
            refs = butler.query_datasets(f"verify{kind.capitalize()}{name}", collections=run)
            found[name] = [butler.get(ref) for ref in sorted(refs, key=lambda ref: str(ref.dataId))]
        return found


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("night")
    camera = load_camera("simcam")
    truth = simulate_night(camera, folder / "raw", plan=PLAN, seed=5, faults=[FirstExposureStripes()])
    repository = Repository.create(folder / "repo", camera)
    repository.ingest(list(truth.files))
    made = Night(repository, folder / "raw", {})
    chain: tuple[str, ...] = ()
    for kind in ("bias", "dark", "flat"):
        inputs = made.exposures(kind)[1:-1]  # the first is left out, the last held out
        outcome = made.run(f"cp{kind.capitalize()}", chain, f"{SIMCAM}/{kind}Gen", inputs)
        assert outcome.complete, outcome.failures
        made.runs[kind] = outcome.run
        chain = (outcome.run, *chain)
    yield made
    repository.close()


def rows_of(found: dict[str, Any]) -> list[Row]:
    return [row for table in found["Results"] for row in rows_from_arrow(table)]


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_a_night_without_a_fault_passes_but_for_the_certified_read_noise(night: Night, kind: str) -> None:
    found = night.all_of(kind)
    (said,) = found["Verdict"]
    # The simulated read noises scatter by 5 per cent about the camera file's.
    assert said["verdict"] in ("pass", "warn")
    for product in said["products"]:
        assert product["amplifiers_failed"] == []
        assert product["frames_set_aside"] == []
        assert product["frames_counted"] == len(night.exposures(kind)) - 1
    rows = rows_of(found)
    assert found["Results"][0].schema.names == SCHEMA.names
    roles = {row.exposure: row.role for row in rows if row.exposure > 0}
    first, *inputs, last = night.exposures(kind)
    assert (roles[first], roles[last]) == ("first", "held_out")
    assert {roles[exposure] for exposure in inputs} == {"input"}
    assert {row.unit for row in rows if row.test in ("level", "read_noise")} <= {"electron"}


def test_the_stripes_of_the_first_bias_are_measured_and_do_not_count(night: Night) -> None:
    found = night.all_of("bias")
    first = night.exposures("bias")[0]
    rows = [row for row in rows_of(found) if row.exposure == first]
    assert not any(row.counts for row in rows)
    stripes = [row for row in rows if row.test == "structure_rows"]
    assert len(stripes) == 4
    assert {row.outcome for row in stripes} == {"fail"}
    (frame,) = [one for one in found["Verdict"][0]["frames"] if one["exposure"] == first]
    assert "0 A structure_rows" in frame["failures"]


def test_read_noise_and_gain_are_those_of_the_simulation(night: Night) -> None:
    """Values of the truth beside the frames, within 4 quoted errors of the mean over pairs."""
    from fiducial.simulation import load_truth

    truth = load_truth(night.files)
    rows = rows_of(night.all_of("bias")) + rows_of(night.all_of("flat"))
    for detector, about in truth.detectors.items():
        for amp in about.amplifiers:
            for test, wanted in (("read_noise", amp.read_noise), ("gain", amp.gain)):
                mine = [
                    row
                    for row in rows
                    if (row.test, row.detector, row.amplifier) == (test, detector, amp.name)
                    and row.applicable
                ]
                values = np.array([row.value for row in mine])
                # Pairs of neighbours share frames: their mean is no better than that of every other one.
                error = np.mean([row.uncertainty for row in mine]) / np.sqrt(len(mine) / 2)
                nominal = night.repository.camera().amplifiers(detector)
                gain = next(a.gain for a in nominal if a.name == amp.name)
                scale = gain / amp.gain if test == "read_noise" else 1.0  # electrons by the nominal gain
                assert abs(values.mean() - wanted * scale) < 4 * error + 0.003 * wanted, (
                    test,
                    detector,
                    amp.name,
                )


def test_residuals_are_kept_under_two_overscan_models(night: Night) -> None:
    found = night.all_of("bias")
    assert [stack.detector for stack in found["Residuals"]] == [0, 1]
    for stack in found["Residuals"]:
        assert isinstance(stack, ResidualStack)
        assert stack.exposures.tolist() == night.exposures("bias")
        assert stack.images.shape[1:] == (256, 512)  # small detectors at full size
        assert stack.second_images.shape == stack.images.shape
        assert stack.second_overscan
        assert not np.array_equal(stack.second_images, stack.images)
        assert stack.roles[0] == "first"
        # The stripes of the first exposure stand out in its row profiles.
        spread = np.nanstd(stack.row_profiles, axis=2).max(axis=1)
        assert spread[0] > 3 * spread[1:].max()


def test_one_exposure_is_enough(night: Night) -> None:
    (said,) = night.verify("bias", night.exposures("bias")[3:4], tag="one")["Verdict"]
    assert said["verdict"] in ("pass", "warn")
    assert [frame["exposure"] for frame in said["frames"]] == night.exposures("bias")[3:4]


def test_first_exposures_alone_are_no_verification(night: Night) -> None:
    (said,) = night.verify("bias", night.exposures("bias")[:1], tag="first")["Verdict"]
    assert said["verdict"] == "fail"
    assert "no frame counts" in said["reasons"][0]


def test_first_exposures_can_be_named(night: Night) -> None:
    last = night.exposures("bias")[-1]
    found = night.verify("bias", night.exposures("bias"), f"verifyBias:firstExposures=[{last}]", tag="named")
    roles = {row.exposure: row.role for row in rows_of(found)}
    assert roles[last] == "first"
    assert roles[night.exposures("bias")[0]] == "held_out"
    # The stripes count now: the frame is set aside and named.
    (said,) = found["Verdict"]
    assert said["products"][0]["frames_set_aside"] == night.exposures("bias")[:1]


def test_limits_of_a_users_file_are_used(night: Night, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tests: {bias: {noise: {absolute: 0.5}, level: {electrons: 1.0e-6}}}\n")
    found = night.verify("bias", night.exposures("bias"), f"verifyBiasJudge:criteria={file}", tag="strict")
    rows = [row for row in rows_of(found) if row.test == "noise" and row.applicable]
    assert {row.limit for row in rows} == {0.5}


def test_judging_a_failing_product_is_no_error(night: Night, tmp_path: Path) -> None:
    file = tmp_path / "impossible.yaml"
    file.write_text(
        "tests: {bias: {structure_rows: {electrons: 1.0e-9, sided: upper}, noise: {absolute: 0.0}}}\n"
    )
    settings = ["verifyBias:corrections.overscan.method=none", f"verifyBiasJudge:criteria={file}"]
    (said,) = night.verify("bias", night.exposures("bias"), *settings, tag="impossible")["Verdict"]
    assert said["verdict"] == "fail"
    assert said["products"][0]["amplifiers_failed"] == ["A", "B"]


def test_a_frame_that_broke_since_is_named_and_the_others_go_on(night: Night) -> None:
    record = next(r for r in night.repository.records() if r.exposure == night.exposures("bias")[4])
    file = Path(record.file)
    whole = file.with_suffix(".whole")
    shutil.copy(file, whole)
    try:
        os.truncate(file, file.stat().st_size // 2)
        found = night.verify("bias", night.exposures("bias"), tag="broken")
    finally:
        shutil.move(whole, file)
    (said,) = found["Verdict"]
    (product,) = [one for one in said["products"] if one["detector"] == record.detector]
    assert product["frames_set_aside"] == [record.exposure]
    (frame,) = [one for one in said["frames"] if one["exposure"] == record.exposure]
    assert file.name in frame["problems"][0]
    assert any("could not be measured" in reason for reason in said["reasons"])
    measured = {row.exposure for row in rows_of(found) if row.detector == record.detector and row.applicable}
    assert measured >= set(night.exposures("bias")) - {record.exposure}


def test_masters_from_elsewhere_serve_on_the_first_day(night: Night, tmp_path: Path) -> None:
    """The simulated bias itself, without noise, adopted as plain FITS: every frame is an outside one."""
    from fiducial.simulation import load_truth

    truth = load_truth(night.files)
    files = []
    for detector, about in truth.detectors.items():
        files.append(tmp_path / f"bias{detector}.fits")
        header = fits.Header({"BUNIT": "adu", "DETECTOR": detector})
        fits.PrimaryHDU(about.bias_adu.astype(np.float32), header).writeto(files[-1])
    # A person adopts with a command of its own; a butler that saw the first bias being written does not know
    # that its type has validity ranges by now.
    with Repository.open(night.repository.root, writeable=True) as repository:
        repository.adopt("bias", files, begin="2020-01-01T00:00:00", end=None)
    outcome = night.run("VerifyBias", (), f"{SIMCAM}/adopted", night.exposures("bias"))
    assert outcome.complete, outcome.failures
    found = night.read("bias", outcome.run)
    rows = rows_of(found)
    assert {row.role for row in rows if row.exposure > 0} == {"first", "held_out"}
    noise = [row for row in rows if row.test == "noise" and row.counts and row.scope == "amplifier"]
    assert {row.outcome for row in noise} == {"pass"}
