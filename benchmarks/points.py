"""Points of curves: what is run for each."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.tools import Task


@dataclass(frozen=True)
class Point:
    """One point of a curve: its name in the results, what is run, the bytes that must be read and written."""

    name: str
    task: Task
    read: int = 0
    written: int = 0
