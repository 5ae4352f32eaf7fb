"""Measurement rows as columns, so that a camera of 189 detectors stays quick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fiducial.reports.model import Rows

NUMBERS = (
    "mjd",
    "value",
    "uncertainty",
    "limit",
    "limit_low",
    "margin",
    "z_star",
    "read_noise",
    "electrons_per_unit",
)
INTEGERS = ("exposure", "detector", "n_pixels")
FLAGS = ("counts", "applicable")
TEXTS = ("kind", "test", "scope", "amplifier", "physical_filter", "role", "unit", "sided", "outcome", "note")


class Measurements:
    """Rows of `fiducial.verify`, one array a column; a null is NaN, -1, False or ``""``.

    A column that the rows do not have is filled with these, so that a report of an older run can
    be made.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.columns = dict(columns)

    @classmethod
    def of(cls, rows: Rows) -> Measurements:
        """Take rows or an Arrow table."""
        names = (*NUMBERS, *INTEGERS, *FLAGS, *TEXTS)
        if isinstance(rows, Sequence):
            return cls({name: _from_values(name, [row.get(name) for row in rows]) for name in names})
        present = set(rows.column_names)
        return cls(
            {
                name: _from_arrow(name, rows.column(name))
                if name in present
                else _from_values(name, [None] * rows.num_rows)
                for name in names
            }
        )

    def __len__(self) -> int:
        return len(self.columns["test"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def where(self, chosen: NDArray[np.bool_] | None = None, /, **equal: object) -> Measurements:
        """The rows that are chosen and whose columns equal what is given."""
        keep = np.ones(len(self), dtype=bool) if chosen is None else chosen.copy()
        for name, value in equal.items():
            keep &= self.columns[name] == value
        return self.take(np.flatnonzero(keep))

    def take(self, order: NDArray[np.intp]) -> Measurements:
        """The rows of these indices, in this order."""
        return Measurements({name: column[order] for name, column in self.columns.items()})

    def judged(self) -> Measurements:
        """The rows that enter the verdict: tests that apply, of frames that count."""
        decided = np.isin(self["outcome"], ("pass", "warn", "fail"))
        return self.where(decided & self["counts"] & self["applicable"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows one by one, as Python values."""
        lists = {name: column.tolist() for name, column in self.columns.items()}
        for index in range(len(self)):
            yield {name: values[index] for name, values in lists.items()}


def _nothing(name: str) -> object:
    """What stands for a null; a row that does not say so counts: no verdict may lose it silently."""
    if name in NUMBERS:
        return np.nan
    if name in INTEGERS:
        return -1
    return True if name in FLAGS else ""


def _type(name: str) -> type:
    return float if name in NUMBERS else np.int64 if name in INTEGERS else bool if name in FLAGS else object


def _from_values(name: str, values: list[Any]) -> NDArray[Any]:
    nothing = _nothing(name)
    return np.array([nothing if value is None else value for value in values], dtype=_type(name))


def _from_arrow(name: str, column: Any) -> NDArray[Any]:
    if column.null_count:
        column = column.fill_null(_nothing(name))
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=_type(name))
