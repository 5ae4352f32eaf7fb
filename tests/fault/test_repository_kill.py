"""A process that is killed at any moment leaves a repository that a re-run completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.errors import RepositoryError
from fiducial.repository import Repository
from repository_frames import put_bias, tiny_camera, write_night
from repository_processes import kill_at, time_of

STEPS = 5
"""Moments, evenly over the work, at which it is killed."""


def create(root: Path) -> None:
    Repository.create(root, tiny_camera()).close()


def ingest(root: Path, files: list[Path]) -> None:
    with Repository.open(root, writeable=True) as repository:
        repository.ingest(files, transfer="copy")


def certify(root: Path) -> None:
    with Repository.open(root, writeable=True) as repository:
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
        repository.prepend_chain("TinyCam/calib", ["TinyCam/bias"])


def delays(seconds: float) -> list[float]:
    return [seconds * (step + 0.5) / STEPS for step in range(STEPS)]


def test_killed_ingest_is_completed_by_running_it_again(tmp_path: Path) -> None:
    days = (20240326, 20240327)
    files = [f for day in days for f in write_night(tmp_path / "raws", numbers=range(1, 9), day=day)]
    create(tmp_path / "whole")
    seconds = time_of(ingest, tmp_path / "whole", files)
    with Repository.open(tmp_path / "whole") as whole:
        expected = whole.records()
    assert len(expected) == len(files) == 32
    killed = 0
    for i, delay in enumerate(delays(seconds)):
        root = tmp_path / f"repo{i}"
        create(root)
        killed += kill_at(delay, ingest, root, files)
        with Repository.open(root, writeable=True) as repository:
            for day in days:  # of each day all is visible, or nothing
                assert len(repository.records(night=day)) in (0, 16)
            for ref in repository.butler.query_datasets("raw", "TinyCam/raw/frames", explain=False):
                repository.butler.get(ref).close()
            report = repository.ingest(files, transfer="copy")
            assert len(report.used) + len(report.already) == 32
            assert report.refused == ()
            assert repository.records() == expected
            assert repository.history()[-1].verb == "ingest"
    assert killed >= STEPS // 2  # or the test has shown nothing


def test_a_killed_creation_leaves_nothing_or_all(tmp_path: Path) -> None:
    killed = 0
    for i, delay in enumerate(delays(time_of(create, tmp_path / "whole"))):
        root = tmp_path / f"repo{i}"
        killed += kill_at(delay, create, root)
        there = root.exists()
        try:
            Repository.open(root).close()
        except RepositoryError:
            assert not there
        with Repository.create(root, tiny_camera()) as repository:
            assert repository.camera() == tiny_camera()
            assert [entry.verb for entry in repository.history()] == ["init"]
    assert killed >= STEPS // 2


def test_a_killed_certification_is_completed_by_running_it_again(tmp_path: Path) -> None:
    def prepare(root: Path) -> None:
        with Repository.create(root, tiny_camera()) as repository:
            put_bias(repository, "TinyCam/gen")

    prepare(tmp_path / "whole")
    killed = 0
    for i, delay in enumerate(delays(time_of(certify, tmp_path / "whole"))):
        root = tmp_path / f"repo{i}"
        prepare(root)
        killed += kill_at(delay, certify, root)
        with Repository.open(root, writeable=True) as repository:
            assert len([row for row in repository.timeline() if row.kind == "bias"]) in (0, 2)
        certify(root)
        with Repository.open(root) as repository:
            assert len([row for row in repository.timeline() if row.kind == "bias"]) == 2
            report = repository.audit()
            assert (report.clean, report.intact) == (True, 3)  # the camera too
            assert repository.history()[-1].verb == "chain"
    assert killed >= STEPS // 2


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_torn_record_of_certified_files_is_no_certification(tmp_path: Path, cut: int) -> None:
    """The last line of the record, half-written by a killed process, is passed over and written again."""
    with Repository.create(tmp_path / "repo", tiny_camera()) as repository:
        put_bias(repository, "TinyCam/gen")
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
        record = repository.root / "fiducial" / "certified.jsonl"
        record.write_bytes(record.read_bytes()[:-cut])
        assert repository.audit().intact == (3 if cut == 1 else 2)
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
        assert repository.audit().intact == 3
