"""Sub-commands that fiducial adds to butler."""

from __future__ import annotations

from pathlib import Path

import click
from lsst.daf.butler.cli.opt import processes_option, repo_argument
from lsst.daf.butler.cli.utils import ButlerCommand

from fiducial.errors import FiducialError

_TRANSFERS = ("direct", "symlink", "copy", "hardlink")
_ENDINGS = (".fits", ".fit", ".fts", ".fits.fz", ".fits.gz", ".fit.gz", ".fz")


def get_cli_subcommands() -> list[click.Command]:
    """The commands that the entry point ``butler.cli`` gives."""
    return [ingest_raws]


@click.command(name="ingest-raws", short_help="Ingest raw frames.", cls=ButlerCommand)
@repo_argument(required=True)
@click.argument("locations", nargs=-1, required=True)
@click.option(
    "--transfer",
    type=click.Choice(_TRANSFERS),
    default="direct",
    show_default=True,
    help="How the files come into the repository; direct leaves them where they are.",
)
@processes_option()  # type: ignore[untyped-decorator]
@click.option("--instrument", default=None, help="The camera, where the repository holds several.")
def ingest_raws(
    repo: str, locations: tuple[str, ...], transfer: str, processes: int, instrument: str | None
) -> None:
    """Take raw frames into the repository, from files and folders LOCATIONS.

    A file that cannot be used is listed with the reason and stops no other.
    """
    from fiducial.repository.repository import Repository

    try:
        with Repository.open(repo, instrument=instrument, writeable=True) as repository:
            report = repository.ingest(find_files(locations), transfer=transfer, processes=processes)
    except FiducialError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from error
    for refusal in report.refused:
        where = "".join(
            f" [{part}]" for part in (refusal.hdu and f"HDU {refusal.hdu}", refusal.keyword) if part
        )
        click.echo(f"refused {refusal.file}{where}: {refusal.reason} {refusal.hint}")
    click.echo(
        f"{len(report.used)} used + {len(report.already)} already there + "
        f"{len(report.refused)} refused = {report.offered} offered"
    )
    if report.refused:
        raise SystemExit(3)


def find_files(locations: tuple[str, ...]) -> list[Path]:
    """The files named, and the FITS files in folders named, those in their folders too."""
    found: list[Path] = []
    for location in locations:
        path = Path(location)
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.name.lower().endswith(_ENDINGS))
        else:
            found.append(path)
    return found
