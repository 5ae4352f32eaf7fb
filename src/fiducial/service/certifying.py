"""Certification: only what passed, or with a reason that is kept; chain states before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import UsageError, VerificationFailed
from fiducial.service.verdicts import Verdict, verdict_of_run

if TYPE_CHECKING:
    from fiducial.repository import Repository
    from fiducial.selection.production import Production


@dataclass(frozen=True)
class CertifiedProduct:
    """One kind that was certified."""

    kind: str
    run: str
    collection: str
    datasets: int
    begin: str
    end: str | None
    verdict: str
    override: str  # the reason why something that did not pass was certified; empty: it passed


@dataclass(frozen=True)
class Certified:
    """What was certified, and the chain that every pipeline looks in."""

    products: tuple[CertifiedProduct, ...]
    ticket: str
    chain: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def certify(
    root: str | Path,
    runs: Sequence[str],
    *,
    begin: str,
    end: str | None = None,
    override: str | None = None,
    detectors: Sequence[int] = (),
    instrument: str | None = None,
) -> Certified:
    """Certify calibrations for a span of dates, and put them first in ``CAMERA/calib``.

    Parameters
    ----------
    root
        Folder of the repository.
    runs
        Collections that ``make`` (or ``pipetask``) wrote: runs, or the chains above them.
    begin, end
        Validity, ISO 8601 (TAI); end None is open.
    override
        Why something that did not pass is certified all the same; it is recorded.
    detectors
        Those that make a whole set; none: all that the camera has for science.

    Raises
    ------
    VerificationFailed
        A run did not pass, or was not verified, and there is no override.
    RepositoryError
        A run is not there or lacks detectors, or validities would overlap.
    """
    from fiducial.repository import Repository
    from fiducial.selection.production import production_of

    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        productions = [production_of(run) for run in runs]
        if len({p.names.ticket_chain for p in productions}) > 1:
            raise UsageError(
                "the runs are filed under different tickets", hint="certify the runs of one ticket at a time"
            )
        verdicts = [_accepted(repository, production, override) for production in productions]
        certified = []
        for production, verdict in zip(productions, verdicts, strict=True):
            certified.append(_certify(repository, production, verdict, begin, end, override, detectors))
        return _chain(repository, productions, certified)


def _accepted(repository: Repository, production: Production, override: str | None) -> Verdict:
    """Refuse what did not pass, before anything of the request is certified."""
    verdict = verdict_of_run(repository, production)
    if verdict.word in ("pass", "warn") or override:
        return verdict
    what = "did not pass its verification" if verdict.word == "fail" else "has not been verified"
    reasons = "".join(f"\n  {reason}" for reason in verdict.reasons[:5])
    raise VerificationFailed(
        f"{production.collection} {what}{reasons}",
        hint="look at `fiducial report`; to certify all the same: --override REASON, which is recorded",
    )


def _certify(
    repository: Repository,
    production: Production,
    verdict: Verdict,
    begin: str,
    end: str | None,
    override: str | None,
    detectors: Sequence[int],
) -> CertifiedProduct:
    accepted = verdict.word in ("pass", "warn")
    reason = "" if accepted else override or ""
    done = repository.certify(
        production.kind,
        production.collection,
        production.names.certified,
        begin=begin,
        end=end,
        detectors=detectors or None,
        reason=f"verdict {verdict.word}" + (f", overridden: {reason}" if reason else ""),
    )
    return CertifiedProduct(
        production.kind, done.run, done.collection, len(done.products), begin, end, verdict.word, reason
    )


def _chain(
    repository: Repository, productions: Sequence[Production], certified: Sequence[CertifiedProduct]
) -> Certified:
    """Put what was certified first under its ticket, and the ticket first in CAMERA/calib."""
    names = productions[0].names
    repository.prepend_chain(names.ticket_chain, [product.collection for product in certified])
    change = repository.prepend_chain(names.calib, [names.ticket_chain])
    return Certified(tuple(certified), names.ticket_chain, change.chain, change.before, change.after)
