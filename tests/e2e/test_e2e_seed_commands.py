"""The commands of a calibration team's scripts, with their own arguments and names, on our repositories.

A LATISS night at full layout: 16 segments of int32, ``butler`` and ``pipetask`` as they are.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from lsst.daf.butler import Butler

from commands import Ran, butler, fiducial, pipetask
from fiducial.cameras import load_camera
from fiducial.execution import PIPELINES
from fiducial.products.images import content_hash, planes_of
from fiducial.repository import Repository
from fiducial.simulation import NightPlan, NightTruth, simulate_night

pytestmark = pytest.mark.xdist_group("seed")

TICKET = "LATISS/calib/DM-43525"
GEN = f"{TICKET}/lowerSetTemp/biasGen.20240326a"
VERIFY = f"{TICKET}/lowerSetTemp/verifyBias.20240326a"
CERTIFIED = f"{TICKET}/lowerSetTemp/bias.20240405a"
EXPOSURES = "2024032600002..2024032600006"
EXPOSURES_V = "2024032600001, 2024032600007"
ALL = list(range(2024032600001, 2024032600008))
LATER = 2024041500021
FILTER = "SDSSr_65mm~empty"


@dataclass(frozen=True)
class Script:
    """What the commands said, and where they worked."""

    repo: Path
    repo2: Path
    bundle: Path
    bias_run: str
    said: dict[str, Ran]
    truth: NightTruth


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    """The whole of the script, from raw frames to the other site."""
    home = tmp_path_factory.mktemp("latiss")
    camera = load_camera("latiss")
    plan = NightPlan(night=date(2024, 3, 26), biases=7, darks=0, flats=0, science=0, filters=(FILTER,))
    truth = simulate_night(camera, home / "raw", plan=plan, seed=3)
    later = plan.model_copy(update={"night": date(2024, 4, 15), "biases": 1, "first_sequence": 21})
    simulate_night(camera, home / "raw2", plan=later, seed=3)
    repo, repo2, bundle = home / "repo", home / "repo2", home / "calibs.20240405a"
    said: dict[str, Ran] = {}
    fiducial("init", repo, "--camera", "latiss")
    fiducial("ingest", repo, home / "raw")
    said["records"] = butler(
        "query-dimension-records",
        repo,
        "exposure",
        "--where",
        "instrument='LATISS' AND exposure.observation_type='bias' AND exposure.day_obs=20240326",
    )
    said["bias"] = pipetask(
        *("--long-log", "run", "-b", repo, "-p", PIPELINES / "cpBias.yaml"),
        *("-i", "LATISS/raw/all,LATISS/calib", "-o", GEN),
        *("-d", f"instrument='LATISS' AND detector=0 AND exposure IN ({EXPOSURES})", "-j", "4"),
    )
    said["bias collections"] = butler("query-collections", repo, GEN)
    bias_run = run_in(said["bias collections"], GEN)
    said["verify"] = pipetask(
        *("--long-log", "run", "-b", repo, "-p", PIPELINES / "VerifyBias.yaml"),
        *("-i", f"{bias_run},LATISS/calib,LATISS/raw/all", "-o", VERIFY),
        *("-d", f"instrument='LATISS' AND detector=0 AND exposure IN ({EXPOSURES}, {EXPOSURES_V})"),
        *("--register-dataset-types", "-j", "4"),
    )
    said["before"] = butler("query-collections", repo, "LATISS/calib")
    butler("certify-calibrations", "--begin-date", "2024-04-10", repo, GEN, CERTIFIED, "bias")
    butler("collection-chain", repo, TICKET, CERTIFIED)
    butler("collection-chain", repo, "--mode", "prepend", "LATISS/calib", TICKET)
    said["after"] = butler("query-collections", repo, "LATISS/calib")
    butler("export-calibs", repo, "--transfer", "copy", f"./{bundle.name}", TICKET, cwd=home)
    fiducial("init", repo2, "--camera", "latiss")
    butler(
        *("import", repo2, f"./{bundle.name}", "--transfer", "copy"),
        *("--export-file", f"./{bundle.name}/export.yaml"),
        *("-s", "instrument", "-s", "detector", "-s", "physical_filter"),
        cwd=home,
    )
    butler("collection-chain", repo2, TICKET, CERTIFIED)
    butler("collection-chain", repo2, "--mode", "prepend", "LATISS/calib", TICKET)
    said["there"] = butler("query-collections", repo2, "LATISS/calib")
    fiducial("ingest", repo2, home / "raw2")
    yield Script(repo, repo2, bundle, bias_run, said, truth)
    shutil.rmtree(home)  # more than half a gigabyte


def run_in(ran: Ran, chain: str) -> str:
    """The newest run of a chain of outputs, read as people do."""
    runs = re.findall(rf"^\s*({re.escape(chain)}/\S+)\s+RUN", ran.out, re.MULTILINE)
    assert runs, ran.said
    return str(runs[0])


def children(ran: Ran) -> list[str]:
    """The names that ``butler query-collections`` lists, in order."""
    names = [line.split()[0] for line in ran.out.splitlines() if line.split()]
    return [name for name in names if name.startswith("LATISS")]


def test_exposures_are_found_by_their_records(script: Script) -> None:
    header, _, *rows = script.said["records"].out.splitlines()
    for column in ("physical_filter", "exposure_time", "observation_reason", "target_name", "timespan"):
        assert column in header
    found = [row.split() for row in rows if row.strip()]
    assert [row[0] for row in found] == ["LATISS"] * 7
    assert [int(row[1]) for row in found] == ALL
    assert all(FILTER in row and "20240326" in row for row in found)
    assert [int(row[5].rsplit("_", 1)[-1]) for row in found] == list(range(1, 8))


def test_the_run_holds_one_bias_that_is_the_truth(script: Script) -> None:
    with Butler.from_config(script.repo) as store:
        (ref,) = store.query_datasets("bias", script.bias_run)
        bias = store.get(ref)
    assert ref.dataId["detector"] == 0
    assert [bias.metadata[f"FID INPUT {i} ID"] for i in range(5)] == ALL[1:6]
    planes = planes_of(bias)
    assert planes.image.shape == (4000, 4072)
    # In electrons of the camera file; the truth in adu differs by that gain, and by what is left of
    # the noise: 5 frames of at most 10.3 electrons each.
    camera = load_camera("latiss")
    truth = script.truth.detectors[0].bias_adu
    for amp in camera.amplifiers(0):
        where = amp.detector.slices
        difference = planes.image[where] - truth[where] * amp.gain
        spread = np.subtract(*np.percentile(difference, [84.13, 15.87])) / 2
        assert abs(np.median(difference)) < 0.5, amp.name  # the drift that the overscan does not see
        assert spread < 10.3 * 1.2 / np.sqrt(5), amp.name


def test_the_verification_came_to_a_verdict(script: Script) -> None:
    with Butler.from_config(script.repo, collections=VERIFY) as store:
        verdict = store.get("verifyBiasVerdict", instrument="LATISS")
        rows = store.get("verifyBiasMeasurements", instrument="LATISS", detector=0)
        results = store.get("verifyBiasResults", instrument="LATISS")
        (residuals,) = store.query_datasets("verifyBiasResiduals", VERIFY)
        assert store.get(residuals) is not None
    assert verdict["kind"] == "bias"
    assert verdict["verdict"] in ("pass", "warn"), verdict["reasons"]
    assert set(rows["exposure"].to_pylist()) == set(ALL)
    outcomes = {(row["test"], row["outcome"]) for row in results.to_pylist()}
    assert {outcome for _, outcome in outcomes} & {"pass", "warn"}
    # Read noises of the simulated camera are off those of its file, which is reported and condemns no frame.
    assert {test for test, outcome in outcomes if outcome == "fail"} <= {"noise_certified"}


def test_chains_before_and_after(script: Script) -> None:
    assert children(script.said["before"]) == ["LATISS/calib", "LATISS/calib/camera"]
    after = ["LATISS/calib", TICKET, CERTIFIED, "LATISS/calib/camera"]
    assert children(script.said["after"]) == after
    assert children(script.said["there"]) == after
    assert re.search(rf"{re.escape(CERTIFIED)}\s+CALIBRATION", script.said["after"].out)


def test_the_export_holds_the_bias_and_its_validity(script: Script) -> None:
    files = [p for p in script.bundle.rglob("*") if p.is_file()]
    assert sorted(p.suffix for p in files) == [".fits", ".yaml"]
    assert "2024-04-10 00:00:00" in (script.bundle / "export.yaml").read_text()


def test_the_second_repository_finds_the_same_bias_for_a_later_exposure(script: Script) -> None:
    with Repository.open(script.repo) as here, Repository.open(script.repo2) as there:
        mine = here.find_calibration("bias", "2024-04-15T13:00:00", 0)
        theirs = there.find_calibration("bias", LATER, 0)
        assert mine is not None
        assert theirs is not None
        assert mine.id == theirs.id
        a, b = here.butler.get(mine), there.butler.get(theirs)
        (exposure,) = there.butler.query_dimension_records("exposure", instrument="LATISS")
        assert exposure.id == LATER
        plain = there.butler.find_dataset(
            "bias", instrument="LATISS", detector=0, collections="LATISS/calib", timespan=exposure.timespan
        )
        assert plain is not None
        assert plain.id == theirs.id
        # Frames that went in were taken before it became valid.
        assert here.find_calibration("bias", ALL[2], 0) is None
        copied = Path(there.butler.getURI(theirs).ospath)
        assert copied.is_relative_to(script.repo2)
    assert content_hash(a) == content_hash(b)
    assert np.array_equal(planes_of(a).image, planes_of(b).image, equal_nan=True)


def test_a_pipeline_in_the_second_repository_takes_it(script: Script) -> None:
    chain = "['saturation','overscan','gain','assembly','bias','nan']"
    done = fiducial(
        "detrend", script.repo2, "--exposures", LATER, "-c", f"detrend:chain={chain}", "--json"
    ).json()
    (frame,) = done["frames"]
    with Repository.open(script.repo2) as there:
        bias = there.find_calibration("bias", LATER, 0)
        assert bias is not None
        image = there.butler.get(
            "detrended", exposure=LATER, detector=0, instrument="LATISS", collections=done["run"]
        )
    assert frame["exposure"] == LATER
    assert str(bias.id) in {str(value) for value in image.metadata.values()}
