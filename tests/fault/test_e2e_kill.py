"""SIGKILL of real commands at several moments: nothing half-visible stays, the re-run gives the same bits.

Moments are what stands in the repository's folder, not seconds: they come wherever a machine is slow.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import BIN, PATIENCE, environment, fiducial
from fiducial.repository import Repository
from fiducial.simulation import NightTruth
from wholeness import assert_whole, hashes_of

pytestmark = pytest.mark.xdist_group("night")

GEN = "SimCam/calib/night-20260115/nightly/biasGen.20260115"
VERIFY = "SimCam/calib/night-20260115/nightly/verifyBias.20260115"


def kill_when(moment: Callable[[], bool], *arguments: object) -> None:
    """Start ``fiducial`` and kill it at a moment; it must come before the command has ended."""
    command = [str(BIN / "fiducial"), *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    ) as process:
        end = time.monotonic() + PATIENCE
        while not moment():
            assert process.poll() is None, "it ended before the moment came"
            assert time.monotonic() < end
            time.sleep(0.001)
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL


def there(repository: Path, pattern: str, count: int = 1) -> Callable[[], bool]:
    """The moment at which so many files of a pattern are there, complete or not."""
    return lambda: sum(1 for _ in repository.glob(pattern)) >= count


MAKING = {
    "the run begins": f"{GEN}a/*/fiducial/command.txt",
    "the first product is written": f"{GEN}a/*/bias/*",
    "the verdict is written": f"{VERIFY}a/*/verifyBiasVerdict/*",
}


@pytest.mark.parametrize("moment", MAKING)
def test_a_production_that_was_killed(repository: Path, calm_bias: dict[str, str], moment: str) -> None:
    kill_when(there(repository, MAKING[moment]), "make", repository, "bias")
    visible = [name.rsplit(" ", 1)[-1] for name in assert_whole(repository)]
    assert visible.count("bias") <= 2
    if "verdict" not in moment:
        # Not all detectors are there: nothing of it can be certified by mistake.
        assert visible.count("bias") < 2
        fiducial("certify", repository, f"{GEN}a", "--begin", "2026-01-15", "--override", "try", code=2)
    # Every run leaves its command, configuration and log, one that was killed too.
    (folder,) = repository.glob(f"{GEN}a/*/fiducial")
    assert {p.name for p in folder.iterdir()} >= {"command.txt"}
    # The same command again: a run of its own, with the same bits.
    fiducial("make", repository, "bias")
    assert hashes_of(repository, f"{GEN}b") == calm_bias


COPYING = {
    "the first frame is copied": ("SimCam/raw/frames/**/*.fits", 1),
    "half of the frames are copied": ("SimCam/raw/frames/**/*.fits", 16),
    "the facts are written": ("SimCam/raw/facts/**/*.parq", 1),
}


@pytest.mark.parametrize("moment", COPYING)
def test_an_ingest_that_was_killed(
    fresh: Path, night: NightTruth, night_repository: Path, moment: str
) -> None:
    command = ("ingest", fresh, night.folder, "--transfer", "copy")
    kill_when(there(fresh, *COPYING[moment]), *command)
    assert_whole(fresh)
    with Repository.open(night_repository) as calm:
        wanted = {(r.exposure, r.detector): r.sha256 for r in calm.records()}
    with Repository.open(fresh) as opened:
        # All of a day is visible, or nothing of it.
        assert len(opened.records()) in (0, len(wanted))
    report = fiducial(*command, "--json").json()
    assert len(report["used"]) + len(report["already"]) == report["offered"] == len(wanted)
    with Repository.open(fresh) as opened:
        assert {(r.exposure, r.detector): r.sha256 for r in opened.records()} == wanted
    assert_whole(fresh)
