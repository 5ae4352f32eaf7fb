"""The places of corrections in a chain: a table in the order in which they usually stand.

Which orders work follows from it. Names that no correction has yet have their places too: a correction or a
plug-in of that name gets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fiducial.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fiducial.corrections.base import Correction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a correction stands.

    Attributes
    ----------
    name : str
        Of the correction.
    stage : str
        ``raw``: before assembly, ``detector``: behind it.
    behind : tuple of str
        What it may not stand before, all of it above in the table; anything else it may.
    why : str
        What the one who put it elsewhere is told.
    """

    name: str
    stage: Literal["raw", "detector"]
    behind: tuple[str, ...] = ()
    why: str = ""


_MASTERS = ("bias", "variance", "dark", "defects", "brighter_fatter", "flat", "fringe", "nan")

TABLE: tuple[Place, ...] = (
    Place("dither", "raw"),
    Place("saturation", "raw"),
    Place("overscan", "raw", ("dither",)),
    Place("noise_check", "raw"),
    Place("suspect", "raw", ("overscan",)),
    Place("gain", "raw", ("dither",)),
    Place(
        "crosstalk",
        "raw",
        ("saturation", "overscan"),
        "Amplifiers talk by signals above their level, of pixels whose saturation is known: move it behind.",
    ),
    Place(
        "linearity",
        "raw",
        ("dither", "overscan", "suspect", "crosstalk"),
        "It works on the signal above bias, as this amplifier alone gave it: move it behind.",
    ),
    Place(
        "cti",
        "raw",
        ("overscan", "gain", "crosstalk", "linearity"),
        "Charge is left behind in the detector, before all of these happen to it: move it behind.",
    ),
    Place("assembly", "raw"),
    Place("edges", "detector"),
    Place("bleeds", "detector", ("saturation",)),
    Place("bias", "detector"),
    Place("variance", "detector", ("bias",)),
    Place("dark", "detector", ("variance",)),
    Place("defects", "detector"),
    Place(
        "brighter_fatter",
        "detector",
        ("gain", "linearity", "bias", "variance", "dark", "defects"),
        "Charge repels by its number of electrons: move it behind.",
    ),
    Place("flat", "detector", ("variance", "dark", "brighter_fatter")),
    Place("fringe", "detector", ("bias", "variance", "dark", "brighter_fatter", "flat")),
    Place("nan", "detector"),
    Place("fill_regions", "detector", (*_MASTERS, "bleeds", "noise_check")),
    Place("interpolate", "detector", (*_MASTERS, "bleeds")),
    Place("amp_offsets", "detector", _MASTERS),
    Place(
        "statistics",
        "detector",
        (*_MASTERS, "edges", "bleeds", "fill_regions", "interpolate", "amp_offsets"),
    ),
)
"""The signal that makes noise is that behind the bias and before dark and flat: so stands the variance."""

_PLACES = {place.name: place for place in TABLE}
_NUMBERS = {place.name: number for number, place in enumerate(TABLE)}


def stage_of(name: str, correction: type[Correction]) -> str:
    """``raw`` or ``detector``: what the table says, else what the correction says of itself."""
    return _PLACES[name].stage if name in _PLACES else correction.stage


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Names in the order of the table; others stay behind what they stand behind."""
    key, last = {}, -1
    for name in names:
        key[name] = last = _NUMBERS.get(name, last)
    return tuple(sorted(names, key=lambda name: key[name]))


def require_order(names: Sequence[str], corrections: Mapping[str, type[Correction]]) -> None:
    """Refuse corrections that stand before what they belong behind.

    Parameters
    ----------
    names
        The chain.
    corrections
        By name; what they say of themselves counts beside the table.

    Raises
    ------
    ConfigurationError
        Naming both, and what to do.
    """
    number = {name: index for index, name in enumerate(names)}
    for first, second, why in _rules(names, corrections):
        if number.get(first, -1) > number.get(second, len(names)):
            raise ConfigurationError(
                f"{second} stands before {first}" if why else f"{first} stands after {second}",
                hint=why or f"Put {first} before {second}: {', '.join(in_order(names))}.",
            )


def _rules(
    names: Sequence[str], corrections: Mapping[str, type[Correction]]
) -> Iterator[tuple[str, str, str]]:
    """What stands first, what second, and why, if there is more to say."""
    for place in TABLE:
        yield from ((one, place.name, place.why) for one in place.behind)
    for name in names:
        yield from ((one, name, "") for one in corrections[name].after)
        yield from ((name, one, "") for one in corrections[name].before)
