"""What a request comes to before anything is made: the products that can be made, and those that cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fiducial.service.steps import ALL, Step

if TYPE_CHECKING:
    from fiducial.kinds.budget import Forecast
    from fiducial.selection import KindPlan, Names


@dataclass(frozen=True)
class Planned:
    """One product to make: its frames, its names, what it will cost, the commands that do the same."""

    plan: KindPlan
    detectors: tuple[int, ...]
    names: Names
    forecast: Forecast
    commands: tuple[str, ...]
    step: Step
    notes: tuple[str, ...] = ()  # of the choice, and of the chain


@dataclass(frozen=True)
class Impossible:
    """A product that cannot be made, why, and which frames it would need."""

    kind: str
    reason: str
    hint: str
    needed: str = ""


@dataclass(frozen=True)
class Plans:
    """All that a request comes to."""

    night: int | None
    planned: tuple[Planned, ...]
    impossible: tuple[Impossible, ...]
    everything: bool = False  # whether whatever the frames allow was asked for

    @property
    def asked(self) -> tuple[str, ...]:
        """The kinds to ask for, so that the same is made: ``all``, or those that can be made."""
        if self.everything:
            return (ALL,)
        return tuple(dict.fromkeys(one.step.kind for one in self.planned))
