"""Frame records as an Arrow table, one row per exposure and detector, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from fiducial.cameras.facts import FrameFacts
from fiducial.errors import RepositoryError
from fiducial.frames.records import AmplifierContent, FrameRecord

if TYPE_CHECKING:
    import pyarrow

_COLUMNS = {
    "exposure": "int64",
    "detector": "int32",
    "day_obs": "int32",
    "frame_type": "string",
    "filter": "string",
    "file": "string",
    "size": "int64",
    "sha256": "string",
    "facts": "string",
    "content": "string",
}
_CONTENT = TypeAdapter(tuple[AmplifierContent, ...])


@cache
def record_schema() -> pyarrow.Schema:
    """The Arrow schema of frame records; ``facts`` and ``content`` are JSON."""
    import pyarrow

    return pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in _COLUMNS.items()])


def records_to_arrow(records: Iterable[FrameRecord]) -> pyarrow.Table:
    """The records as a table, sorted by exposure and detector: equal records give equal tables."""
    import pyarrow

    rows = [_row(r) for r in sorted(records, key=lambda r: (r.exposure, r.detector, r.file))]
    return pyarrow.Table.from_pylist(rows, schema=record_schema())


def records_from_arrow(table: pyarrow.Table) -> list[FrameRecord]:
    """The records of a table made by `records_to_arrow`, in its order.

    Raises
    ------
    RepositoryError
        The table lacks a column, or a row makes no sense.
    """
    needed = ("detector", "file", "size", "sha256", "facts", "content")
    if missing := [name for name in needed if name not in table.column_names]:
        raise RepositoryError(
            f"the table of frames has no column {', '.join(missing)}",
            hint="It was written by something else; ingest the frames again.",
        )
    records = []
    for row in table.select(needed).to_pylist():
        try:
            facts = FrameFacts.model_validate_json(row.pop("facts"))
            content = _CONTENT.validate_json(row.pop("content"))
            records.append(FrameRecord(facts=facts, content=content, **row))
        except (ValueError, TypeError) as error:  # pydantic's ValidationError is a ValueError
            raise RepositoryError(
                f"the table of frames has a row that makes no sense ({row.get('file')}): {error}",
                hint="It was written by another version or is corrupt; ingest the frames again.",
            ) from error
    return records


def _row(record: FrameRecord) -> dict[str, object]:
    content = [amplifier.model_dump(mode="json") for amplifier in record.content]
    return {
        "exposure": record.exposure,
        "detector": record.detector,
        "day_obs": record.facts.day_obs,
        "frame_type": record.facts.frame_type,
        "filter": record.facts.filter,
        "file": record.file,
        "size": record.size,
        "sha256": record.sha256,
        "facts": record.facts.model_dump_json(),
        "content": json.dumps(content, separators=(",", ":")),
    }
