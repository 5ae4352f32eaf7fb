"""Full disks and folders that may not be written: the real thing, by the limits of a process."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fiducial.repository import Repository
from fiducial.repository.storage import storage_errors
from repository_frames import put_bias, tiny_camera, write_night

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from fiducial.errors import StorageError
from fiducial.repository import Repository
from fiducial.repository.storage import storage_errors
from repository_frames import calibration, tiny_camera
root = Path(sys.argv[1])
try:
    {work}
except StorageError as error:
    print("StorageError:", error.message, "|", error.hint)
    sys.exit(error.exit_code)
"""

WORKS = {
    "create": "Repository.create(root / 'new', tiny_camera())",
    "ingest": "Repository.open(root / 'repo', writeable=True).ingest(sorted((root / 'raws').iterdir()))",
    "ledger": "Repository.open(root / 'repo', writeable=True).ledger.append('step')",
    "certify": (
        "Repository.open(root / 'repo', writeable=True)"
        ".certify('bias', 'TinyCam/gen', 'TinyCam/bias', begin=None)"
    ),
    "export": "Repository.open(root / 'repo').export('TinyCam/done', root / 'bundle')",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with a bias to certify and one certified, and frames to ingest."""
    with Repository.create(tmp_path / "repo", tiny_camera()) as repository:
        put_bias(repository, "TinyCam/gen")
        put_bias(repository, "TinyCam/before", seed=4)
        repository.certify("bias", "TinyCam/before", "TinyCam/done", begin=None)
    write_night(tmp_path / "raws")
    return tmp_path


def run(
    work: str, root: Path, limit: Callable[[], None] | None = None, user: int | None = None
) -> tuple[int, str]:
    tests = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(tests=tests, work=WORKS[work]), str(root)],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        user=user,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(root)},
    )
    return done.returncode, done.stdout + done.stderr


def state(root: Path) -> dict[str, int]:
    return {str(p.relative_to(root)): p.stat().st_size for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("work", WORKS)
def test_a_full_disk_is_a_clear_error_and_the_rerun_succeeds(place: Path, work: str) -> None:
    """No file may grow beyond what the smallest write of the work needs."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    code, said = run(work, place, limit)
    assert code == 2, said
    assert "StorageError:" in said
    assert "Traceback" not in said
    if work == "create":
        assert not (place / "new").exists()
    if work == "export":
        assert not (place / "bundle").exists()
    with Repository.open(place / "repo") as repository:
        assert repository.records() == []
        assert repository.audit().clean
    code, said = run(work, place)
    assert code == 0, said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("work", [name for name in WORKS if name != "export"])
def test_a_folder_of_somebody_else_is_a_clear_error(place: Path, work: str) -> None:
    for folder in (place, *place.parents):
        if os.stat(folder).st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    before = state(place)
    code, said = run(work, place, user=65534)
    assert code == 2, said
    assert "StorageError:" in said
    assert "permission" in said
    assert state(place) == before


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    """/dev/full: every write to it fails as on a full disk."""
    from fiducial.errors import StorageError

    with pytest.raises(StorageError, match="no space left"), storage_errors(tmp_path):
        Path("/dev/full").write_bytes(b"x")


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "nowhere").read_bytes()
    shutil.rmtree(tmp_path, ignore_errors=True)
