"""``ingest`` and ``detrend``: frames in, corrected frames out."""

from __future__ import annotations

from pathlib import Path

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit
from fiducial.cli.progress import progress
from fiducial.errors import IntegrityError


@click.command()
@options.repository
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER...")
@click.option(
    "--transfer",
    type=click.Choice(["direct", "symlink", "hardlink", "copy"]),
    default="direct",
    show_default=True,
    help="Use the files where they are, link to them, or copy them.",
)
@options.instrument
@options.json
def ingest(
    repository: str, files: tuple[Path, ...], transfer: str, instrument: str | None, json: bool
) -> int:
    """Take raw frames in, where they are; each one refused is named with its reason.

    \b
    Example:
      fiducial ingest REPO night/
    """
    from fiducial import service

    report = service.ingest(
        repository, files, transfer=transfer, instrument=instrument, progress=progress(json)
    )
    if json:
        show.emit(report)
    else:
        rows = [(Path(r.file).name, r.hdu, r.keyword, r.reason, r.hint) for r in report.refused]
        show.table("refused", ("file", "hdu", "keyword", "reason", "what to do"), rows)
        show.say(
            f"{len(report.used)} used + {len(report.already)} there already + {len(report.refused)} refused "
            f"= {report.offered} offered"
        )
        show.next_step(f"fiducial plan {repository} --find-dates")
    if not report.used and not report.already:
        return Exit.NOTHING
    return Exit.SET_ASIDE if report.refused else Exit.DONE


@click.command()
@options.repository
@click.option("--exposures", required=True, metavar="ID,ID..ID", help="Frames to correct.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write FITS files here too.")
@click.option("--collections", help="Calibrations to use; default: what is certified, by date.")
@click.option("--detector", "detectors", type=int, multiple=True, help="Only this detector.")
@options.settings
@options.processes
@options.instrument
@options.json
def detrend(repository: str, exposures: str, json: bool, **wishes: object) -> int:
    """Correct frames with the calibrations certified for their dates.

    The result has image, mask and variance, and tells in its header what was applied.

    \b
    Example:
      fiducial detrend REPO --exposures 2026090100100..2026090100102 --output corrected/
    """
    from fiducial import service

    result = service.detrend(repository, exposures, progress=progress(json), **wishes)
    if json:
        show.emit(result)
    else:
        rows = [(f.exposure, f.detector, f.file or f.reason) for f in result.frames]
        show.table(result.run, ("exposure", "detector", "file"), rows)
        for note in result.notes:
            show.say(note)
        show.next_step(f"butler query-datasets {repository} detrended --collections {result.run}")
    if any(frame.error == IntegrityError.id for frame in result.frames):
        return Exit.INTEGRITY
    return Exit.DONE if result.complete else Exit.SET_ASIDE
