"""How far long work is: what the use cases tell, and whoever shows it must understand."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of long work while it runs."""

    def begin(self, what: str, total: int) -> None:
        """Say that work begins: what it is, and how many steps it has."""

    def step(self, what: str = "") -> None:
        """Say that a step is done, and which."""

    def end(self) -> None:
        """Say that the work that began last is over."""


class Silent:
    """Progress that nobody looks at."""

    def begin(self, what: str, total: int) -> None:
        """Pass over."""

    def step(self, what: str = "") -> None:
        """Pass over."""

    def end(self) -> None:
        """Pass over."""
