"""siril, run headless by scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from benchmarks.files import bias_files, master_file, science_files
from benchmarks.references import FIXED_LEVEL, Clipping
from benchmarks.sizes import EXPOSURE, Size
from benchmarks.tools.base import Task, Tool, first_line, link

_SCRIPTS = Path(__file__).parents[1] / "peers"
_FULL_SCALE = 65535.0  # of which siril's floats are fractions


class Siril(Tool):
    """Sequences of linked files, stacked or preprocessed."""

    name = "siril"
    hint = "install with `apt-get install siril`"
    required = True

    def version(self) -> str | None:
        """As `siril-cli --version` says."""
        line = first_line("siril-cli", "--version")
        return line.split()[-1] if line else None

    def task(self, workload: str, size: Size) -> Task | None:
        """Link the frames as a sequence and write the script."""
        if workload in ("W1", "W1z"):
            return self._stack(workload, size)
        return self._detrend(workload, size) if workload == "W2" else None

    def _stack(self, workload: str, size: Size) -> Task:
        packed = workload == "W1z"
        work, out = self.workspace(workload, size), self.output(workload, size)
        for i, path in enumerate(bias_files(size, packed)):
            link(path, work / f"b_{i + 1:05d}.fit")
        text = (_SCRIPTS / "siril_stack.ssf").read_text()
        script = work / "stack.ssf"
        script.write_text(text.format(output=out / "stacked"))
        return Task(
            command=self._command(work, script),
            result=out / "stacked.fit",
            outputs=(out, "*"),
            folder=work,
            environment=self._environment(work),
            clipping=Clipping("median", ddof=1),
            factor=_FULL_SCALE,
        )

    def _detrend(self, workload: str, size: Size) -> Task:
        work = self.workspace(workload, size)
        for i, path in enumerate(science_files(size)):
            link(path, work / f"s_{i + 1:05d}.fit")
        _write_masters(work, size)
        script = work / "detrend.ssf"
        script.write_text((_SCRIPTS / "siril_detrend.ssf").read_text())
        return Task(
            command=self._command(work, script),
            result=work / f"pp_s_{size.frames:05d}.fit",
            outputs=(work, "pp_*"),
            folder=work,
            environment=self._environment(work),
            model="level",
            factor=None,
            note="no overscan, variance or mask; its factor of the flat divided out",
        )

    def _command(self, work: Path, script: Path) -> tuple[str, ...]:
        return ("siril-cli", "-d", str(work), "-s", str(script))

    def _environment(self, work: Path) -> dict[str, str]:
        return {"HOME": str(work), "XDG_CONFIG_HOME": str(work / ".config")}


def _write_masters(work: Path, size: Size) -> None:
    """Write masters as large as raw frames: bias, level and dark as one, and the flat.

    The one is given as a bias: with a dark siril would repair hot pixels too, which no other tool does.
    """
    bias, dark, flat = (fits.getdata(master_file(size, kind)) for kind in ("bias", "dark", "flat"))
    level = np.full(size.raw_shape, FIXED_LEVEL, np.float32)
    response = np.ones(size.raw_shape, np.float32)
    for k in range(2):
        columns = size.detector[k]
        level[:, size.data[k]] += bias[:, columns] + np.float32(EXPOSURE) * dark[:, columns]
        response[:, size.data[k]] = flat[:, columns]
    fits.writeto(work / "bias.fit", level / np.float32(_FULL_SCALE), overwrite=True)
    fits.writeto(work / "flat.fit", response * np.float32(0.5), overwrite=True)
