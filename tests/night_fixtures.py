"""A small simulated night, and a repository that holds it: fixtures for tests of the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import fiducial
from fiducial.cameras import load_camera
from fiducial.simulation import NightPlan, NightTruth, simulate_night
from wholeness import hashes_of


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    """Raw frames of both detectors of simcam: biases, darks and flats of one filter."""
    plan = NightPlan(biases=6, darks=5, dark_times=(60.0,), flats=5, science=0, filters=("g",))
    return simulate_night(load_camera("simcam"), tmp_path_factory.mktemp("night"), plan=plan, seed=5)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without frames; not to be changed."""
    repository = tmp_path_factory.mktemp("empty") / "repo"
    fiducial("init", repository, "--camera", "simcam")
    return repository


@pytest.fixture(scope="session")
def night_repository(
    empty_repository: Path, night: NightTruth, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A repository that holds the night; not to be changed."""
    repository = Path(shutil.copytree(empty_repository, tmp_path_factory.mktemp("template") / "repo"))
    fiducial("ingest", repository, night.folder)
    return repository


@pytest.fixture(scope="session")
def new_repository(night_repository: Path) -> Callable[[Path], Path]:
    """Gives a repository of its own, with the night in it, at a place that does not exist yet."""

    def make(place: Path) -> Path:
        return Path(shutil.copytree(night_repository, place))

    return make


@pytest.fixture
def repository(new_repository: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A repository of the test's own, with the night in it."""
    return new_repository(tmp_path / "repo")


@pytest.fixture
def fresh(empty_repository: Path, tmp_path: Path) -> Path:
    """A repository of the test's own without frames."""
    return Path(shutil.copytree(empty_repository, tmp_path / "repo"))


@pytest.fixture(scope="session")
def made(
    new_repository: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """A repository in which bias, dark and flat were made, and the run of each; not to be changed."""
    repository = new_repository(tmp_path_factory.mktemp("calm") / "repo")
    done = fiducial("make", repository, "bias", "dark", "flat", "--tag", "process", "--json").json()
    return repository, {one["planned"]["plan"]["kind"]: one["run"] for one in done["products"]}


@pytest.fixture(scope="session")
def calm_bias(made: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """Content hashes of the bias where nothing went wrong."""
    repository, runs = made
    return hashes_of(repository, runs["bias"])
