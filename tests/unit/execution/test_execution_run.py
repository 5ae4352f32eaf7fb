"""Jobs on a small repository: what they leave when they work, when they fail, when there is nothing to do."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lsst.pipe.base import Instrument
from lsst.utils.packages import Packages

from fiducial.cameras import load_camera
from fiducial.errors import ConfigurationError, NothingToDo, RepositoryError
from fiducial.execution import Job
from fiducial.execution.pipelines import generation_of
from fiducial.execution.run import run_job
from fiducial.kinds.bias import BiasTask
from fiducial.repository import Repository
from fiducial.service import ingest, init
from fiducial.simulation import NightPlan, simulate_night

pytestmark = pytest.mark.xdist_group("execution")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the simulated camera with four biases of its two detectors."""
    folder = tmp_path_factory.mktemp("execution")
    plan = NightPlan(biases=4, darks=0, flats=0, science=0)
    simulate_night(load_camera("simcam"), folder / "raw", plan=plan, seed=3)
    init(folder / "repo", "simcam")
    assert len(ingest(folder / "repo", [folder / "raw"]).used) == 8
    return folder / "repo"


def job(output: str, *settings: str, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "pipeline": generation_of("bias"),
        "inputs": ("SimCam/raw/all", "SimCam/calib"),
        "output": f"u/{output}",
        "where": "instrument='SimCam'",
        "overrides": settings,
    }
    return Job(**(values | changes))


def collections(root: Path) -> set[str]:
    with Repository.open(root) as repository:
        return set(repository.butler.collections.query("*"))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_job_leaves_its_products_and_its_trace(root: Path, processes: int) -> None:
    begun, done = [], []
    with Repository.open(root, writeable=True) as repository:
        outcome = run_job(
            repository, job(f"good{processes}"), processes=processes, begin=begun.append, step=done.append
        )
        made = repository.butler.query_datasets("bias", outcome.run)
        chain = repository.butler.collections.get_info(f"u/good{processes}").children
    assert outcome.complete, (outcome.failures, outcome.missing)
    assert {ref.dataId["detector"] for ref in made} == {0, 1}
    assert chain[0] == outcome.run
    assert (begun, done) == ([2], ["bias", "bias"])
    assert outcome.expected == 2
    assert {path.name for path in outcome.folder.iterdir()} == {
        "command.txt",
        "log.txt",
        "pipeline.yaml",
        "settings.json",
    }


@pytest.mark.parametrize("processes", [1, 2])
def test_what_fails_is_said_in_our_words_by_any_number_of_processes(
    root: Path, processes: int, capfd: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    with Repository.open(root, writeable=True) as repository:
        wish = job(f"bad{processes}", "bias:minimumFrames=9")
        outcome = run_job(repository, wish, processes=processes, step=done.append)
    assert not outcome.complete
    assert sorted(failure.data["detector"] for failure in outcome.failures) == [0, 1]
    for failure in outcome.failures:
        assert failure.error == "nothing"
        assert failure.message.startswith("4 frames for the bias of SimCam")
        assert failure.hint
    assert len(outcome.missing) == 2
    assert done == ["bias", "bias"]
    assert "Traceback" not in capfd.readouterr().err
    assert "not made: bias" in (outcome.folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("wish", "kind", "says"),
    [
        (job("none", where="instrument='SimCam' AND exposure IN (1)"), NothingToDo, "nothing to do"),
        (job("none", pipeline=generation_of("dark")), NothingToDo, "no bias"),
        (job("none", "bias:kapa=3"), ConfigurationError, "kapa"),
        (job("none", inputs=("SimCam/raw/all", "SimCam/clib")), RepositoryError, "no collection SimCam/clib"),
    ],
    ids=["no frames", "no master", "no such setting", "no such input"],
)
def test_where_nothing_can_be_run_nothing_is_left(
    root: Path, wish: Job, kind: type[Exception], says: str
) -> None:
    before = collections(root)
    with Repository.open(root, writeable=True) as repository, pytest.raises(kind, match=says):
        run_job(repository, wish)
    assert collections(root) == before
    assert not (root / "u" / "none").exists()


def test_a_chain_that_was_there_keeps_its_members_when_nothing_can_be_run(root: Path) -> None:
    with Repository.open(root, writeable=True) as repository:
        first = run_job(repository, job("twice"))
        with pytest.raises(NothingToDo):
            run_job(repository, job("twice", where="instrument='SimCam' AND exposure IN (1)"))
        chain = repository.butler.collections.get_info("u/twice").children
        assert chain[0] == first.run


def test_a_task_is_made_once_for_all_its_quanta(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[BiasTask] = []
    work = BiasTask.runQuantum
    monkeypatch.setattr(BiasTask, "runQuantum", lambda task, *a: (tasks.append(task), work(task, *a))[1])
    with Repository.open(root, writeable=True) as repository:
        outcome = run_job(repository, job("once"))
        refs = repository.butler.query_datasets("bias_metadata", outcome.run)
        metadata = [set(repository.butler.get(ref)["bias"]) for ref in refs]
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
    assert metadata[0] == metadata[1]  # the second has nothing of the first


def test_versions_are_kept_with_a_run_and_a_change_is_told(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Repository.open(root, writeable=True) as repository:
        first = run_job(repository, job("versions"))
        (ref,) = repository.butler.query_datasets("packages", first.run)
        kept = repository.butler.get(ref)
        assert kept["fiducial"] == version("fiducial")
        assert kept["numpy"] == np.__version__
        repository.butler.pruneDatasets([ref], unstore=True, purge=True)
        repository.butler.put(Packages({**kept, "numpy": "1.4"}), "packages", run=first.run)
        for name in ("bias", "bias_metadata", "bias_log"):
            made = repository.butler.query_datasets(name, first.run)
            repository.butler.pruneDatasets(made, unstore=True, purge=True)
        run_job(repository, job("versions", run=first.run))
    assert f"numpy was 1.4 when this run began, and is {np.__version__}" in caplog.messages


def test_a_run_that_is_continued_makes_nothing_twice(root: Path) -> None:
    with Repository.open(root, writeable=True) as repository:
        first = run_job(repository, job("again"))
        made = {ref.id for ref in repository.butler.query_datasets("bias", first.run)}
        with pytest.raises(NothingToDo):
            run_job(repository, job("again", run=first.run))
        assert {ref.id for ref in repository.butler.query_datasets("bias", first.run)} == made


def test_two_runs_of_one_second_have_names_of_their_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["20260115T000000Z", "20260115T000000Z", "20260115T000000Z", "20260115T000001Z"])
    monkeypatch.setattr(Instrument, "makeCollectionTimestamp", lambda: next(names))
    with Repository.open(root, writeable=True) as repository:
        runs = [run_job(repository, job("quick")).run for _ in range(2)]
    assert runs == ["u/quick/20260115T000000Z", "u/quick/20260115T000001Z"]
