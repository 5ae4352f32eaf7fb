"""A process that is killed at any moment leaves a repository that a re-run completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fiducial.errors import RepositoryError
from fiducial.repository import Repository
from repository_frames import put_bias, tiny_camera, write_night

WORKER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from fiducial.repository import Repository
from repository_frames import tiny_camera
{imports}
print("ready", flush=True)
{work}
"""


def run_and_kill(work: str, delay: float, imports: str = "") -> bool:
    """Run a program, kill it so long after it said it is ready; whether it was still at work."""
    tests = str(Path(__file__).resolve().parents[1])
    program = WORKER.format(tests=tests, work=work, imports=imports)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        running = process.poll() is None
        if running:
            os.kill(process.pid, signal.SIGKILL)
    return running


def moments(work: str, imports: str, reset: object, steps: int = 8) -> list[float]:
    """Delays that fall within the work: from its begin to just before its end."""
    tests = str(Path(__file__).resolve().parents[1])
    timed = WORKER.format(
        tests=tests, imports=imports, work=f"t = time.monotonic()\n{work}\nprint(time.monotonic() - t)"
    )
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    length = float(done.stdout.split()[-1])
    return [length * (step + 0.5) / steps for step in range(steps)]


def test_killed_ingest_is_completed_by_running_it_again(tmp_path: Path) -> None:
    files = write_night(tmp_path / "raws", numbers=range(1, 11)) + write_night(
        tmp_path / "raws", numbers=range(1, 11), day=20240327
    )
    imports = f"from fiducial.repository.repository import Repository\nfiles = {[str(f) for f in files]!r}"
    work = "with Repository.open({root!r}, writeable=True) as r: r.ingest(files, transfer='copy')"
    Repository.create(tmp_path / "timed", tiny_camera()).close()
    delays = moments(work.format(root=str(tmp_path / "timed")), imports, None)
    with Repository.open(tmp_path / "timed") as whole:
        expected = whole.records()
    killed = 0
    for i, delay in enumerate(delays):
        root = tmp_path / f"repo{i}"
        Repository.create(root, tiny_camera()).close()
        killed += run_and_kill(work.format(root=str(root)), delay, imports)
        with Repository.open(root, writeable=True) as repository:
            # Of each day everything is visible or nothing, and nothing half-written is.
            for day in (20240326, 20240327):
                seen = repository.records(night=day)
                assert len(seen) in (0, 20)
            for ref in repository.butler.query_datasets("raw", "TinyCam/raw/frames", explain=False):
                repository.butler.get(ref).close()
            report = repository.ingest(files, transfer="copy")
            assert len(report.used) + len(report.already) == 40
            assert report.refused == ()
            assert repository.records() == expected
            assert repository.history()[-1].verb == "ingest"
    assert killed >= len(delays) // 2  # or the test has shown nothing


def test_a_killed_creation_leaves_nothing_or_all(tmp_path: Path) -> None:
    imports = "import fiducial.repository.repository"
    work = "Repository.create({root!r}, tiny_camera()).close()"
    delays = moments(work.format(root=str(tmp_path / "timed")), imports, None)
    killed = 0
    for i, delay in enumerate(delays):
        root = tmp_path / f"repo{i}"
        killed += run_and_kill(work.format(root=str(root)), delay, imports)
        try:
            Repository.open(root).close()
        except RepositoryError as error:
            assert "is no repository" in error.message  # noqa: PT017
            assert not root.exists()
        with Repository.create(root, tiny_camera()) as repository:
            assert repository.camera() == tiny_camera()
            assert repository.history()
    assert killed >= len(delays) // 2


def test_a_killed_certification_is_completed_by_running_it_again(tmp_path: Path) -> None:
    imports = "from fiducial.repository.repository import Repository"
    work = (
        "with Repository.open({root!r}, writeable=True) as r:\n"
        "    r.certify('bias', 'TinyCam/gen', 'TinyCam/bias', begin='2024-01-01')\n"
        "    r.prepend_chain('TinyCam/calib', ['TinyCam/bias'])"
    )

    def prepare(root: Path) -> None:
        with Repository.create(root, tiny_camera()) as repository:
            put_bias(repository, "TinyCam/gen")

    prepare(tmp_path / "timed")
    delays = moments(work.format(root=str(tmp_path / "timed")), imports, None)
    killed = 0
    for i, delay in enumerate(delays):
        root = tmp_path / f"repo{i}"
        prepare(root)
        killed += run_and_kill(work.format(root=str(root)), delay, imports)
        with Repository.open(root, writeable=True) as repository:
            found = [r for r in repository.timeline() if r.kind == "bias"]
            assert len(found) in (0, 2)
            repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
            repository.prepend_chain("TinyCam/calib", ["TinyCam/bias"])
            assert len([r for r in repository.timeline() if r.kind == "bias"]) == 2
            report = repository.audit()
            assert report.clean
            assert report.intact == 2
            repository.history()
    assert killed >= len(delays) // 2


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_torn_record_of_certified_files_is_no_certification(tmp_path: Path, cut: int) -> None:
    """The last line of the record, half-written by a killed process, is passed over and written again."""
    with Repository.create(tmp_path / "repo", tiny_camera()) as repository:
        put_bias(repository, "TinyCam/gen")
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
        record = repository.root / "fiducial" / "certified.jsonl"
        record.write_bytes(record.read_bytes()[:-cut])
        assert repository.audit().intact == (2 if cut == 1 else 1)
        repository.certify("bias", "TinyCam/gen", "TinyCam/bias", begin="2024-01-01")
        assert repository.audit().intact == 2
