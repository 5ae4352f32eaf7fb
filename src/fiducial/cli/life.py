"""``certify``, ``adopt``, ``export`` and ``import``: the life of a calibration after its verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit

_DATE = "A date or time (TAI), e.g. 2026-09-01 or 2026-09-01T12:00:00."


@click.command()
@options.repository
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--begin", required=True, help=_DATE)
@click.option("--end", help=f"{_DATE} Default: open.")
@click.option(
    "--override", metavar="REASON", help="Certify what did not pass, for this reason; it is recorded."
)
@options.detectors
@options.instrument
@options.json
def certify(repository: str, runs: tuple[str, ...], json: bool, **wishes: Any) -> int:
    """Certify calibrations that passed for a span of dates, and put them first in CAMERA/calib.

    RUN is what ``make`` printed: a run, or the chain above it.

    \b
    Example:
      fiducial certify REPO SimCam/calib/night-20260901/nightly/biasGen.20260901a --begin 2026-09-01
    """
    from fiducial import service

    certified = service.certify(repository, runs, **wishes)
    if json:
        show.emit(certified)
        return Exit.DONE
    rows = [
        (c.kind, c.collection, c.datasets, c.begin, c.end or "open", c.override) for c in certified.products
    ]
    show.table("certified", ("kind", "collection", "datasets", "begin", "end", "override"), rows)
    show.say(f"{certified.chain} before: {', '.join(certified.before) or 'empty'}")
    show.say(f"{certified.chain} after:  {', '.join(certified.after)}")
    show.next_step(f"fiducial export {repository} {certified.ticket} BUNDLE")
    return Exit.DONE


@click.command()
@options.repository
@click.argument("kind", type=click.Choice(("bias", "dark", "flat")))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--begin", required=True, help=_DATE)
@click.option("--end", help=f"{_DATE} Default: open.")
@click.option("--unit", help="Of the pixels, where the file has no BUNIT: adu, electron, adu/s, ...")
@click.option("--detector", type=int, help="Of the file, where its header does not say.")
@options.filters
@options.state
@options.instrument
@options.json
def adopt(
    repository: str, kind: str, files: tuple[Path, ...], state: tuple[str, ...], json: bool, **wishes: Any
) -> int:
    """Take existing masters (plain FITS) in as certified calibrations.

    \b
    Example:
      fiducial adopt REPO bias old/bias_ccd0.fits --begin 2025-01-01 --end 2026-09-01
    """
    from fiducial import service
    from fiducial.selection import parse_state

    adopted = service.adopt(repository, kind, files, state=parse_state(state), **wishes)
    if json:
        show.emit(adopted)
    else:
        span = f"{adopted.begin or 'open'} to {adopted.end or 'open'}"
        show.say(f"{len(files)} {kind} adopted: {adopted.collection}, valid {span}")
        for note in adopted.notes:
            show.say(note)
        show.next_step(f"fiducial verify {repository} {kind} --exposures ...")
    return Exit.DONE


@click.command("export")
@options.repository
@click.argument("collection")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@options.instrument
@options.json
def export(repository: str, collection: str, folder: Path, instrument: str | None, json: bool) -> int:
    """Write the certified calibrations of a collection into a bundle with checksums.

    \b
    Example:
      fiducial export REPO SimCam/calib/night-20260901 bundle/
    """
    from fiducial import service

    bundle = service.export(repository, collection, folder, instrument=instrument)
    show.emit(bundle) if json else show.say(f"{bundle.files} files, {show.size(bundle.size)}, in {folder}")
    if not json:
        show.next_step(f"copy {folder} to the other site, and there: fiducial import REPO {folder}")
    return Exit.DONE


@click.command("import")
@options.repository
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@options.instrument
@options.json
def import_(repository: str, folder: Path, instrument: str | None, json: bool) -> int:
    """Take a bundle of another site in, after every checksum in it is checked.

    \b
    Example:
      fiducial import REPO bundle/
    """
    from fiducial import service

    bundle = service.import_bundle(repository, folder, instrument=instrument)
    show.emit(bundle) if json else show.say(
        f"{bundle.files} files checked and taken in: {', '.join(bundle.collections)}"
    )
    if not json:
        show.next_step(f"fiducial timeline {repository}")
    return Exit.DONE
