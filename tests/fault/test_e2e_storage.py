"""A disk that fills up and a folder that may not be written, during real commands on real file systems."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands import fiducial
from fiducial.repository import Repository
from fiducial.simulation import NightTruth
from wholeness import assert_whole, hashes_of

pytestmark = pytest.mark.xdist_group("night")

MEGABYTE = 1_000_000
PLENTY = "256m"
PRODUCT_BYTES = 12  # a pixel: image, variance, mask

_MAY_WRITE_EVERYWHERE = 1  # CAP_DAC_OVERRIDE
_DROP = 24  # PR_CAPBSET_DROP


class Disk:
    """A file system of its own with so much room; without the right to mount one, the limit of a file's size.

    Parameters
    ----------
    folder
        Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.mounted = self._mount("-o", f"size={PLENTY}")

    def leave(self, room: int) -> Callable[[], None] | None:
        """Leave so many bytes free; gives what must be called in a process that is to feel it."""
        if not self.mounted:
            return limited(room)
        used = shutil.disk_usage(self.folder).used
        assert self._mount("-o", f"remount,size={used + room}")
        return None

    def extend(self) -> None:
        """Make room."""
        if self.mounted:
            assert self._mount("-o", f"remount,size={PLENTY}")

    def close(self) -> None:
        """Take the file system away, and what is on it."""
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)

    def _mount(self, *options: str) -> bool:
        command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def limited(size: int) -> Callable[[], None]:
    """No file may grow beyond a size (and the process is told so by an error, not by a signal)."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small file system."""
    disk = Disk(tmp_path / "disk")
    try:
        yield disk
    finally:
        disk.close()


def make_again(repository: Path) -> dict[str, str]:
    """The same command where nothing stands in its way."""
    made = fiducial("make", repository, "bias", "--json").json()
    return hashes_of(repository, made["products"][0]["run"])


# A product of one detector has 1.6 MB, its verification more; the registry grows by some 100 kB.
@pytest.mark.parametrize("room", [20_000, 2 * MEGABYTE], ids=["registry", "second product"])
def test_the_disk_fills_up_while_a_bias_is_made(
    disk: Disk, new_repository: Callable[[Path], Path], calm_bias: dict[str, str], room: int
) -> None:
    repository = new_repository(disk.folder / "repo")
    before = disk.leave(room)
    ran = fiducial("make", repository, "bias", code=2, before=before)
    assert "no space left" in ran.err, ran.said
    assert "space" in ran.err.splitlines()[-1]  # the last line is what to do
    disk.extend()
    # Of two detectors one may have been finished; it is whole, and it is certified by nobody.
    biases = [name for name in assert_whole(repository) if name.endswith(" bias")]
    assert len(biases) <= 1
    assert make_again(repository) == calm_bias


def test_the_disk_fills_up_while_frames_are_copied(
    disk: Disk, night: NightTruth, empty_repository: Path, night_repository: Path
) -> None:
    repository = Path(shutil.copytree(empty_repository, disk.folder / "repo"))
    before = disk.leave(2 * MEGABYTE)
    ran = fiducial("ingest", repository, night.folder, "--transfer", "copy", code=2, before=before)
    assert "no space left" in ran.err, ran.said
    disk.extend()
    assert_whole(repository)
    with Repository.open(repository) as opened:
        assert opened.records() == []
    fiducial("ingest", repository, night.folder, "--transfer", "copy")
    assert_whole(repository)
    with Repository.open(repository) as opened, Repository.open(night_repository) as calm:
        assert [r.sha256 for r in opened.records()] == [r.sha256 for r in calm.records()]


def test_no_file_may_grow_beyond_a_limit_in_make(repository: Path, calm_bias: dict[str, str]) -> None:
    """As with a quota: the registry has room, a product has not."""
    size = 512 * 256 * PRODUCT_BYTES  # of the pixels alone
    assert (repository / "gen3.sqlite3").stat().st_size < size - 100_000
    ran = fiducial("make", repository, "bias", code=2, before=limited(size))
    assert "no space left" in ran.err, ran.said
    assert not any(name.endswith(" bias") for name in assert_whole(repository))
    assert make_again(repository) == calm_bias


def test_no_file_may_grow_beyond_a_limit_in_ingest(fresh: Path, night: NightTruth) -> None:
    """Not even the registry: its transaction stays unfinished, and the next reader undoes it."""
    command = ("ingest", fresh, *night.files[:12], "--transfer", "copy")
    ran = fiducial(*command, code=2, before=limited(400_000))
    assert "no space left" in ran.err, ran.said
    fiducial("plan", fresh, "bias", code=5)
    assert not any(name.endswith(" raw") for name in assert_whole(fresh))
    fiducial(*command)
    assert sum(name.endswith(" raw") for name in assert_whole(fresh)) == 12


# Folders that may not be written


def give_up_writing_everywhere() -> None:
    """Let the permissions of files hold for root too, in this process and in what it starts."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_DROP, _MAY_WRITE_EVERYWHERE, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot give up CAP_DAC_OVERRIDE")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write from a folder and everything in it, for a while."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(modes[path] & 0o7555)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path] & 0o7777)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and when it was changed."""
    return {
        str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_a_repository_that_may_not_be_written(repository: Path, night: NightTruth) -> None:
    with read_only(repository):
        before = state(repository)
        for command in (
            ("make", repository, "bias"),
            ("ingest", repository, night.files[0], "--transfer", "copy"),
        ):
            ran = fiducial(*command, code=2, before=give_up_writing_everywhere)
            assert str(repository) in ran.err, ran.said
            assert "may not be written" in ran.err, ran.said
            assert "permission" in ran.err, ran.said
        assert state(repository) == before
        # Questions need no right to write.
        for verb in ("plan", "timeline"):
            fiducial(verb, repository, before=give_up_writing_everywhere)
        assert state(repository) == before
    fiducial("ingest", repository, night.files[0])


def test_a_folder_for_results_that_may_not_be_written(repository: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    with read_only(closed):
        ran = fiducial(
            "init", closed / "repo", "--camera", "simcam", code=2, before=give_up_writing_everywhere
        )
        assert str(closed) in ran.err
        assert "may not be written" in ran.err, ran.said
        assert list(closed.iterdir()) == []
    fiducial("init", closed / "repo", "--camera", "simcam")
