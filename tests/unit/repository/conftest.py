"""A repository of the tiny camera, and one with a night in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fiducial.repository import Repository
from repository_frames import tiny_camera, write_night


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new repository, made once; a copy is a repository too, since nothing in it names its place."""
    root = tmp_path_factory.mktemp("template") / "repo"
    Repository.create(root, tiny_camera()).close()
    return root


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Iterator[Repository]:
    shutil.copytree(template, tmp_path / "repo")
    with Repository.open(tmp_path / "repo", writeable=True) as repository:
        yield repository


@pytest.fixture
def night(repository: Repository, tmp_path: Path) -> Repository:
    """The repository with three biases of both detectors."""
    report = repository.ingest(write_night(tmp_path / "raws"))
    assert len(report.used) == 6
    return repository
