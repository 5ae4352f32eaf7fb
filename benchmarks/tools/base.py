"""What a tool is to the benchmark: a version, and for each workload a command and where its result is."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.references import Clipping
from benchmarks.sizes import ROOT, Size

WORKLOADS = {
    "W1": "clipped mean of raw biases, FITS to FITS",
    "W1z": "the same of Rice-compressed biases",
    "W2": "science frames detrended, with variance and mask",
    "W3": "clipped covariances to lag 7 x 7 of flat pairs of 16 amplifiers",
    "E2E": "master bias of ingested frames in a repository",
    "PTC": "photon transfer of a detector of 16 amplifiers, covariances fitted, in a repository",
    "CHAIN": "one science frame of 16 amplifiers through every correction, without dither",
    "CHAINd": "the same, dithered",
}


@dataclass(frozen=True)
class Task:
    """One workload for one tool, ready to be run.

    Attributes
    ----------
    command : words
        What is run, in ``folder``, with ``environment`` added.
    result : Path
        What is compared with the reference: an image, or an array in an .npy file.
    outputs : (folder, pattern)
        What a run writes; removed before the next.
    clipping : Clipping, optional
        How the tool clips; the reference does the same.
    model : str
        How it takes the overscan off in W2: of each "amplifier", of the "first" for all, or a fixed "level".
    factor : float, optional
        What its result is multiplied by to have the reference's unit; None: what fits best.
    timing : Path, optional
        Where the tool writes its own ``imports_s`` and ``work_s``.
    note : str
        What a reader of the table must know.
    """

    command: Sequence[str]
    result: Path
    outputs: tuple[Path, str]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    clipping: Clipping | None = None
    model: str = "amplifier"
    factor: float | None = 1.0
    timing: Path | None = None
    note: str = ""


class Tool(ABC):
    """A program, or a way to use a library."""

    name: str
    hint: str  # what to do where it is missing
    required = False  # whether the benchmark means nothing without it

    @abstractmethod
    def version(self) -> str | None:
        """Which version is installed; None: none is."""

    @abstractmethod
    def task(self, workload: str, size: Size) -> Task | None:
        """Make ready to run a workload; None if the tool has nothing for it."""

    def output(self, workload: str, size: Size) -> Path:
        """The folder that the tool's results of a workload go to."""
        folder = size.folder / "out" / f"{self.name.replace(' ', '-')}-{workload}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def workspace(self, workload: str, size: Size) -> Path:
        """A folder for scripts, links and parameters, kept between runs."""
        folder = size.folder / "work" / f"{self.name}-{workload}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def first_line(*command: str) -> str | None:
    """The first line that a command prints; None if there is no such command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return None
    lines = (done.stdout or done.stderr).split("\n")
    return lines[0].strip() if done.returncode == 0 else None


def link(target: Path, name: Path) -> None:
    """Make a symbolic link, in place of what may be there."""
    name.unlink(missing_ok=True)
    name.symlink_to(target)
