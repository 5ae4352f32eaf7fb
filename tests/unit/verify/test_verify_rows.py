"""Rows: what is written is read back, and the columns are those that others rely on."""

from __future__ import annotations

import math
from dataclasses import fields

import pyarrow as pa

from fiducial.verify.checks import Measurement
from fiducial.verify.columns import Columns
from fiducial.verify.rows import SCHEMA, FrameIdentity, Row, rows_from_arrow, rows_to_arrow


def row(**changes: object) -> Row:
    values: dict[str, object] = {
        "kind": "bias",
        "test": "level",
        "scope": "amplifier",
        "exposure": 2024032600012,
        "detector": 3,
        "amplifier": "C10",
        "physical_filter": "",
        "mjd": 60395.25,
        "role": "input",
        "counts": True,
        "applicable": True,
        "value": 0.012,
        "uncertainty": 0.004,
        "unit": "electron",
        "n_pixels": 1_000_000,
        "read_noise": 7.5,
    }
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def same(a: Row, b: Row) -> bool:
    def equal(x: object, y: object) -> bool:
        both_nan = isinstance(x, float) and isinstance(y, float) and math.isnan(x) and math.isnan(y)
        return both_nan or x == y

    return all(equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Row))


def test_rows_survive_the_table() -> None:
    rows = [row(), row(test="noise", value=math.nan, applicable=False, note="no overscan"), row(exposure=-1)]
    back = rows_from_arrow(rows_to_arrow(rows))
    assert len(back) == 3
    assert all(same(a, b) for a, b in zip(rows, back, strict=True))


def test_the_schema_has_every_field_in_order() -> None:
    assert SCHEMA.names == [f.name for f in fields(Row)]
    assert rows_to_arrow([]).schema == SCHEMA


def test_rows_survive_the_columns() -> None:
    rows = [row(), row(amplifier="C11", value=-1.0)]
    table = Columns.of(rows).table()
    assert table.schema == SCHEMA
    assert all(same(a, b) for a, b in zip(rows, rows_from_arrow(table), strict=True))


def test_columns_are_a_copy() -> None:
    table = rows_to_arrow([row()])
    columns = Columns.of(table)
    columns["value"][:] = 5.0
    assert table.column("value").to_pylist() == [0.012]


def test_an_older_table_without_a_column_is_read() -> None:
    table = rows_to_arrow([row()]).drop_columns(["p_value", "note", "n_frames"])
    columns = Columns.of(table)
    assert math.isnan(columns["p_value"][0])
    assert columns["note"][0] == ""
    assert rows_from_arrow(table)[0].note == ""


def test_first_exposures_do_not_count() -> None:
    measurement = Measurement("level", 1.0, 0.1, "electron", 10)
    for role, counts in (("input", True), ("held_out", True), ("other_day", True), ("first", False)):
        identity = FrameIdentity("bias", 1, 0, "", 60000.0, role)  # type: ignore[arg-type]
        assert identity.row("A", measurement).counts is counts


def test_a_frame_that_cannot_be_measured_has_a_row() -> None:
    problem = FrameIdentity("bias", 7, 0, "", math.nan, "input").problem("b7.fits is truncated")
    assert problem.applicable is False
    assert problem.note == "b7.fits is truncated"
    assert pa.Table.equals(rows_to_arrow([problem]).select(["exposure"]), pa.table({"exposure": [7]}))
