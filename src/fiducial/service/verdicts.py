"""The verdict of a production, as its verification left it in the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiducial.repository import Repository
    from fiducial.selection.production import Production

_WORST_FIRST = ("fail", "warn", "pass")


@dataclass(frozen=True)
class Verdict:
    """What verification said: pass, warn, fail, or "none" where there was none."""

    word: str
    reasons: tuple[str, ...] = ()
    run: str = ""  # where the verification is


def verdict_of_run(repository: Repository, production: Production) -> Verdict:
    """Read the verdict on a production; only a verification that read that very run counts.

    Parameters
    ----------
    repository
        Where both are.
    production
        The production; its collection may be a run or the chain above it.
    """
    from fiducial.repository.certify import newest_run
    from fiducial.repository.lookup import inputs_of, runs_of

    butler, chain = repository.butler, production.names.verify
    generated = newest_run(butler, production.collection, production.kind)
    runs = runs_of(butler, chain)
    if not runs or generated not in inputs_of(butler, chain):
        return Verdict("none")
    return read_verdict(repository, production.kind, runs[0])


def read_verdict(repository: Repository, kind: str, run: str) -> Verdict:
    """Read what a verification run says; one that came to no verdict counts as a failure."""
    from fiducial.repository.lookup import datasets

    found = datasets(repository.butler, f"verify{kind[0].upper()}{kind[1:]}Verdict", run)
    verdicts: Sequence[Mapping[str, Any]] = [repository.butler.get(ref) for ref in found]
    if not verdicts:
        return Verdict("fail", ("verification did not come to a verdict",), run)
    word = min((str(v["verdict"]) for v in verdicts), key=_WORST_FIRST.index)
    return Verdict(word, tuple(str(reason) for v in verdicts for reason in v.get("reasons", ())), run)
