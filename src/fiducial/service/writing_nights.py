"""The history of a camera as files: a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fiducial.errors import ConfigurationError, NothingToDo

if TYPE_CHECKING:
    from fiducial.figures.history import HistoryPanel, HistorySeries
    from fiducial.trends.changes import Change
    from fiducial.trends.readings import Reading

_IN_PERCENT = ("read_noise", "gain", "dark_rate", "turnoff")
_FORMS = ("svg", "png")


def write_files(
    instrument: str,
    night: int,
    readings: Sequence[Reading],
    changes: Sequence[Change],
    write: str | Path | None,
    plot: str | Path | None,
) -> tuple[str, ...]:
    """Write what was asked for, and name it.

    Raises
    ------
    ConfigurationError
        A file's name does not end as it has to.
    NothingToDo
        No quantity can be drawn.
    """
    from fiducial.trends.table import write_nights

    if plot is not None and Path(plot).suffix.lower().lstrip(".") not in _FORMS:
        raise ConfigurationError(f"{plot}: a figure is written as .svg or .png", hint="Name it so.")
    files = []
    if write is not None:
        write_nights(readings, instrument, Path(write))
        files.append(str(write))
    if plot is not None:
        _plot(f"{instrument}, {night}", readings, changes, Path(plot))
        files.append(str(plot))
    return tuple(files)


def _plot(title: str, readings: Sequence[Reading], changes: Sequence[Change], path: Path) -> None:
    from fiducial.figures.history import draw_history
    from fiducial.frames.atomic import atomic_write

    panels = panels_of(readings, changes)
    if not panels:
        raise NothingToDo("nothing can be drawn: no quantity has a certified value", hint="Leave --plot out.")
    figure = draw_history(panels, title=title)
    form = path.suffix.lower().lstrip(".")
    with atomic_write(path) as temporary:
        figure.savefig(
            temporary,
            format=form,
            dpi=144.0,
            facecolor="white",
            metadata={"Date": None} if form == "svg" else None,
        )


def panels_of(readings: Sequence[Reading], changes: Sequence[Change]) -> list[HistoryPanel]:
    """A panel for each quantity that has certified values; of defects the sum of all reasons only."""
    from fiducial.figures.history import HistoryPanel

    panels = []
    for quantity in dict.fromkeys(one.quantity for one in changes if " " not in one.quantity):
        own = [one for one in changes if one.quantity == quantity and one.reference and one.now]
        series = tuple(_series(one, readings) for one in own)
        if not series:
            continue
        percent = quantity in _IN_PERCENT
        limits = [one.limit * _factor(one) for one in own if one.limit == one.limit]
        unit = "%" if percent else own[0].now.unit if own[0].now else ""
        panels.append(HistoryPanel(quantity, unit, float(np.median(limits)) if limits else np.nan, series))
    return panels


def _factor(change: Change) -> float:
    """From the quantity's unit to that of its panel."""
    if change.quantity not in _IN_PERCENT or change.reference is None or change.reference.value == 0:
        return 1.0
    return 100.0 / abs(change.reference.value)


def _series(change: Change, readings: Sequence[Reading]) -> HistorySeries:
    """All nights of an amplifier by the method that was compared, up to the night in question."""
    from fiducial.figures.history import HistorySeries

    now, reference = change.now, change.reference
    if now is None or reference is None:
        raise ValueError("a series needs both readings")
    own = sorted(
        (
            one.with_gain_of(now)
            for one in readings
            if one.key == now.key and one.night <= now.night and one.method in (now.method, reference.method)
        ),
        key=lambda one: one.night,
    )
    factor = _factor(change)
    return HistorySeries(
        name=f"{change.detector} {change.amplifier}",
        night=np.array([one.night for one in own]),
        change=np.array([one.value - reference.value for one in own]) * factor,
        error=np.array([one.error for one in own]) * factor,
        certified=np.array([one.certified for one in own]),
        changed=change.word == "changed",
    )
