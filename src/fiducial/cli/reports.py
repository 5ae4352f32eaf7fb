"""``report``: the page of a production."""

from __future__ import annotations

from pathlib import Path

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit


@click.command()
@options.repository
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
)
@options.instrument
@options.json
def report(repository: str, runs: tuple[str, ...], output: Path, instrument: str | None, json: bool) -> int:
    """Write one self-contained page: frames, masters, residuals, verdicts with their margins.

    Several runs (bias, dark, flats, defects, ptc, linearizer of one production) make one page.

    \b
    Example:
      fiducial report REPO SimCam/calib/night-20260901/nightly/biasGen.20260901a -o bias.html
    """
    from fiducial import service

    page = service.report(repository, runs, output, instrument=instrument)
    if json:
        show.emit(page)
    else:
        show.say(f"{page.file} ({show.size(page.size)}): {page.verdict}")
        show.next_step(f"open {page.file} in a browser")
    return Exit.DONE
