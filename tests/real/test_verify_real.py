"""Verification of real nights: a spectrograph with overscan and two amplifiers, a camera without any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.execution.job import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.verify.rows import Row, rows_from_arrow

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("verified nights")]

WITHOUT_DARK = "parameters:chain=['saturation','overscan','gain','assembly','bias','nan']"


class Camera:
    """A repository with a folder of real frames, and what is made of them."""

    def __init__(self, folder: Path, name: str, frames: list[Path]) -> None:
        camera = load_camera(name)
        self.repository = Repository.create(folder / name, camera)
        report = self.repository.ingest(frames)
        assert not report.refused
        self.runs: tuple[str, ...] = ()

    def run(self, pipeline: str, output: str, exposures: list[int], *overrides: str) -> str:
        name = self.repository.instrument
        job = Job(
            pipeline=PIPELINES / f"{pipeline}.yaml",
            inputs=(*self.runs, f"{name}/raw/all", f"{name}/calib"),
            output=f"{name}/{output}",
            where=f"instrument='{name}' AND detector=0 AND exposure IN ({','.join(map(str, exposures))})",
            overrides=overrides,
        )
        outcome = run_job(self.repository, job)
        assert outcome.complete, outcome.failures
        return outcome.run

    def make(self, kind: str, inputs: list[int], *overrides: str) -> None:
        self.runs = (self.run(f"cp{kind}", f"{kind}Gen", inputs, *overrides), *self.runs)

    def verify(self, kind: str, exposures: list[int]) -> tuple[dict[str, object], list[Row]]:
        run = self.run(f"Verify{kind}", f"verify{kind}", exposures)
        butler = self.repository.butler
        (verdict,) = butler.query_datasets(f"verify{kind}Verdict", collections=run)
        (results,) = butler.query_datasets(f"verify{kind}Results", collections=run)
        return butler.get(verdict), rows_from_arrow(butler.get(results))

    def exposures(self, wanted: Callable[[str], bool]) -> list[int]:
        records = sorted(self.repository.records(), key=lambda record: record.facts.begin)
        return [record.exposure for record in records if wanted(Path(record.file).name)]


def mean_of(rows: list[Row], test: str, amplifier: str) -> float:
    values = [
        r.value
        for r in rows
        if (r.test, r.amplifier) == (test, amplifier) and r.applicable and r.n_frames == 1
    ]
    assert values, (test, amplifier)
    return float(np.mean(values))


@pytest.fixture(scope="module")
def kast(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return Camera(
        tmp_path_factory.mktemp("kast"), "kast-blue", sorted((real_data / "kast-blue").glob("b*.fits.fz"))
    )


@pytest.fixture(scope="module")
def stl_frames(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Camera:
    folder = real_data / "stl1001-2017"
    return Camera(tmp_path_factory.mktemp("stl"), "stl1001", sorted(folder.glob("*Neg5*.fits.fz")))


@pytest.fixture(scope="module")
def stl(stl_frames: Camera) -> Camera:
    """The STL-1001 with its master bias."""
    stl_frames.make("Bias", stl_frames.exposures(is_bias)[1:])
    return stl_frames


def is_bias(name: str) -> bool:
    return name.startswith("biases")


def test_kast_biases_and_flats(kast: Camera) -> None:
    biases = kast.exposures(lambda name: 14 <= int(name[1:].split(".")[0]) <= 23)
    flats = kast.exposures(lambda name: 2 <= int(name[1:].split(".")[0]) <= 13)
    kast.make("Bias", biases[1:])
    said, rows = kast.verify("Bias", biases)
    assert said["verdict"] != "fail"
    # Image read noise of the data's own README (adu) times the camera file's gain; 1.5 per cent for the
    # pairs of alternating even and odd biases.
    gains = {amp.name: amp.gain for amp in kast.repository.camera().amplifiers(0)}
    left, right = gains
    assert mean_of(rows, "read_noise", left) / gains[left] == pytest.approx(2.860, rel=0.015)
    assert mean_of(rows, "read_noise", right) / gains[right] == pytest.approx(2.704, rel=0.015)
    kast.make("Flat", flats[2:], WITHOUT_DARK)
    said, rows = kast.verify("Flat", flats)
    assert said["products"][0]["amplifiers_failed"] == []  # type: ignore[index]
    # 16 x 16 blocks, neighbours in time; the README's systematic errors
    assert mean_of(rows, "gain", left) == pytest.approx(1.205, abs=0.02)
    assert mean_of(rows, "gain", right) == pytest.approx(1.248, abs=0.02)
    # The frame of 30 s is saturated in 56,808 pixels: nothing of them is measured.
    saturated = [row for row in rows if row.exposure == flats[0] and row.test == "outliers"]
    pixels = sum(row.n_pixels for row in rows if row.exposure == flats[1] and row.test == "outliers")
    assert pixels - sum(row.n_pixels for row in saturated) > 50_000


def test_stl_biases_have_pairs_for_a_reference(stl: Camera) -> None:
    said, rows = stl.verify("Bias", stl.exposures(is_bias))
    assert said["verdict"] != "fail"
    gain = stl.repository.camera().amplifiers(0)[0].gain
    # 6.702 +- 0.003 adu
    assert mean_of(rows, "read_noise", "A") / gain == pytest.approx(6.702, abs=0.02)
    noise = [row for row in rows if row.test == "noise" and row.scope == "amplifier"]
    assert all(row.applicable and abs(row.value) < 0.01 for row in noise)
    # Without overscan levels drift, by about an adu here: within 0.3 of the read noise.
    level = [row for row in rows if row.test == "level" and row.scope == "amplifier"]
    assert not any(row.overscan for row in level)
    assert {row.outcome for row in level} == {"pass"}
    assert np.ptp([row.value for row in level]) / gain > 0.5


def test_stl_darks_and_flats(stl: Camera) -> None:
    darks = stl.exposures(lambda name: "darks-expos1-" in name)
    stl.make("Dark", darks[1:])
    longest = stl.exposures(lambda name: "expos300s" in name)
    said, rows = stl.verify("Dark", [*darks, *longest])
    # Shot noise of the dark current is in the expectation, pixel by pixel.
    noise = [row.value for row in rows if row.test == "noise" and row.exposure in darks]
    assert max(map(abs, noise)) < 0.02
    # 0.75 to 0.85 adu stand at time zero: frames of 60 s alone take them for dark current, and the level of
    # 300 s shows it. The frame is set aside; the product stands.
    assert said["products"][0]["frames_set_aside"] == longest  # type: ignore[index]
    assert said["verdict"] == "warn"
    flats = stl.exposures(lambda name: name.startswith("flat"))
    stl.make("Flat", flats[1:])
    said, rows = stl.verify("Flat", flats)
    assert said["verdict"] != "fail"
    # 1.934 +- 0.002 from adjacent pairs without neighbour covariances; 0.5 per cent for the way of clipping
    assert mean_of(rows, "gain", "A") == pytest.approx(1.934, rel=0.005)
    ratio = [row for row in rows if row.test == "amplifier_ratio"]
    assert ratio
    assert not any(row.applicable for row in ratio)
