"""Results on the terminal: tables for people, JSON for machines."""

from __future__ import annotations

import dataclasses
import json as json_module
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

_PIPED_WIDTH = 200


def plain(value: Any) -> Any:
    """Make a value of ours ready for JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    match value:
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case str() | int() | bool() | None:
            return value
        case float():
            # JSON knows neither NaN nor infinity.
            return value if value == value and abs(value) != float("inf") else None
        case Path() | datetime() | date():
            return str(value)
        case Iterable():
            return [plain(v) for v in value]
    return str(value)


def emit(value: Any) -> None:
    """Print a result as JSON."""
    click.echo(json_module.dumps(plain(value), indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; nothing where there are no rows."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    listed = list(rows)
    if not listed:
        return
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], (int, float)) or row[index] in (None, "") for row in listed)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        shown.add_row(*(_cell(value) for value in row))
    # What is piped is not cut to the width of a terminal that is not there.
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    Console(markup=False, highlight=False, width=width).print(shown)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
    return str(value)


def say(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def next_step(text: str) -> None:
    """Print the last line: what to do next."""
    click.echo(f"next: {text}")


def size(number: float) -> str:
    """Write a number of bytes as people do."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
