"""The product of a camera's history: a row for each night, detector and amplifier, in units, with errors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.errors import ConfigurationError
from fiducial.trends.readings import METHODS, UNITS, Reading

if TYPE_CHECKING:
    from astropy.table import Table


def nights_table(readings: Iterable[Reading], instrument: str) -> Table:
    """Make the table.

    Columns are ``night``, ``detector``, ``amplifier``, ``state``, and of each quantity that was measured in
    any night its value, ``_error``, ``_method``, ``_frames`` and ``_certified``. What was not measured is
    masked. Of several methods the first of `METHODS` counts.
    """
    from astropy import units as u
    from astropy.table import MaskedColumn, Table

    best: dict[tuple[int, int, str, str], dict[str, Reading]] = {}
    for one in sorted(readings, key=lambda one: -METHODS.index(one.method)):
        where = (one.night, one.detector, one.amplifier, one.state)
        best.setdefault(where, {})[one.quantity] = one
    rows = sorted(best.items())
    columns: dict[str, Any] = {
        name: [where[i] for where, _ in rows]
        for i, name in enumerate(("night", "detector", "amplifier", "state"))
    }
    for quantity in sorted({name for _, own in rows for name in own}, key=_order):
        found = [own.get(quantity) for _, own in rows]
        missing = np.array([one is None for one in found])
        name = quantity.replace(" ", "_")
        unit = u.Unit(UNITS[quantity.split(" ")[0]])
        for suffix, field in (("", "value"), ("_error", "error")):
            numbers = np.array([getattr(one, field) if one else np.nan for one in found])
            columns[name + suffix] = MaskedColumn(numbers, mask=missing, unit=unit)
        for suffix, field, empty in (
            ("_method", "method", ""),
            ("_frames", "frames", 0),
            ("_certified", "certified", False),
        ):
            values = [getattr(one, field) if one else empty for one in found]
            columns[name + suffix] = MaskedColumn(values, mask=missing)
    return Table(
        columns, meta={"instrument": instrument, "content": "readings by night; errors are standard errors"}
    )


def _order(quantity: str) -> tuple[int, str]:
    return list(UNITS).index(quantity.split(" ")[0]), quantity


def write_nights(readings: Iterable[Reading], instrument: str, path: Path) -> None:
    """Write the table as ECSV, whole or not at all; a file of this name is replaced.

    Raises
    ------
    ConfigurationError
        The name does not end in .ecsv.
    StorageError
        It cannot be written.
    """
    from fiducial.frames.atomic import atomic_write

    if path.suffix.lower() != ".ecsv":
        raise ConfigurationError(f"{path}: the table of nights is written as .ecsv", hint="Name it so.")
    with atomic_write(path) as temporary:
        nights_table(readings, instrument).write(temporary, format="ascii.ecsv")
