"""The order of a production: what is made in which unit, and what each product needs of those before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fiducial.errors import UsageError

if TYPE_CHECKING:
    from fiducial.cameras.model import SelectionDefaults

type World = Literal["electron", "adu"]

ALL = "all"
"""Whatever the frames of the night allow."""

BASES = ("bias", "dark", "flat")
RAMPED = ("linearizer", "ptc")
KINDS = (*BASES, "defects", *RAMPED)
"""What can be asked for by name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kind in one unit: ``bias`` in adu is the ``biasBootstrap``."""

    kind: str
    world: World

    @property
    def product(self) -> str:
        """The dataset that is made."""
        return f"{self.kind}Bootstrap" if self.world == "adu" and self.kind in BASES else self.kind


# Gains are measured on masters in adu, and what is in electrons is made with them.
_ORDER = (
    *(Step(kind, "adu") for kind in KINDS),
    *(Step(kind, "electron") for kind in (*BASES, "defects")),
)


def steps_of(kinds: Sequence[str], world: World) -> tuple[Step, ...]:
    """Put kinds into the order in which they need each other.

    Parameters
    ----------
    kinds
        Any of `KINDS`, or ``all``: the masters in adu, defects, linearizer and photon transfer, then masters
        in electrons.
    world
        Unit of what comes in both; with ``all``, ``adu`` ends before the masters in electrons.

    Raises
    ------
    UsageError
        A kind is not known.
    """
    if unknown := set(kinds) - {*KINDS, ALL}:
        raise UsageError(
            f"no kind of calibration is called {', '.join(sorted(unknown))}",
            hint=f"there are {', '.join(KINDS)}, and {ALL}",
        )
    if ALL in kinds:
        return tuple(
            step for step in _ORDER if step.world == "adu" or (world == "electron" and step.kind in BASES)
        )
    return tuple(
        step
        for step in _ORDER
        if step.kind in kinds and step.world == ("adu" if step.kind in RAMPED else world)
    )


def needed_by(product: str) -> tuple[str, ...]:
    """The masters without which a product is not made, unless its chain is changed."""
    if product.startswith(("dark", "flat")):
        return ("bias" + product[len("dark") :],)
    return ("biasBootstrap",) if product in RAMPED else ()


def keeps_chain(product: str, wished: Collection[str]) -> bool:
    """Whether the user gave the chain of a product's task; then it is left as it is."""
    label = "parameters" if product.startswith("flat") else product
    return any(setting.startswith(f"{label}:chain") for setting in wished)


def frames_needed(step: Step, settings: SelectionDefaults) -> str:
    """Say in words which frames a kind is made from; empty where it is made from masters."""
    if step.kind == "defects":
        return ""
    first = f", besides the first {settings.skip_first} of a set" if settings.skip_first else ""
    if step.kind == "ptc":
        return f"two flats of each of {settings.minimum} exposure times of one camera state and filter{first}"
    if step.kind == "linearizer":
        return f"flats of {settings.minimum} exposure times of one camera state and filter{first}"
    what = {"bias": "biases", "dark": "darks", "flat": "flats of one filter and exposure time"}[step.kind]
    return f"{settings.minimum} {what} of one camera state{first}"
