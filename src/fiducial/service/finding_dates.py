"""Nights that have enough frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.service.request import Request
from fiducial.service.steps import KINDS

if TYPE_CHECKING:
    from fiducial.selection import DateRow


def find_dates(root: str | Path, kinds: Sequence[str], request: Request) -> list[DateRow]:
    """List the nights that have enough usable exposures of all the kinds asked for, or of each.

    Parameters
    ----------
    root
        Folder of the repository.
    kinds
        Any of bias, dark, flat; a night must have all of them. None: each kind is listed by itself.
    request
        State, filter and minimum asked for.
    """
    from fiducial.repository import Repository
    from fiducial.selection import find_dates as find
    from fiducial.selection.model import BASE_KINDS

    with Repository.open(root, instrument=request.instrument) as repository:
        records = repository.records(where=request.where)
        # Asked for by name, a night must have all kinds; else each kind is listed by itself.
        rows = [
            row
            for wanted in ([tuple(kinds)] if kinds else [(kind,) for kind in BASE_KINDS])
            for row in find(
                records,
                repository.camera(),
                kinds=wanted,
                minimum=request.minimum,
                physical_filter=request.physical_filter,
                state=request.state or None,
            )
        ]
    return sorted(rows, key=lambda row: (row.night, KINDS.index(row.kind)))
