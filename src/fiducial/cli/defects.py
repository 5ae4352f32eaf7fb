"""``defects``: what is wrong with a detector, what changed, and a file for other programs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit

_SHOWN = 20  # boxes


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="REPO|FILE")
@click.option("--collection", help="Where in the repository; default: what is certified.")
@click.option("--against", metavar="FILE|COLLECTION", help="Say what appeared and went since these.")
@options.detectors
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write boxes as .ecsv, or the product as .fits; one file a detector.",
)
@options.instrument
@options.json
def defects(source: Path, json: bool, **wishes: Any) -> int:
    """List the defects of each amplifier by reason, and what appeared and went.

    \b
    Examples:
      fiducial defects REPO
      fiducial defects REPO --collection SimCam/calib/night-20260901 --against SimCam/calib/night-20260801
      fiducial defects defects.fits --against last-year.ecsv --write defects.ecsv
    """
    from fiducial import service

    listing = service.defects(source, **wishes)
    if json:
        show.emit(listing)
        return Exit.DONE
    _show_counts(listing)
    for one in listing.changes:
        _show_changes(one)
    for file in listing.files:
        show.say(f"{file} written")
    show.next_step(
        f"fiducial defects {shlex.quote(str(source))} --against FILE|COLLECTION"
        if not listing.changes
        else f"fiducial defects {shlex.quote(str(source))} --write defects.ecsv"
    )
    return Exit.DONE


def _show_counts(listing: Any) -> None:
    names = [
        name for name in dict.fromkeys(n for one in listing.amplifiers for n in one.counts) if name != "any"
    ]
    names = [name for name in names if any(one.counts.get(name) for one in listing.amplifiers)]
    rows = [
        (
            one.detector,
            one.amplifier,
            one.counts["any"],
            f"{100 * one.counts['any'] / one.pixels:.3f}",
            *(one.counts.get(name, 0) for name in names),
        )
        for one in listing.amplifiers
    ]
    show.table(listing.source, ("detector", "amplifier", "masked", "%", *names), rows)


def _show_changes(one: Any) -> None:
    rows = [(c.reason, c.before, c.now, c.appeared, c.went) for c in one.changes]
    show.table(
        f"detector {one.detector} against {one.against}",
        ("reason", "before", "now", "appeared", "went"),
        rows,
    )
    boxes = [(b.what, b.reason, b.x0, b.y0, b.width, b.height) for b in one.boxes[:_SHOWN]]
    show.table("", ("", "reason", "x0", "y0", "width", "height"), boxes)
    if len(one.boxes) > _SHOWN:
        show.say(f"{len(one.boxes) - _SHOWN} more boxes: --json lists all")
