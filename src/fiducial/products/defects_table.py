"""Defects as tables that other programs read, and tables of manual defects."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits

from fiducial.errors import ConfigurationError
from fiducial.frames.atomic import atomic_write
from fiducial.products.defects import MANUAL, DefectSet

if TYPE_CHECKING:
    from astropy.table import Table

COLUMNS = ("x0", "y0", "width", "height")
_FORMS = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv"}
_HINT = (
    "Columns are x0, y0, width, height (pixels from 0) and reason, as `fiducial defects --write` has them."
)


def to_table(defects: DefectSet) -> Table:
    """Make an astropy table: x0, y0, width, height (pixels from 0) and reason; identity as metadata."""
    from astropy.table import Table

    table = Table(
        [*defects.boxes.T, np.array(defects.reasons, dtype=str)],
        names=(*COLUMNS, "reason"),
        units=("pix",) * 4 + (None,),
    )
    ny, nx = defects.shape
    table.meta = {
        "OBSTYPE": "defects",
        "INSTRUME": defects.instrument,
        "DETECTOR": defects.detector,
        "DETNX": nx,
        "DETNY": ny,
    }
    return table


def write_defects(defects: DefectSet, path: str | Path) -> None:
    """Write defects as ``.ecsv``, or as the product's own ``.fits``.

    Raises
    ------
    ConfigurationError
        The name ends otherwise.
    StorageError
        The disk is full, or may not be written.
    """
    target = Path(path)
    if target.suffix == ".ecsv":
        text = StringIO()
        to_table(defects).write(text, format="ascii.ecsv")
        with atomic_write(target) as part:
            part.write_text(text.getvalue(), "utf-8")
    elif target.suffix in (".fits", ".fit"):
        with atomic_write(target) as part, part.open("wb") as stream:
            defects.to_hdus().writeto(stream)
    else:
        raise ConfigurationError(
            f"{target}: defects are written as .ecsv or .fits", hint="Give the file such a name."
        )


def read_defects(
    path: str | Path,
    *,
    instrument: str = "",
    detector: int | None = None,
    shape: tuple[int, int] | None = None,
) -> DefectSet:
    """Read defects from a product's ``.fits`` or from a table: ``.ecsv`` or ``.csv``.

    A table without a column ``reason`` has manual defects. What it is of says its metadata; where that
    says nothing, the arguments do. A column ``detector`` chooses the rows of a table for several.

    Parameters
    ----------
    path
        The file.
    instrument, detector, shape
        What it has to be of; what is not given is not asked for.

    Raises
    ------
    ConfigurationError
        Naming the file, and the row and column that are off.
    """
    source = Path(path)
    try:
        if not source.is_file():
            raise ValueError("there is no such file")
        if source.suffix in (".fits", ".fit"):
            with fits.open(source, memmap=False) as hdus:
                found = DefectSet.from_hdus(hdus)
        elif source.suffix in _FORMS:
            found = _from_table(source, instrument, detector, shape)
        else:
            raise ValueError("it ends neither in .ecsv, .csv nor .fits")
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigurationError(f"{source}: {words}", hint=_HINT) from error
    for what, wanted, own in (
        ("instrument", instrument or None, found.instrument),
        ("detector", detector, found.detector),
        ("shape", shape, found.shape),
    ):
        if wanted is not None and own != wanted:
            raise ConfigurationError(
                f"{source}: its defects are of {what} {own}, not {wanted}", hint="Give the file for this one."
            )
    return found


def _from_table(
    source: Path, instrument: str, detector: int | None, shape: tuple[int, int] | None
) -> DefectSet:
    from astropy.table import Table

    table = Table.read(source, format=_FORMS[source.suffix])
    if missing := [name for name in COLUMNS if name not in table.colnames]:
        raise ValueError(f"no column {', '.join(missing)}")
    meta = table.meta
    if shape is None and not {"DETNX", "DETNY"} <= meta.keys():
        raise ValueError("it does not say the size of its detector (DETNX, DETNY)")
    if "DETNX" in meta:
        own = (_whole(meta["DETNY"], "DETNY"), _whole(meta["DETNX"], "DETNX"))
    else:
        own = shape or (0, 0)
    of = _whole(meta.get("DETECTOR", -1 if detector is None else detector), "DETECTOR")
    boxes, reasons = [], []
    for number, row in enumerate(table, start=1):
        if "detector" in table.colnames and _cell(row, "detector", number) != detector:
            continue
        boxes.append(_box(row, number, own))
        reasons.append(_reason(row) if "reason" in table.colnames else MANUAL)
    return DefectSet(
        str(meta.get("INSTRUME", instrument)),
        of,
        own,
        np.array(boxes, dtype=np.int32).reshape(-1, 4),
        tuple(reasons),
    )


def _box(row: Any, number: int, shape: tuple[int, int]) -> list[int]:
    x0, y0, width, height = (_cell(row, name, number) for name in COLUMNS)
    ny, nx = shape
    for name, value, least, most in (
        ("x0", x0, 0, nx - 1),
        ("y0", y0, 0, ny - 1),
        ("width", width, 1, nx - x0),
        ("height", height, 1, ny - y0),
    ):
        if not least <= value <= most:
            raise ValueError(f"row {number}, column {name}: {value} is not between {least} and {most}")
    return [x0, y0, width, height]


def _cell(row: Any, column: str, number: int) -> int:
    value = row[column]
    if np.ma.is_masked(value):
        raise ValueError(f"row {number}, column {column}: nothing is there")
    return _whole(value, f"row {number}, column {column}")


def _whole(value: Any, where: str) -> int:
    try:
        whole = int(value)
        if whole == float(value):
            return whole
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{where}: {value!s} is no whole number")


def _reason(row: Any) -> str:
    value = row["reason"]
    return MANUAL if np.ma.is_masked(value) or not str(value).strip() else str(value).strip()
