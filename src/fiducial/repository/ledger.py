"""The ledger: every step on a repository, one line of JSON each, chained by hashes and never rewritten."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fiducial.errors import IntegrityError
from fiducial.repository.storage import storage_errors

FIRST = "0" * 64
_BLOCK = 65536  # bytes from the end of the file that are looked at first
_PACKAGES = ("fiducial", "lsst-daf-butler", "lsst-pipe-base", "lsst-images", "numpy", "astropy")


class Entry(BaseModel):
    """One step: who did what, when, with which command, versions and collections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str  # UTC, ISO 8601
    user: str
    verb: str
    command: tuple[str, ...]
    instrument: str = ""
    inputs: dict[str, Any] = {}
    before: dict[str, tuple[str, ...]] = {}  # chain -> its members
    after: dict[str, tuple[str, ...]] = {}
    run: str = ""
    outcome: str = "done"
    versions: dict[str, str] = {}
    previous: str = FIRST
    hash: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    def seal(self) -> str:
        """SHA-256 over everything but the hash itself."""
        content = self.model_dump(mode="json", exclude={"hash"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """The versions that decide what a step computes."""
    found = {name: version(name) for name in _PACKAGES}
    return found | {"python": ".".join(str(part) for part in sys.version_info[:3])}


def _user() -> str:
    """The name of whoever runs this; the number where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


class Ledger:
    """The ledger of one repository.

    Parameters
    ----------
    root
        Folder of the repository; the ledger is ``fiducial/ledger.jsonl`` in it.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / "fiducial" / "ledger.jsonl"

    def append(
        self,
        verb: str,
        *,
        instrument: str = "",
        inputs: Mapping[str, Any] | None = None,
        before: Mapping[str, tuple[str, ...]] | None = None,
        after: Mapping[str, tuple[str, ...]] | None = None,
        run: str = "",
        outcome: str = "done",
        command: tuple[str, ...] | None = None,
    ) -> Entry:
        """Add a step at the end: on disk when this returns, whatever happens next.

        A last line that a killed process left half written is moved to ``ledger.torn`` first.
        """
        with storage_errors(self.path), self._locked() as stream:
            self._set_aside_torn_line(stream.fileno())
            entry = Entry(
                time=datetime.now(UTC).isoformat(timespec="microseconds"),
                user=_user(),
                verb=verb,
                command=tuple(sys.argv) if command is None else command,
                instrument=instrument,
                inputs=dict(inputs or {}),
                before=dict(before or {}),
                after=dict(after or {}),
                run=run,
                outcome=outcome,
                versions=versions(),
                previous=self._last_hash(),
            )
            entry = entry.model_copy(update={"hash": entry.seal()})
            line = json.dumps(entry.model_dump(mode="json"), sort_keys=True) + "\n"
            os.write(stream.fileno(), line.encode())
            os.fsync(stream.fileno())
        return entry

    def history(self) -> list[Entry]:
        """Every step, the oldest first.

        Raises
        ------
        IntegrityError
            If a line was changed, removed or put in between. A torn last line is no such case:
            it is what a killed process leaves, and is passed over.
        """
        entries: list[Entry] = []
        previous = FIRST
        for number, line in enumerate(self._lines(), start=1):
            try:
                entry = Entry.model_validate_json(line)
            except ValueError as error:
                raise IntegrityError(
                    f"{self.path}: line {number} cannot be read: {error}".splitlines()[0],
                    hint="The ledger was edited or damaged; compare it with a backup.",
                ) from error
            if entry.previous != previous or entry.hash != entry.seal():
                raise IntegrityError(
                    f"{self.path}: line {number} ({entry.verb}, {entry.time}) is not what was written",
                    hint="An entry was changed, removed or inserted; compare the ledger with a backup.",
                )
            previous = entry.hash
            entries.append(entry)
        return entries

    def torn(self) -> str | None:
        """The half-written last line that a killed process left, or None."""
        return self._torn().decode(errors="replace") or None

    def _torn(self) -> bytes:
        return self._tail().rpartition(b"\n")[2]

    def _lines(self) -> list[str]:
        """Complete lines; what follows the last newline was never finished."""
        if not self.path.exists():
            return []
        return self.path.read_bytes().decode(errors="replace").split("\n")[:-1]

    def _last_hash(self) -> str:
        line = self._tail().rstrip(b"\n").rpartition(b"\n")[2]
        return str(json.loads(line)["hash"]) if line else FIRST

    def _tail(self) -> bytes:
        """The end of the file, from somewhere before its last complete line; the file may be long."""
        size = self.path.stat().st_size if self.path.exists() else 0
        block = _BLOCK
        while size:
            with self.path.open("rb") as stream:
                stream.seek(max(0, size - block))
                data = stream.read()
            if block >= size or data.count(b"\n") > 1:
                return data
            block *= 4
        return b""

    def _set_aside_torn_line(self, descriptor: int) -> None:
        if not (torn := self._torn()):
            return
        with self.path.with_name("ledger.torn").open("ab") as aside:
            aside.write(datetime.now(UTC).isoformat().encode() + b" " + torn + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        os.ftruncate(descriptor, self.path.stat().st_size - len(torn))

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream
