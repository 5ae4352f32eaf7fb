"""IRAF, its command language fed from a script."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from benchmarks.files import bias_files, master_file, science_files
from benchmarks.references import Clipping
from benchmarks.sizes import Size
from benchmarks.tools.base import Task, Tool, first_line, link

# Without the last four the task would take masters for raw frames, and correct them too.
_MASTER_CARDS = [("EXPTIME", 1.0), ("DARKTIME", 1.0), ("CCDMEAN", 1.0)] + [
    (step, "done") for step in ("TRIM", "OVERSCAN", "ZEROCOR", "DARKCOR")
]
_SCRIPTS = Path(__file__).parents[1] / "peers"


class Iraf(Tool):
    """`imcombine` and `ccdproc`."""

    name = "IRAF"
    hint = "install with `apt-get install iraf iraf-noao`"

    def version(self) -> str | None:
        """As `irafcl -v` says."""
        line = first_line("irafcl", "-v")
        return line.split()[-1].lstrip("V") if line else None

    def task(self, workload: str, size: Size) -> Task | None:
        """Link the frames into a folder that has the login file, and write the script."""
        if workload not in ("W1", "W2"):
            return None
        work = self.workspace(workload, size)
        (work / "uparm").mkdir(exist_ok=True)
        (work / "login.cl").write_text((_SCRIPTS / "iraf_login.cl").read_text())
        return self._stack(work, size) if workload == "W1" else self._detrend(work, size)

    def _stack(self, work: Path, size: Size) -> Task:
        self._link_frames(work, bias_files(size))
        (work / "job.cl").write_text((_SCRIPTS / "iraf_stack.cl").read_text())
        return self._task(work, "stacked.fits", "stacked.fits", Clipping("median", ddof=1, about="centre"))

    def _detrend(self, work: Path, size: Size) -> Task:
        names = self._link_frames(work, science_files(size))
        (work / "outputs.txt").write_text("".join(f"done-{name}\n" for name in names))
        for kind in ("bias", "dark", "flat"):
            pixels = fits.getdata(master_file(size, kind))
            fits.writeto(work / f"{kind}.fits", pixels, fits.Header(_MASTER_CARDS), overwrite=True)
        first, last = size.bias_columns[0].start + 1, size.bias_columns[0].stop
        script = (_SCRIPTS / "iraf_detrend.cl").read_text()
        biassec, trimsec = f"[{first}:{last},1:{size.rows}]", f"[1:{size.columns},1:{size.rows}]"
        (work / "job.cl").write_text(script.format(biassec=biassec, trimsec=trimsec))
        note = "one overscan for both amplifiers, its lower middle value for the median; no variance or mask"
        return self._task(work, f"done-{names[-1]}", "done-*", None, model="first", note=note)

    def _link_frames(self, work: Path, files: list[Path]) -> list[str]:
        for path in files:
            link(path, work / path.name)
        names = [path.name for path in files]
        (work / "frames.txt").write_text("".join(f"{name}\n" for name in names))
        return names

    def _task(
        self,
        work: Path,
        result: str,
        outputs: str,
        clipping: Clipping | None,
        *,
        model: str = "amplifier",
        note: str = "",
    ) -> Task:
        return Task(
            command=("irafcl", "-f", "job.cl"),
            result=work / result,
            outputs=(work, outputs),
            folder=work,
            environment={"HOME": str(work), "TERM": "xterm", "USER": "bench"},
            clipping=clipping,
            model=model,
            note=note,
        )
