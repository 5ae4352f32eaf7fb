"""Metadata and frames set aside as tables: a card has no room for long texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits

from fiducial.products.metadata import AsideNote, Scalar

_LONGEST = 66  # characters of keyword and value in a card of free keywords


def is_short(key: str, value: Scalar) -> bool:
    """Whether a card of the header has room for it."""
    return len(key) + len(str(value)) <= _LONGEST


def metadata_table(metadata: Mapping[str, Scalar]) -> fits.BinTableHDU:
    """Key and value, as JSON."""
    values = [json.dumps(value) for value in metadata.values()]
    columns = [texts_column("key", list(metadata)), texts_column("value", values)]
    return fits.BinTableHDU.from_columns(columns, name="METADATA")


def read_metadata(table: Any) -> dict[str, Scalar]:
    """What `metadata_table` wrote."""
    return {str(row["key"]): json.loads(row["value"]) for row in table}


def aside_table(aside: Sequence[AsideNote]) -> fits.BinTableHDU:
    """A row a frame that was not used."""
    columns = [
        fits.Column("exposure", "K", array=np.array([note.exposure for note in aside], np.int64)),
        texts_column("reason", [json.dumps(note.reason) for note in aside]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="ASIDE")


def read_aside(table: Any) -> tuple[AsideNote, ...]:
    """What `aside_table` wrote."""
    return tuple(AsideNote(int(row["exposure"]), json.loads(row["reason"])) for row in table)


def texts_column(name: str, texts: Sequence[str]) -> fits.Column:
    """A column of texts, as wide as the longest."""
    known = [text.encode("ascii", "backslashreplace") for text in texts]  # all that a table can hold
    width = max([len(text) for text in known], default=1) or 1
    return fits.Column(name, f"{width}A", array=np.array(known, dtype=f"S{width}"))
