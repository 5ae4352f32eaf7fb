"""The ledger: every step, in order, and nobody can change one unnoticed."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fiducial import __version__
from fiducial.errors import IntegrityError
from fiducial.repository.ledger import Ledger


def fill(root: Path, n: int = 3) -> Ledger:
    ledger = Ledger(root)
    for i in range(n):
        ledger.append("step", inputs={"i": i}, command=("fiducial", "step", str(i)))
    return ledger


def test_entries_say_who_when_and_with_what(tmp_path: Path) -> None:
    ledger = fill(tmp_path, 1)
    (entry,) = ledger.history()
    assert entry.user == getpass.getuser()
    assert entry.command == ("fiducial", "step", "0")
    assert entry.versions["fiducial"] == __version__
    assert entry.versions["numpy"] == np.__version__
    assert entry.time.endswith("+00:00")


def test_entries_are_chained(tmp_path: Path) -> None:
    entries = fill(tmp_path).history()
    assert [entry.inputs["i"] for entry in entries] == [0, 1, 2]
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


def change_value(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"i": 1', '"i": 7'), lines[2]]


def change_and_seal(lines: list[str]) -> list[str]:
    """Someone who knows how the hash is made changes an entry in the middle."""
    from fiducial.repository.ledger import Entry

    entry = Entry.model_validate_json(lines[1]).model_copy(update={"user": "nobody"})
    sealed = entry.model_copy(update={"hash": entry.seal()})
    return [lines[0], json.dumps(sealed.model_dump(mode="json"), sort_keys=True), lines[2]]


@pytest.mark.parametrize(
    "tamper",
    [
        change_value,
        change_and_seal,
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [lines[0], "nonsense", lines[2]],
    ],
)
def test_what_was_changed_is_named(tmp_path: Path, tamper) -> None:  # type: ignore[no-untyped-def]
    ledger = fill(tmp_path)
    ledger.path.write_text("\n".join(tamper(ledger.path.read_text().splitlines())) + "\n")
    with pytest.raises(IntegrityError, match="line"):
        ledger.history()


def test_a_torn_last_line_is_named_kept_aside_and_passed_over(tmp_path: Path) -> None:
    ledger = fill(tmp_path)
    whole = ledger.path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[-1])):
        ledger.path.write_bytes(whole[:-cut])
        assert len(ledger.history()) == 2
        torn = ledger.torn()
        assert torn is not None
        assert torn.startswith("{")
    kept = ledger.torn()
    ledger.append("after", command=())
    assert [entry.verb for entry in ledger.history()] == ["step", "step", "after"]
    assert ledger.torn() is None
    assert str(kept) in ledger.path.with_name("ledger.torn").read_text()


def test_writers_at_the_same_time_take_turns(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from fiducial.repository.ledger import Ledger\n"
        "for i in range(20): Ledger(Path(sys.argv[1])).append('step', inputs={'i': i}, command=())\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(Ledger(tmp_path).history()) == 60


def test_an_empty_ledger(tmp_path: Path) -> None:
    assert Ledger(tmp_path).history() == []
    assert Ledger(tmp_path).torn() is None


def test_long_entries_are_chained_too(tmp_path: Path) -> None:
    """Entries longer than the part of the file that is looked at first."""
    ledger = Ledger(tmp_path)
    for i in range(3):
        ledger.append("step", inputs={"exposures": list(range(i, 40_000))}, command=())
    assert len(ledger.history()) == 3
    ledger.path.write_bytes(ledger.path.read_bytes()[:-100_000])
    ledger.append("after", command=())
    assert [entry.verb for entry in ledger.history()] == ["step", "step", "after"]
