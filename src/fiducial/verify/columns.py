"""Rows as columns: what judging works on, so that a camera of 189 detectors stays quick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fiducial.verify.rows import SCHEMA, Row, rows_to_arrow

_EMPTY: dict[pa.DataType, Any] = {
    pa.string(): "",
    pa.float64(): np.nan,
    pa.bool_(): False,
    pa.int64(): 0,
    pa.int32(): 0,
}


class Columns:
    """The columns of a table of rows as arrays of one length; judging fills some of them in place.

    Parameters
    ----------
    arrays
        One for each column of `fiducial.verify.rows.SCHEMA`; text as objects.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.arrays = arrays

    @classmethod
    def of(cls, rows: pa.Table | Sequence[Row]) -> Self:
        """Take a table or rows; a column that an older table lacks is empty. Nothing given is changed."""
        table = rows if isinstance(rows, pa.Table) else rows_to_arrow(rows)
        arrays: dict[str, NDArray[Any]] = {}
        for field in SCHEMA:
            empty = _EMPTY[field.type]
            if field.name in table.column_names:
                column = table.column(field.name).cast(field.type)
                values = (column.fill_null(empty) if column.null_count else column).to_numpy(
                    zero_copy_only=False
                )
                arrays[field.name] = np.array(values)
            else:
                dtype = object if field.type == pa.string() else field.type.to_pandas_dtype()
                arrays[field.name] = np.full(table.num_rows, empty, dtype=dtype)
        return cls(arrays)

    def __len__(self) -> int:
        return len(self.arrays["test"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def take(self, chosen: NDArray[Any]) -> Columns:
        """The rows of a mask or of indices, copied."""
        return Columns({name: array[chosen] for name, array in self.arrays.items()})

    def joined(self, other: Columns) -> Columns:
        """These rows and then the others."""
        return Columns(
            {name: np.concatenate([array, other.arrays[name]]) for name, array in self.arrays.items()}
        )

    def sorted(self) -> Columns:
        """The rows by exposure, detector, amplifier and test: the same whatever order they came in."""
        keys = [
            np.unique(self.arrays[name], return_inverse=True)[1]
            for name in ("test", "amplifier", "detector", "physical_filter", "exposure")
        ]
        return self.take(np.lexsort([self.arrays["value"], *keys]))

    def group(self, *names: str) -> NDArray[np.intp]:
        """A number for each row: equal for rows that are equal in these columns."""
        code = np.zeros(len(self), dtype=np.intp)
        for name in names:
            _, index = np.unique(self.arrays[name], return_inverse=True)
            code = code * (int(index.max(initial=0)) + 1) + index
        _, code = np.unique(code, return_inverse=True)
        return code

    def table(self) -> pa.Table:
        """The table of these columns."""
        return pa.table(
            {
                field.name: pa.array(self.arrays[field.name], type=field.type, from_pandas=False)
                for field in SCHEMA
            },
            schema=SCHEMA,
        )
