"""The doors for packages from outside: tests/plugin, installed beside fiducial, brings one of each."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from lsst.daf.butler import Butler

from commands import fiducial
from fiducial.cameras import load_camera
from fiducial.corrections.chain import build_chain
from fiducial.corrections.registry import CORRECTIONS, CorrectionsConfig
from fiducial.corrections.strips import plan_strips
from fiducial.errors import ConfigurationError
from fiducial.execution import pipelines
from fiducial.execution.job import Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.service import ingest, init
from fiducial.simulation import NightPlan, simulate_night
from fiducial.verify.checks import amplifier_checks
from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from frame_arrays import GAIN, LEVEL, frame, tiny_camera
from verify_arrays import Simulation, produce


def test_the_camera_is_known_by_its_names() -> None:
    camera = load_camera("plugincam")
    assert camera.name == "PluginCam"
    assert load_camera("PluginCam") is not None
    assert camera.layout(0).shape == (48, 64)


def test_the_command_line_lists_the_camera() -> None:
    assert "PluginCam" in [camera["name"] for camera in fiducial("camera", "list", "--json").json()]
    assert "plugincam" in fiducial("camera", "list").out


@pytest.mark.parametrize("names", [["pedestal", "gain"], ["gain", "pedestal"]])
def test_a_chain_applies_the_correction_on_either_side_of_the_gain(names: list[str]) -> None:
    config = CorrectionsConfig()
    config.pedestal.level = 900.0
    camera = tiny_camera()
    chain = build_chain([*names, "assembly"], config, camera=camera, detector=0)
    exposed = frame(camera)
    chain.prepare(exposed)
    for strip in plan_strips(camera.amplifiers(0)):
        for segment in chain.run(exposed, strip):
            name = segment.amplifier.name
            # Pixels are the level of their amplifier, exactly.
            np.testing.assert_array_equal(segment.image, GAIN[name] * (LEVEL[name] - 900.0))
    assert chain.notes()["PEDESTAL LEVEL"] == 900.0
    assert CORRECTIONS["pedestal"].__module__ == "fiducial_plugin.pedestal"


def _striped(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
    """Odd columns of the first amplifier of the third frame higher by 2 electrons."""
    stripes = np.zeros(data.shape[1])
    stripes[::2] = 2.0 if (frame, amplifier) == (2, 0) else 0.0
    return data + stripes


def test_the_check_measures_and_is_judged_by_its_own_line() -> None:
    assert "odd_even" in [check.name for check in amplifier_checks("bias")]
    assert "odd_even" not in [check.name for check in amplifier_checks("dark")]
    measured = produce(Simulation(inputs=16, damage=_striped), seed=3)
    rows = [row for row in measured.rows if row.test == "odd_even"]
    striped = [r for r in rows if r.exposure == rows[0].exposure + 2 and r.amplifier == "A"]
    # A sixteenth of the stripes is in the master; 5 sigma of the measurement.
    assert striped[0].value == pytest.approx(2 * 15 / 16, abs=5 * striped[0].uncertainty)
    # Noise 6 in each half of 128 x 128 pixels, less what the frame gave to the master.
    assert striped[0].uncertainty == pytest.approx(6 * np.sqrt(4 / 128**2 * 15 / 16), rel=0.1)
    ours = judge(measured.rows, load_criteria("PluginCam")).rows.to_pylist()
    outcomes = {
        (r["exposure"], r["amplifier"]): r["outcome"]
        for r in ours
        if r["test"] == "odd_even" and r["scope"] == "amplifier"
    }
    # The limit is 0.6 electrons (0.8 of the other amplifier), z* times the uncertainty 0.4 (0.5).
    assert outcomes.pop((striped[0].exposure, "A")) == "fail"
    assert set(outcomes.values()) == {"pass"}
    others = judge(measured.rows, load_criteria("SimCam")).rows.to_pylist()
    assert {r["outcome"] for r in others if r["test"] == "odd_even"} == {"shown"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the plug-in's camera with a few simulated frames."""
    folder = tmp_path_factory.mktemp("plugin")
    root = folder / "repo"
    init(root, "plugincam")
    plan = NightPlan(biases=3, darks=0, flats=0, science=0)
    simulate_night(load_camera("plugincam"), folder / "raw", plan=plan, seed=5, faults=())
    assert len(ingest(root, [folder / "raw"]).used) == 3
    return root


def test_init_registers_what_the_kind_writes(repository: Path) -> None:
    with Butler.from_config(str(repository)) as butler:
        dataset_type = butler.get_dataset_type("rawLevels")
    assert dataset_type.isCalibration()
    assert set(dataset_type.dimensions.required) == {"instrument", "detector"}


def test_the_kind_runs_on_frames_of_its_camera(repository: Path) -> None:
    pipeline = next(p for p in pipelines.known_pipelines() if p.name == "RawLevels.yaml")
    with Repository.open(repository, writeable=True) as opened:
        job = Job(pipeline, ("PluginCam/raw/all", "PluginCam/calib"), "u/levels", "instrument='PluginCam'")
        outcome = run_job(opened, job)
        assert outcome.complete, outcome.failures
        table = opened.butler.get("rawLevels", instrument="PluginCam", detector=0, collections="u/levels")
    assert table.num_rows == 3
    # The simulated level is 1000 adu, and scatters by 20 adu from amplifier to amplifier.
    assert all(abs(level - 1000) < 100 for level in table["level"].to_pylist())


@pytest.mark.parametrize("value", ["no_such_package:pipelines", "fiducial_plugin:no_such_folder"])
def test_pipelines_that_are_not_there_name_their_plug_in(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", value, pipelines.GROUP)
    monkeypatch.setattr(pipelines, "entry_points", lambda group: [broken])
    with pytest.raises(ConfigurationError, match=f"broken .*{value}"):
        pipelines.known_pipelines()


def test_criteria_that_are_not_there_name_their_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("simcam", "fiducial_plugin:lost.yaml", "fiducial.criteria")
    monkeypatch.setattr("fiducial.verify.criteria.model.entry_points", lambda group: [broken])
    with pytest.raises(ConfigurationError, match=r"fiducial_plugin:lost\.yaml cannot be read"):
        load_criteria("SimCam")
