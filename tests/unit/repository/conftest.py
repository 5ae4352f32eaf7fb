"""A repository of the tiny camera, and one with a night in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fiducial.repository import Repository
from repository_frames import tiny_camera, write_night


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository.create(tmp_path / "repo", tiny_camera()) as repository:
        yield repository


@pytest.fixture
def night(repository: Repository, tmp_path: Path) -> Repository:
    """The repository with three biases of both detectors."""
    report = repository.ingest(write_night(tmp_path / "raws"))
    assert len(report.used) == 6
    return repository
