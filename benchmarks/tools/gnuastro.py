"""gnuastro's Arithmetic."""

from __future__ import annotations

from benchmarks.files import bias_files
from benchmarks.references import Clipping
from benchmarks.sizes import Size
from benchmarks.tools.base import Task, Tool, first_line


class Gnuastro(Tool):
    """The operator ``sigclip-mean``; it has none for overscan."""

    name = "gnuastro"
    hint = "install with `apt-get install gnuastro`"

    def version(self) -> str | None:
        """As `astarithmetic --version` says."""
        line = first_line("astarithmetic", "--version")
        return line.split()[-1] if line else None

    def task(self, workload: str, size: Size) -> Task | None:
        """Clip until the standard deviation changes by less than 0.01 per cent."""
        if workload not in ("W1", "W1z"):
            return None
        out = self.output(workload, size)
        packed = workload == "W1z"
        files = [str(path) for path in bias_files(size, packed)]
        clip = (str(len(files)), "3", "0.0001", "sigclip-mean")
        hdu = "-g1" if packed else "-g0"
        return Task(
            command=("astarithmetic", *files, *clip, hdu, "-o", str(out / "stacked.fits")),
            result=out / "stacked.fits",
            outputs=(out, "*"),
            folder=self.workspace(workload, size),
            clipping=Clipping("integer median", ddof=0),
        )
