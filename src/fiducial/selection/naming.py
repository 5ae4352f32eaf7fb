"""The names of a production's collections, in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fiducial.errors import UsageError

_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.+~-]*$")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+~-]+")
_RERUN = re.compile(r"\.(?P<day>\d{8})(?P<letters>[a-z]+)$")


@dataclass(frozen=True, slots=True)
class Names:
    """The collections of one production of one kind.

    ``gen`` and ``verify`` are the chains that `pipetask` writes with ``-o``; ``certified`` is the
    CALIBRATION collection; ``ticket_chain`` gathers what was certified under the ticket and goes to the
    front of ``calib``, in which every pipeline looks.
    """

    gen: str
    verify: str
    certified: str
    ticket_chain: str
    calib: str


def production_names(
    instrument: str, ticket: str, tag: str, kind: str, physical_filter: str | None, rerun: str
) -> Names:
    """Name the collections of one production.

    Parameters
    ----------
    instrument
        The Butler's name of the camera.
    ticket, tag
        What the work is filed under, and what it is for, in words that fit a collection's name.
    kind
        ``bias``, ``flatBootstrap``, ...
    physical_filter
        The filter of a flat; None for the other kinds. What does not fit a collection's name becomes
        ``_`` there; the products themselves keep the filter's full name.
    rerun
        When the production was made: ``20240326a``.

    Raises
    ------
    UsageError
        If a part cannot stand in a collection's name.
    """
    for what, part in (("instrument", instrument), ("ticket", ticket), ("tag", tag), ("rerun", rerun)):
        if not _PART.match(part):
            raise UsageError(
                f"{what} {part!r} cannot stand in the name of a collection",
                hint="letters, digits and _ . + ~ - can; the first one is a letter or a digit",
            )
    base = f"{instrument}/calib/{ticket}/{tag}"
    capital = kind[0].upper() + kind[1:]
    suffix = ""
    if kind.startswith("flat") and physical_filter:
        suffix = "-" + safe_name(physical_filter)
    return Names(
        gen=f"{base}/{kind}Gen{suffix}.{rerun}",
        verify=f"{base}/verify{capital}{suffix}.{rerun}",
        certified=f"{base}/{kind}{suffix}.{rerun}",
        ticket_chain=f"{instrument}/calib/{ticket}",
        calib=f"{instrument}/calib",
    )


def safe_name(text: str) -> str:
    """Make a text fit a collection's name: what does not fit becomes ``_``."""
    return _UNSAFE.sub("_", text).strip("_") or "none"


def free_rerun(day: str | int, existing: Iterable[str]) -> str:
    """Return the first name of a day's productions that no collection has yet: ``20240326a``, ``b``, ...

    Parameters
    ----------
    day
        YYYYMMDD.
    existing
        Names of collections; every part of a path that ends in ``.YYYYMMDD`` and letters counts.
    """
    taken = {
        match["letters"]
        for name in existing
        for part in name.split("/")
        if (match := _RERUN.search(part)) and match["day"] == str(day)
    }
    number = 1
    while (letters := _letters(number)) in taken:
        number += 1
    return f"{day}{letters}"


def _letters(number: int) -> str:
    """Count in letters: 1 is a, 26 z, 27 aa."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text
