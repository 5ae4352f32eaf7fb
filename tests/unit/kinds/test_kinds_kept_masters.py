"""Masters are read once for neighbouring frames, and never kept beyond."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from fiducial.kinds.gather import KeptMasters, read_masters


@dataclass
class Repository:
    """What a quantum reads from; it notes what is read."""

    read: list[str] = field(default_factory=list)

    def get(self, ref: Any) -> str:
        self.read.append(ref.id)
        return f"product {ref.id}"


def refs(**ids: str) -> SimpleNamespace:
    return SimpleNamespace(**{kind: SimpleNamespace(id=one) for kind, one in ids.items()})


def test_the_same_masters_are_read_once() -> None:
    repository, kept = Repository(), KeptMasters()
    first = kept.read(repository, refs(bias="b1", flat="f1"))
    second = kept.read(repository, refs(bias="b1", flat="f2"))
    assert repository.read == ["b1", "f1", "f2"]
    assert second["bias"] is first["bias"]
    assert [m.product for m in second.values()] == ["product b1", "product f2"]
    kept.read(repository, refs(flat="f2", bias="b1", dark="d1"))
    assert repository.read == ["b1", "f1", "f2", "d1"]


def test_only_those_of_the_last_quantum_are_kept() -> None:
    repository, kept = Repository(), KeptMasters()
    for one in (refs(bias="b1", flat="f1"), refs(bias="b1"), refs(bias="b1", flat="f1")):
        kept.read(repository, one)
    assert repository.read == ["b1", "f1", "f1"]


def test_the_masters_of_a_stack_are_not_kept() -> None:
    repository = Repository()
    for _ in range(2):
        assert set(read_masters(repository, refs(bias="b1"))) == {"bias"}
    assert repository.read == ["b1", "b1"]
