"""Stacks of 200 frames: what is read, and how much memory it takes, against what the plan printed.

The numbers are the kernel's: ``rchar`` of /proc/self/io (every byte that read and pread deliver, from the
page cache or not) and ``VmHWM`` of /proc/self/status. Not ``ru_maxrss``: a child begins with that of its
parent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from commands import fiducial, run

pytestmark = pytest.mark.xdist_group("memory")

FRAMES = 200
WARM = 10  # frames that the warm-up stacks, so that imports are not counted
PIXELS = 1024 * 1088
WISHES = ("--wanted", FRAMES, "--skip-first", 0)

CAMERA = """
name: MemCam
layouts:
  ccd:
    raw_shape: [1024, 1088]
    amplifiers:
      - {name: A, data: "[1:512,1:1024]", detector: "[1:512,1:1024]", serial_overscan: "[513:544,1:1024]",
         gain: 2.0, read_noise: 6.0, saturation: 60000}
      - {name: B, data: "[545:1056,1:1024]", detector: "[513:1024,1:1024]",
         serial_overscan: "[1057:1088,1:1024]", gain: 2.0, read_noise: 6.0, saturation: 60000}
detectors:
  - {id: 0, name: M0, layout: ccd}
filters: {g: g}
headers:
  recognise: {INSTRUME: MemCam}
  frame_types:
    - {type: bias, when: {IMGTYPE: bias}}
    - {type: flat, when: {IMGTYPE: flat}}
  detector: DETECTOR
  obs_id: OBSID
  day_obs: DAYOBS
  seq_num: SEQNUM
  begin: {key: DATE-BEG, scale: tai}
  exposure_time: EXPTIME
  filter: FILTER
"""

LEVELS = {"bias": 0.0, "flat": 20000.0}  # electrons

DRIVER = """
import json, sys
from pathlib import Path
from fiducial.execution.job import PIPELINES, Job
from fiducial.execution.run import run_job
from fiducial.repository import Repository
from fiducial.selection import data_query

repository, kind, exposures, inputs, overrides, warm = json.loads(sys.argv[1])

def bytes_read():
    return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])

def most_memory():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

def job(ids, name):
    where = data_query("MemCam", ids)
    pipeline = PIPELINES / f"cp{kind.capitalize()}.yaml"
    return Job(pipeline, tuple(inputs), f"MemCam/measured/{name}", where, tuple(overrides))

with Repository.open(repository, writeable=True) as opened:
    assert run_job(opened, job(exposures[:warm], kind + "Warm")).complete
    before = bytes_read()
    outcome = run_job(opened, job(exposures, kind))
    after = bytes_read()
assert outcome.complete, outcome
print(json.dumps({"read": after - before, "peak": most_memory(), "run": outcome.run}))
"""
"""Runs a pipeline twice in one process: on a few frames, so that everything is imported, then on all."""


def write_frames(folder: Path) -> None:
    """200 biases and 200 flats, 2.2 MB each; fresh noise costs more than the test, so it is shifted about."""
    rng = np.random.default_rng(8)
    shape = (1024, 1088)
    light = np.zeros(shape, bool)
    light[:, :512] = light[:, 544:1056] = True
    folder.mkdir()
    for offset, (kind, electrons) in enumerate(LEVELS.items()):
        noise = 3.0 * rng.standard_normal(shape) + light * np.sqrt(electrons) / 2 * rng.standard_normal(shape)
        noise = noise.astype(np.float32)
        level = np.float32(1000.0) + light * np.float32(electrons / 2)
        for n in range(FRAMES):
            number = 1 + offset * FRAMES + n
            # Rolled along the columns only: overscan stays overscan.
            pixels = np.rint(level + np.roll(noise, int(rng.integers(1024)), axis=0)).astype(np.uint16)
            header = fits.Header(
                {
                    "INSTRUME": "MemCam",
                    "IMGTYPE": kind,
                    "DETECTOR": 0,
                    "OBSID": f"M{number:06d}",
                    "DAYOBS": 20260115,
                    "SEQNUM": number,
                    "DATE-BEG": f"2026-01-15T{number // 60:02d}:{number % 60:02d}:00",
                    "EXPTIME": 0.0 if kind == "bias" else 5.0,
                    "FILTER": "g",
                }
            )
            fits.PrimaryHDU(pixels, header=header).writeto(folder / f"{number:05d}.fits")


@dataclass(frozen=True)
class Stacked:
    """What stacking all frames of a kind took, and what the plan had said."""

    raws: int  # bytes of the raw files
    read: int
    peak: int
    promised: float
    run: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with the frames."""
    home = tmp_path_factory.mktemp("memory")
    (home / "memcam.yaml").write_text(CAMERA)
    write_frames(home / "raw")
    fiducial("init", home / "repo", "--camera", home / "memcam.yaml")
    fiducial("ingest", home / "repo", home / "raw")
    yield home
    shutil.rmtree(home)  # most of a gigabyte


@pytest.fixture(scope="module")
def plans(home: Path) -> dict[str, Any]:
    """What ``fiducial plan`` says of both kinds."""
    plans = fiducial("plan", home / "repo", "bias", "flat", *WISHES, "--json").json()["planned"]
    return {plan["plan"]["kind"]: plan for plan in plans}


def measure(home: Path, plan: Any, inputs: Sequence[str], overrides: Sequence[str] = ()) -> Stacked:
    """Stack all frames of a kind in a process of its own."""
    exposures = plan["plan"]["generate"]
    assert len(exposures) == FRAMES
    inputs = [*inputs, "MemCam/calib", "MemCam/raw/all"]
    ask = [str(home / "repo"), plan["plan"]["kind"], exposures, inputs, overrides, WARM]
    found = json.loads(run("python", "-c", DRIVER, json.dumps(ask)).out.splitlines()[-1])
    raws = sum((home / "raw" / f"{number % 100000:05d}.fits").stat().st_size for number in exposures)
    return Stacked(raws, found["read"], found["peak"], plan["forecast"]["memory"], found["run"])


@pytest.fixture(scope="module")
def bias(home: Path, plans: dict[str, Any]) -> Stacked:
    """The measured stack of biases."""
    return measure(home, plans["bias"], ())


@pytest.fixture(scope="module")
def flat(home: Path, plans: dict[str, Any], bias: Stacked) -> Stacked:
    """The measured stack of flats, corrected with that bias; there is no dark."""
    chain = "parameters:chain=['saturation','overscan','gain','assembly','bias','nan']"
    return measure(home, plans["flat"], (bias.run,), (chain,))


def test_a_stack_of_biases_reads_every_pixel_once(bias: Stacked) -> None:
    assert FRAMES * PIXELS * 2 <= bias.read <= 1.05 * bias.raws


def test_a_stack_of_flats_reads_every_pixel_twice(flat: Stacked) -> None:
    assert 2 * FRAMES * PIXELS * 2 <= flat.read <= 2.1 * flat.raws


def test_peak_memory_stays_under_what_the_plan_printed(bias: Stacked, flat: Stacked) -> None:
    assert bias.peak <= bias.promised
    assert flat.peak <= flat.promised
    # And the frames were not all in memory at once, or the number would say nothing.
    assert flat.promised < flat.raws + 600e6


COMMAND = """
import sys
from pathlib import Path
from fiducial.cli.main import main

_, status, *arguments = sys.argv
sys.argv = ["fiducial", *arguments]
try:
    main()
finally:
    Path(status).write_text(Path("/proc/self/status").read_text())
"""
"""The command, which leaves what the kernel says of its process."""


def test_making_and_verifying_stay_under_it_too(home: Path, plans: dict[str, Any]) -> None:
    """The whole command that the plan is for."""
    status = home / "status.txt"
    command = ["make", home / "repo", "bias", "flat", *WISHES]
    # Noise that is shifted about may fail its verification.
    run("python", "-c", COMMAND, status, *command, code=(0, 4))
    peak = 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    assert 0 < peak <= max(plan["forecast"]["memory"] for plan in plans.values())
