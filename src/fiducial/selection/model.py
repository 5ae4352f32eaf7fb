"""The plan of one production: which exposure serves what, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fiducial.cameras.facts import StateValue
from fiducial.errors import UsageError

Use = Literal["generate", "verify", "first", "left_out", "set_aside"]

BASE_KINDS = ("bias", "dark", "flat")  # a frame of this type makes the kind of the same name
_BOOTSTRAP = "Bootstrap"


def base_kind(kind: str) -> str:
    """Return the kind whose frames a kind is made from: ``biasBootstrap`` is made from bias frames.

    Raises
    ------
    UsageError
        If frames are not chosen for a kind of this name.
    """
    base = kind.removesuffix(_BOOTSTRAP)
    if base not in BASE_KINDS:
        raise UsageError(
            f"frames cannot be chosen for a kind called {kind!r}",
            hint=f"there are {', '.join(BASE_KINDS)}, and each of them with {_BOOTSTRAP} behind it",
        )
    return base


@dataclass(frozen=True, slots=True)
class Choice:
    """What one exposure serves for, and why.

    ``value`` is the number that decided and ``limit`` the one it was held against; None where no number
    did. ``detector`` is the one that was at fault; None: the reason concerns the whole exposure.
    """

    exposure: int
    detector: int | None
    use: Use
    reason: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class KindPlan:
    """The exposures of one production of one kind.

    Every exposure offered (of the kind's frame type, and of the filter where one was asked for) stands
    exactly once in ``choices``, which are in the order in which the frames were taken; ``generate``,
    ``verify`` (without those that generate) and ``first`` list the exposures of these uses in order of
    their ids. ``notes`` tells what the user may want to know of the choice: other camera states, say.
    """

    kind: str
    filter: str | None
    night: int
    state: dict[str, StateValue]
    generate: tuple[int, ...]
    verify: tuple[int, ...]
    first: tuple[int, ...]
    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def measured(self) -> tuple[int, ...]:
        """Every exposure that is verified, by id: those that went in, and those that did not."""
        return tuple(sorted({*self.generate, *self.verify, *self.first}))

    def count(self, use: Use) -> int:
        """Count the exposures of one use."""
        return sum(choice.use == use for choice in self.choices)
