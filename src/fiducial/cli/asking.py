"""``timeline``, ``history`` and ``hash``: questions that change nothing."""

from __future__ import annotations

import shlex

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit, tell


@click.command()
@options.repository
@options.instrument
@options.json
def timeline(repository: str, instrument: str | None, json: bool) -> int:
    """Show which calibrations are valid when, those that are found first above the others.

    \b
    Example:
      fiducial timeline REPO
    """
    from fiducial import service

    rows = service.timeline(repository, instrument=instrument)
    if json:
        show.emit(rows)
    else:
        columns = ("kind", "detector", "filter", "begin", "end", "collection")
        cells = [
            (r.kind, r.detector, r.filter, r.begin or "open", r.end or "open", r.collection) for r in rows
        ]
        show.table("certified", columns, cells)
        show.next_step(f"fiducial detrend {repository} --exposures ...")
    return Exit.DONE if rows else Exit.NOTHING


@click.command()
@options.repository
@click.option("--last", type=click.IntRange(1), help="Only the last steps.")
@options.json
def history(repository: str, last: int | None, json: bool) -> int:
    """Show every step on a repository: who, when, and the command, which can be run again.

    \b
    Example:
      fiducial history REPO --last 5
    """
    from fiducial import service

    entries = service.history(repository)[-last:] if last else service.history(repository)
    if json:
        show.emit(entries)
        return Exit.DONE
    for entry in entries:
        show.say(f"# {entry.time} {entry.user}: {entry.verb}: {entry.outcome}")
        show.say(shlex.join(entry.command))
    return Exit.DONE if entries else Exit.NOTHING


@click.command("hash")
@options.repository
@click.argument("collection")
@click.argument("kinds", nargs=-1)
@options.instrument
@options.json
def content_hash(
    repository: str, collection: str, kinds: tuple[str, ...], instrument: str | None, json: bool
) -> int:
    """Show the content hash of products: equal content has an equal hash, whenever it was made.

    \b
    Example:
      fiducial hash REPO SimCam/calib/night-20260901/nightly/biasGen.20260901a bias
    """
    from fiducial import service

    hashes = service.content_hashes(repository, collection, kinds, instrument=instrument)
    if json:
        show.emit(hashes)
    else:
        for name, digest in hashes.items():
            show.say(f"{digest}  {name}")
        if not hashes:
            tell(f"{collection} holds no image products", hint=f"fiducial timeline {repository}")
    return Exit.DONE if hashes else Exit.NOTHING
