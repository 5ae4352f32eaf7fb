"""Progress on a terminal as a bar with the time left; elsewhere as plain lines."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

_SECONDS_BETWEEN_LINES = 10.0


class Bars:
    """A bar with time left, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars: Any = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[last]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None

    def begin(self, what: str, total: int) -> None:
        """Show a new bar."""
        if self._task is not None:
            self.end()
        self._bars.start()
        self._task = self._bars.add_task(what, total=total, last="")

    def step(self, what: str = "") -> None:
        """Move the bar on."""
        self._bars.update(self._task, advance=1, last=what)

    def end(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
        self._bars.stop()


class Lines:
    """A line when work begins and now and then while it goes on, on stderr."""

    def __init__(self) -> None:
        self._what, self._total, self._done, self._told = "", 0, 0, 0.0

    def begin(self, what: str, total: int) -> None:
        """Say what begins."""
        self._what, self._total, self._done, self._told = what, total, 0, time.monotonic()
        click.echo(f"{what}: {total}", err=True)

    def step(self, what: str = "") -> None:
        """Count, and say so when the last line is some time ago."""
        self._done += 1
        if time.monotonic() - self._told > _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            click.echo(f"{self._what}: {self._done} of {self._total} {what}", err=True)

    def end(self) -> None:
        """Pass over: the result speaks."""


def progress(json: bool) -> Bars | Lines:
    """Choose a bar for a terminal, plain lines elsewhere and for machines."""
    return Bars() if sys.stderr.isatty() and not json else Lines()
