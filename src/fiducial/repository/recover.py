"""What a killed process or a full disk left half-written in a SQLite registry is undone."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

_JOURNAL = "-journal"
_PATIENCE = 2.0  # s, while another process writes


def roll_back(root: Path) -> None:
    """Let SQLite undo an unfinished transaction; nothing happens where there is none.

    Any connection that may write does so by itself. One that may only read cannot, and complains of a
    "readonly database" although nothing is wrong with anybody's rights.
    """
    for journal in root.glob(f"*.sqlite3{_JOURNAL}"):
        database = journal.with_name(journal.name.removesuffix(_JOURNAL))
        # Without the right to write, or while another process writes, the reader's own complaint will do.
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection,
        ):
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
