"""fiducial itself."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.references import Clipping
from benchmarks.sixteen import SIXTEEN
from benchmarks.sizes import Size
from benchmarks.tools.base import Task, Tool

CLIPPING = Clipping("median", ddof=1)

CHAINS = ("CHAIN", "CHAINd")
_MODULES = {"W1": "stack", "W1z": "stack", "W2": "detrend", "W3": "covariances"}


class Fiducial(Tool):
    """The programs of `benchmarks.ours`."""

    name = "fiducial"
    hint = "install it: `make bench` does"
    required = True

    def version(self) -> str | None:
        """Of the installed package."""
        return version("fiducial")

    def task(self, workload: str, size: Size) -> Task | None:
        """Run the program of that workload."""
        out = self.output(workload, size)
        if workload == "E2E":
            return self.make_bias(repository(size), 1, out)
        if workload == "PTC":
            root, told = transfer_repository(size), out / "told.json"
            note = f"covariances to lag {SIXTEEN[size.name].lag} x {SIXTEEN[size.name].lag}, bootstrap"
            command = (*_python("transfer"), size.name, str(root), str(told))
            return Task(command, told, (out, "*"), timing=told, note=note)
        if workload in CHAINS:
            command = (*_python("whole_chain"), size.name, workload, str(out))
            note = "" if workload == "CHAINd" else "difference of pixels that are not masked"
            return Task(command, out / "last.npz", (out, "*"), timing=out / "told.json", note=note)
        target, result = {
            "W2": (out, out / f"science{size.frames - 1:02d}.fits"),
            "W3": (out / "covariances.npy", out / "covariances.npy"),
        }.get(workload, (out / "stacked.fits", out / "stacked.fits"))
        return Task(
            command=(*_python(_MODULES[workload]), size.name, workload, str(target)),
            result=result,
            outputs=(out, "*"),
            clipping=CLIPPING if workload in ("W1", "W1z") else None,
        )

    def make_bias(self, root: Path, detectors: int, out: Path) -> Task:
        """Make the master biases of some detectors in a repository."""
        told = out / "told.json"
        return Task(
            command=(*_python("make_bias"), str(root), str(detectors), str(told)),
            result=told,
            outputs=(out, "*"),
            clipping=CLIPPING,
            timing=told,
            note="overscan, gain, variance and mask too",
        )


def repository(size: Size) -> Path:
    """Where the repository of E2E is."""
    return size.folder / "repository"


def transfer_repository(size: Size) -> Path:
    """Where the repository of PTC is."""
    return size.folder / "transfer-repository"


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.ours.{module}")
