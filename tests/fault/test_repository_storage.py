"""Full disks and folders that may not be written: the real thing, by the limits of a process."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fiducial.errors import FiducialError, StorageError
from fiducial.repository import Repository
from fiducial.repository.storage import storage_errors
from repository_frames import put_bias, tiny_camera, write_night
from repository_processes import PROCESSES, give_up_writing_everywhere, make_read_only, make_writeable


def create(root: Path) -> None:
    Repository.create(root / "new", tiny_camera()).close()


def ingest(root: Path) -> None:
    with Repository.open(root / "repo", writeable=True) as repository:
        repository.ingest(sorted((root / "raws").iterdir()))


def note(root: Path) -> None:
    with Repository.open(root / "repo", writeable=True) as repository:
        repository.ledger.append("step")


def certify(root: Path) -> None:
    with Repository.open(root / "repo", writeable=True) as repository:
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin=None)


def put(root: Path) -> None:
    with Repository.open(root / "repo", writeable=True) as repository, storage_errors(root):
        put_bias(repository, "TinyCam/more")


def export(root: Path) -> None:
    with Repository.open(root / "repo") as repository:
        repository.export("TinyCam/done", root / "bundle")


WORKS = {work.__name__: work for work in (create, ingest, note, certify, put, export)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A repository with a bias to certify and one certified, and frames to ingest."""
    root = tmp_path / "place"
    with Repository.create(root / "repo", tiny_camera()) as repository:
        put_bias(repository, "TinyCam/gen")
        put_bias(repository, "TinyCam/before", seed=4)
        repository.certify("bias", "TinyCam/before", "TinyCam/done", begin=None)
    write_night(root / "raws")
    yield root
    make_writeable(root)


def complaint_of(work: str, root: Path, limited: str = "") -> FiducialError | None:
    """What a process of its own complains of; any other error is a failure of the test."""
    queue = PROCESSES.Queue()
    process = PROCESSES.Process(target=_work, args=(queue, work, root, limited))
    process.start()
    answer: Any = queue.get(timeout=120)
    process.join()
    assert answer is None or isinstance(answer, FiducialError), answer
    return answer


def _work(queue: multiprocessing.Queue, work: str, root: Path, limited: str) -> None:  # type: ignore[type-arg]
    if limited == "disk":  # no file may grow beyond so many bytes: less than any of the works writes
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    if limited == "permission":
        give_up_writing_everywhere()
    try:
        WORKS[work](root)
    except FiducialError as error:
        queue.put(error)
    except BaseException as error:
        queue.put(f"{type(error).__name__}: {error}")
    else:
        queue.put(None)


def state(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("work", WORKS)
def test_a_full_disk_is_a_clear_error_and_the_rerun_succeeds(place: Path, work: str) -> None:
    error = complaint_of(work, place, "disk")
    assert isinstance(error, StorageError)
    assert str(place) in error.message
    assert "space" in error.hint
    assert not (place / "new").exists()
    assert not (place / "bundle").exists()
    with Repository.open(place / "repo") as repository:
        assert repository.records() == []
        assert repository.audit().clean
    assert complaint_of(work, place) is None


@pytest.mark.parametrize("work", WORKS)
def test_a_folder_that_may_not_be_written_is_a_clear_error(place: Path, work: str) -> None:
    before = state(place)
    make_read_only(place)
    error = complaint_of(work, place, "permission")
    assert isinstance(error, StorageError)
    assert str(place) in error.message
    assert "permission" in error.hint
    assert state(place) == before
    make_writeable(place)
    assert complaint_of(work, place) is None


def test_a_device_that_is_full(tmp_path: Path) -> None:
    """/dev/full: every write to it fails as on a full disk."""
    with pytest.raises(StorageError, match="no space left"), storage_errors(tmp_path):
        Path("/dev/full").write_bytes(b"x")


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "nowhere").read_bytes()
