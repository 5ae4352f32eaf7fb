"""Whether the camera is what it was: a night against the certified values, with its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import NothingToDo, UsageError
from fiducial.service.writing_nights import write_files

if TYPE_CHECKING:
    from fiducial.trends.changes import Change
    from fiducial.trends.readings import Reading


@dataclass(frozen=True)
class Status:
    """What a night is against what was certified.

    Parameters
    ----------
    instrument, night
        Of what.
    word
        ``changed`` if anything has; ``same`` if something was compared and nothing has; else ``unknown``.
    compared
        How many changes could be judged.
    changes
        One for each quantity and amplifier.
    not_measured
        Quantities of other nights that this one lacks.
    nights
        All nights with readings.
    readings
        Of all of them.
    left_out
        What could not be used, and why.
    files
        That were written.
    """

    instrument: str
    night: int
    word: str
    compared: int
    changes: tuple[Change, ...]
    not_measured: tuple[str, ...]
    nights: tuple[int, ...]
    readings: tuple[Reading, ...]
    left_out: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def status(
    root: str | Path,
    *,
    night: int | None = None,
    detectors: Sequence[int] = (),
    quantities: Sequence[str] = (),
    limits: str | Path | None = None,
    write: str | Path | None = None,
    plot: str | Path | None = None,
    instrument: str | None = None,
) -> Status:
    """Hold a night against what was certified before it, quantity by quantity.

    Nothing is measured anew: tables of verification, headers of masters and what ingest noted are read.

    Parameters
    ----------
    root
        Folder of the repository.
    night
        YYYYMMDD; None: the newest one with readings.
    detectors
        Ids; empty: all.
    quantities
        Such as ``gain``; ``defects`` with all its reasons; empty: all.
    limits
        A YAML file whose limits go over the default ones.
    write
        A file .ecsv for the readings of all nights.
    plot
        A file .svg or .png for the history.
    instrument
        The camera, where the repository holds several.

    Raises
    ------
    NothingToDo
        There are no readings, or none of that night.
    UsageError
        There is no such quantity or detector.
    """
    from fiducial.repository import Repository
    from fiducial.trends.changes import changes_of
    from fiducial.trends.criteria import load_trend_criteria
    from fiducial.trends.gather import gather_readings

    criteria = load_trend_criteria(limits or "")
    with Repository.open(root, instrument=instrument) as repository:
        camera = repository.camera()
        _check(quantities, detectors, {one.id for one in camera.detectors})
        found, left_out = gather_readings(repository, detectors)
    readings = _wanted(found, quantities)
    nights = tuple(sorted({one.night for one in readings}))
    chosen = _night(night, nights)
    changes = changes_of(readings, chosen, criteria)
    compared = sum(one.significance == one.significance for one in changes)
    words = {one.word for one in changes}
    word = "changed" if "changed" in words else "same" if "same" in words else "unknown"
    here = {one.quantity for one in readings if one.night == chosen}
    files = write_files(camera.name, chosen, readings, changes, write, plot)
    return Status(
        camera.name,
        chosen,
        word,
        compared,
        tuple(changes),
        tuple(sorted({one.quantity for one in readings} - here)),
        nights,
        tuple(readings),
        left_out,
        files,
    )


def _check(quantities: Sequence[str], detectors: Sequence[int], known: set[int]) -> None:
    from fiducial.trends.readings import UNITS

    if unknown := {name.split(" ")[0] for name in quantities} - set(UNITS):
        raise UsageError(
            f"there is no quantity {', '.join(sorted(unknown))}", hint=f"Quantities are {', '.join(UNITS)}."
        )
    if missing := set(detectors) - known:
        raise UsageError(
            f"there is no detector {', '.join(map(str, sorted(missing)))}",
            hint="`fiducial camera show` lists them.",
        )


def _wanted(readings: Sequence[Reading], quantities: Sequence[str]) -> list[Reading]:
    return [
        one
        for one in readings
        if not quantities or one.quantity in quantities or one.quantity.split(" ")[0] in quantities
    ]


def _night(night: int | None, nights: Sequence[int]) -> int:
    if not nights:
        raise NothingToDo(
            "nothing was measured yet",
            hint="`fiducial make` and `fiducial verify` measure read noise, gain, dark rate and defects.",
        )
    if night is not None and night not in nights:
        shown = ", ".join(map(str, nights[-8:]))
        raise NothingToDo(
            f"nothing was measured in the night {night}",
            hint=f"`fiducial make` or `fiducial verify` measures; nights with readings: {shown}",
        )
    return nights[-1] if night is None else night
