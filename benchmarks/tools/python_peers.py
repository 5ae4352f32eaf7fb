"""Peers from the package index, in a virtual environment of the benchmark's own."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.references import Clipping
from benchmarks.sizes import BUILD, Size
from benchmarks.tools.base import Task, Tool

_VENV = BUILD / "venv"
_NOTES = {
    ("ccdproc", "W2"): "no mask of saturated pixels",
    ("numpy", "W3"): "FFT in float64",
    ("scipy", "W3"): "FFT in float32",
}
_PACKAGES = ("ccdproc", "astropy", "scipy", "numpy")


@cache
def interpreter() -> Path:
    """The interpreter of the peers' environment, which is made where it is not there."""
    python = _VENV / "bin" / "python"
    ready = _VENV / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_VENV)], check=True)
        pip = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", "install", *_PACKAGES]
        subprocess.run(pip, check=True)
        ready.touch()
    return python


class PythonPeer(Tool):
    """A package, and the scripts of `benchmarks.peers` that use it."""

    hint = "the environment in build/bench/venv could not be made: is there a package index?"

    def __init__(self, package: str, scripts: dict[str, str], clipping: Clipping | None) -> None:
        self.name = package
        self._scripts = scripts
        self._clipping = clipping

    def version(self) -> str | None:
        """As the package says."""
        asked = f"from importlib.metadata import version; print(version({self.name!r}))"
        try:
            done = subprocess.run(
                [str(interpreter()), "-c", asked], capture_output=True, text=True, check=True
            )
        except (subprocess.CalledProcessError, OSError):
            return None
        return done.stdout.strip()

    def task(self, workload: str, size: Size) -> Task | None:
        """Run the script of that workload."""
        if workload not in self._scripts:
            return None
        folder, stacks = self.output(workload, size), workload in ("W1", "W1z")
        target, result = {
            "W2": (folder, folder / f"science{size.frames - 1:02d}.fits"),
            "W3": (folder / "covariances.npy", folder / "covariances.npy"),
        }.get(workload, (folder / "stacked.fits", folder / "stacked.fits"))
        module = f"benchmarks.peers.{self._scripts[workload]}"
        return Task(
            command=(str(interpreter()), "-m", module, size.name, workload, str(target)),
            result=result,
            outputs=(folder, "*"),
            clipping=self._clipping if stacks else None,
            note=_NOTES.get((self.name, workload), ""),
        )


def python_peers() -> list[Tool]:
    """numpy, astropy, ccdproc and scipy."""
    median = Clipping("median", ddof=0)
    once = Clipping("median", ddof=0, rounds=1)
    numpy = {"W1": "numpy_stack", "W2": "numpy_detrend", "W3": "numpy_covariances"}
    return [
        PythonPeer("numpy", numpy, median),
        PythonPeer("astropy", {"W1": "astropy_stack", "W1z": "astropy_stack"}, median),
        PythonPeer(
            "ccdproc",
            {"W1": "ccdproc_stack", "W1z": "ccdproc_stack", "W2": "ccdproc_detrend"},
            once,
        ),
        PythonPeer("scipy", {"W3": "scipy_covariances"}, None),
    ]
