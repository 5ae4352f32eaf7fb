"""Tables of flat levels and of the scales that follow from them: their columns, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LevelRow:
    """The mean level of one exposure on one amplifier; NaN where it has none."""

    exposure: int
    detector: int
    amplifier: str
    level: float
    pixels: int  # the same ones in every exposure


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """What one amplifier of one exposure is divided by; NaN where it cannot be used."""

    exposure: int
    detector: int
    amplifier: str
    scale: float
    residual: float  # log of the level over exposure level times relative response


_KEYS = (("exposure", "int64"), ("detector", "int32"), ("amplifier", "string"))
_LEVELS = (*_KEYS, ("level", "float64"), ("pixels", "int64"))
_SCALES = (*_KEYS, ("scale", "float64"), ("residual", "float64"))


def level_table(rows: Iterable[LevelRow]) -> pyarrow.Table:
    """Levels as a table, sorted."""
    return _table(rows, _LEVELS)


def scale_table(rows: Iterable[ScaleRow]) -> pyarrow.Table:
    """Scales as a table, sorted."""
    return _table(rows, _SCALES)


def read_levels(tables: Iterable[pyarrow.Table]) -> list[LevelRow]:
    """The rows of several tables of levels."""
    return sorted(
        (LevelRow(**row) for table in tables for row in table.to_pylist()),
        key=lambda r: (r.exposure, r.detector, r.amplifier),
    )


def read_scales(table: pyarrow.Table, detector: int) -> dict[tuple[int, str], float]:
    """The scales of one detector, by exposure and amplifier."""
    return {
        (row["exposure"], row["amplifier"]): row["scale"]
        for row in table.to_pylist()
        if row["detector"] == detector
    }


def matrix(
    rows: Sequence[LevelRow],
) -> tuple[list[int], list[tuple[int, str]], NDArray[np.float64], NDArray[np.float64]]:
    """Exposures, units (detector, amplifier), levels (n_exposure, n_unit) and their weights (pixels)."""
    exposures = sorted({row.exposure for row in rows})
    units = sorted({(row.detector, row.amplifier) for row in rows})
    place = {unit: i for i, unit in enumerate(units)}
    levels = np.full((len(exposures), len(units)), np.nan)
    weights = np.zeros_like(levels)
    for row in rows:
        at = exposures.index(row.exposure), place[row.detector, row.amplifier]
        levels[at], weights[at] = row.level, row.pixels
    return exposures, units, levels, weights


def _table(rows: Iterable[Any], columns: Sequence[tuple[str, str]]) -> pyarrow.Table:
    import pyarrow

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns])
    ordered = sorted(rows, key=lambda r: (r.exposure, r.detector, r.amplifier))
    return pyarrow.Table.from_pylist([asdict(row) for row in ordered], schema=schema)
