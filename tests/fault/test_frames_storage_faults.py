"""Full disks, folders that may not be written, and kills: the real things, in real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


LIMITED = """
import resource, sys
from pathlib import Path
from fiducial.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "product"
    target.write_text("old")
    done = python(
        LIMITED
        + textwrap.dedent("""
        from fiducial.frames.atomic import atomic_write
        try:
            with atomic_write(sys.argv[1]) as part:
                part.write_bytes(b"x" * 200_000)
        except StorageError as error:
            print(error)
        """),
        target,
    )
    assert done.returncode == 0, done.stderr
    assert "product cannot be written: File too large" in done.stdout
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_night_that_does_not_fit_is_a_storage_error(tmp_path: Path) -> None:
    done = python(
        LIMITED
        + textwrap.dedent("""
        from fiducial.cameras import load_camera
        from fiducial.simulation import NightPlan, simulate_night
        try:
            simulate_night(load_camera("simcam"), sys.argv[1], plan=NightPlan(biases=1), seed=1)
        except StorageError as error:
            print(error.message)
        """),
        tmp_path / "night",
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written: File too large" in done.stdout


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    done = python(
        """
        import os, sys
        from fiducial.errors import StorageError
        from fiducial.frames.atomic import atomic_write
        os.chdir(sys.argv[1])
        if os.getuid() == 0:  # root may write everywhere: become nobody
            os.setresuid(65534, 65534, 65534)
        try:
            with atomic_write("product") as part:
                part.write_text("x")
        except StorageError as error:
            print(error)
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "cannot be written: Permission denied" in said
    assert "change the folder's permissions" in said


@pytest.mark.parametrize("after", [0.0, 0.05, 0.2])
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path, after: float) -> None:
    target = tmp_path / "product"
    target.write_bytes(b"a" * 3_000_000)
    code = """
    import sys
    from fiducial.frames.atomic import atomic_write
    print("begin", flush=True)
    for letter in b"bcdefghijklmnopqrstuvwxyz" * 1000:
        with atomic_write(sys.argv[1]) as part, part.open("wb") as stream:
            for _ in range(30):
                stream.write(bytes([letter]) * 100_000)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(target)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    content = target.read_bytes()
    assert len(content) == 3_000_000
    assert len(set(content)) == 1
