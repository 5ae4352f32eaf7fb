"""ESO's Common Pipeline Library, by small drivers in C that are compiled here."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from benchmarks.files import bias_files, master_file, science_files
from benchmarks.references import Clipping
from benchmarks.sizes import BUILD, EXPOSURE, Size
from benchmarks.tools.base import Task, Tool

_SOURCES = Path(__file__).parents[1] / "peers"
_VERSION = "#include <cpl.h>\n#include <stdio.h>\nint main(void){puts(cpl_version_get_version());return 0;}\n"


@cache
def _compiled(source: Path) -> Path | None:
    """Compile a driver; None if there is no compiler or no CPL."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    folder = BUILD / "cpl"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / source.stem
    if compiler is None:
        return None
    command = [compiler, "-O2", "-o", str(program), str(source), "-lcplcore"]
    return program if subprocess.run(command, capture_output=True).returncode == 0 else None


class Cpl(Tool):
    """The library's own stacking and arithmetic."""

    name = "CPL"
    hint = "install with `apt-get install libcpl-dev` (and a C compiler)"
    required = True

    def version(self) -> str | None:
        """As the library itself says."""
        folder = BUILD / "cpl"
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / "version.c"
        source.write_text(_VERSION)
        program = _compiled(source)
        if program is None:
            return None
        return subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.strip()

    def task(self, workload: str, size: Size) -> Task | None:
        """Run the driver of that workload."""
        if workload in ("W1", "W1z"):
            return self._stack(workload, size)
        return self._detrend(workload, size) if workload == "W2" else None

    def _stack(self, workload: str, size: Size) -> Task | None:
        program, out = _compiled(_SOURCES / "cpl_stack.c"), self.output(workload, size)
        if program is None:
            return None
        packed = workload == "W1z"
        files = map(str, bias_files(size, packed))
        return Task(
            command=(str(program), str(out / "stacked.fits"), "1" if packed else "0", *files),
            result=out / "stacked.fits",
            outputs=(out, "*"),
            clipping=Clipping("mean", ddof=1),
        )

    def _detrend(self, workload: str, size: Size) -> Task | None:
        program, out = _compiled(_SOURCES / "cpl_detrend.c"), self.output(workload, size)
        if program is None:
            return None
        masters = (str(master_file(size, kind)) for kind in ("bias", "dark", "flat", "mask"))
        files = map(str, science_files(size))
        return Task(
            command=(str(program), str(out), *masters, str(size.overscan), str(EXPOSURE), *files),
            result=out / f"science{size.frames - 1:02d}.fits",
            outputs=(out, "*"),
        )
