"""``status``: is the camera what it was."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit

_EXITS = {"same": Exit.DONE, "changed": Exit.FAILED, "unknown": Exit.NOTHING}
_MOST = 40  # rows
_NAMED = 5  # amplifiers of one reason
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@options.repository
@click.option("--night", type=int, metavar="YYYYMMDD", help="The night in question; default: the newest one.")
@options.detectors
@click.option(
    "--quantity", "quantities", multiple=True, help="Only read_noise, gain, dark_rate, defects, ..."
)
@click.option("--limits", type=_FILE, metavar="FILE", help="YAML whose limits go over the default ones.")
@click.option("--history", is_flag=True, help="Show the readings of all nights.")
@click.option("--all", "everything", is_flag=True, help="Show what is the same, too.")
@click.option("--write", type=_FILE, metavar="FILE", help="Write the readings of all nights as .ecsv.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw the history as .svg or .png.")
@options.instrument
@options.json
def status(repository: str, json: bool, history: bool, everything: bool, **wishes: Any) -> int:
    """Say whether the camera is what was certified: read noise, gain, dark rate, defects, bias level.

    Nothing is measured: `make` and `verify` have measured, `ingest` has noted levels. Exit code 0: the same;
    4: something has changed; 5: there was nothing to compare.

    \b
    Examples:
      fiducial status REPO
      fiducial status REPO --night 20260901 --quantity gain --history
      fiducial status REPO --plot history.svg --write nights.ecsv
    """
    from fiducial import service

    found = service.status(repository, **wishes)
    if json:
        show.emit(found if history else replace(found, readings=()))
        return _EXITS[found.word]
    if history:
        _show_history(found)
    _show_changes(found, everything)
    for text in found.left_out:
        show.say(f"left out: {text}")
    for file in found.files:
        show.say(f"{file} written")
    show.say(_summary(found))
    show.next_step(_next(shlex.quote(repository), found))
    return _EXITS[found.word]


def _summary(found: Any) -> str:
    counts = Counter(one.word for one in found.changes)
    words = ", ".join(f"{counts[word]} {word}" for word in ("same", "changed", "unknown") if counts[word])
    return (
        f"{found.instrument} in the night {found.night}: {found.word.upper()} ({words or 'nothing compared'})"
    )


def _show_changes(found: Any, everything: bool) -> None:
    """A line for each quantity, and below it one for each amplifier that is not the same, or for all."""
    rows = []
    for quantity in dict.fromkeys(one.quantity for one in found.changes):
        own = [one for one in found.changes if one.quantity == quantity]
        counts = Counter(one.word for one in own)
        nights = sorted({one.reference.night for one in own if one.reference})
        unit = next(reading.unit for one in own for reading in (one.now, one.reference) if reading)
        sigmas = [abs(one.significance) for one in own if one.significance == one.significance]
        words = (counts[word] for word in ("same", "changed", "unknown"))
        certified = ", ".join(map(str, nights[-2:])) or "never"
        rows.append((quantity, unit, certified, *words, f"{max(sigmas):.1f}" if sigmas else ""))
    show.table(
        f"{found.instrument}, night {found.night} against what was certified",
        ("quantity", "unit", "certified in", "same", "changed", "unknown", "largest sigma"),
        rows,
    )
    states = len({one.state for one in found.changes}) > 1
    shown = [one for one in found.changes if everything or one.word != "same"]
    most = len(shown) if everything else _MOST
    columns = ("quantity", "amplifier", "certified", "now", "change", "sigma", "limit", "is")
    show.table("", (*columns, "state") if states else columns, [_row(one, states) for one in shown[:most]])
    if len(shown) > most:
        show.say(f"{len(shown) - most} more: --all shows them")
    _show_reasons(shown)
    if found.not_measured:
        show.say(f"not measured in this night: {', '.join(found.not_measured)}")


def _show_reasons(shown: Sequence[Any]) -> None:
    """Why words are what they are, amplifiers of one reason together."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in shown:
        if one.reason:
            places.setdefault((one.quantity, one.reason), []).append(f"{one.detector} {one.amplifier}")
    for (quantity, reason), found in places.items():
        names = list(dict.fromkeys(found))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        show.say(f"{quantity} of {', '.join(names[:_NAMED])}{more}: {reason}")


def _row(one: Any, states: bool) -> tuple[Any, ...]:
    row = (
        one.quantity,
        f"{one.detector} {one.amplifier}",
        _with_error(one.reference),
        _with_error(one.now),
        _number(one.change),
        f"{one.significance:+.1f}" if one.significance == one.significance else "",
        _number(one.limit).lstrip("+"),
        one.word,
    )
    return (*row, one.state) if states else row


def _with_error(reading: Any) -> str:
    return "" if reading is None else f"{reading.value:.5g} ± {reading.error:.2g}"


def _number(value: float) -> str:
    return f"{value:+.3g}" if value == value else ""


def _show_history(found: Any) -> None:
    states = len({one.state for one in found.readings}) > 1
    rows = [
        (
            one.quantity,
            f"{one.detector} {one.amplifier}",
            one.night,
            _with_error(one),
            one.unit,
            one.method,
            one.frames,
            "yes" if one.certified else "",
            *((one.state,) if states else ()),
        )
        for one in found.readings
    ]
    columns = ("quantity", "amplifier", "night", "value", "unit", "method", "of", "certified")
    show.table("readings by night", (*columns, "state") if states else columns, rows)


def _next(repository: str, found: Any) -> str:
    if any(one.now is not None and one.now.certified for one in found.changes) and found.word == "unknown":
        return f"fiducial status {repository} --night YYYYMMDD holds a later night against this one"
    if found.word == "unknown":
        return f"fiducial certify {repository} RUN... --begin DATE gives later nights something to be held to"
    if found.word == "changed":
        return f"fiducial status {repository} --night {found.night} --history --plot history.svg"
    return f"fiducial status {repository} --history"
