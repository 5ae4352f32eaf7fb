"""Chains without the corrections for which there is no master: said, not failed.

A camera that takes no darks still makes flats and detrends; the user is told what was left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.repository import Repository

OPTIONAL = ("dark", "flat")  # a bias is always needed where the chain names it


@dataclass(frozen=True)
class Adapted:
    """A setting that leaves corrections out of a chain, and what the user is told of it."""

    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def adapt_chain(
    repository: Repository,
    label: str,
    chain: Sequence[str],
    *,
    exposure: int,
    detectors: Iterable[int],
    runs: Collection[str] = (),
    physical_filter: str | None = None,
    wished: Collection[str] = (),
    coming: Collection[str] = (),
    stage: str = "",
) -> Adapted:
    """Leave out of a chain what no master is there for.

    Parameters
    ----------
    repository
        Where masters are looked for: among what is certified, and in ``runs``.
    label
        Of the task whose chain it is, or ``parameters``.
    chain
        The corrections it has by default.
    exposure
        Whose date counts.
    detectors
        Ids; a master that one of them lacks counts as missing.
    runs
        Runs of the same production.
    physical_filter
        Of the flat that is looked for.
    wished
        Settings that the user gave; a chain among them is left as it is.
    coming
        Products that will be made before they are needed: they count as there.
    stage
        ``Bootstrap`` where the masters are those in adu.
    """
    if any(setting.startswith(f"{label}:chain") for setting in wished):
        return Adapted()
    missing = [
        kind
        for kind in OPTIONAL
        if kind in chain
        and f"{kind}{stage}" not in coming
        and not all(
            has_master(repository, f"{kind}{stage}", exposure, detector, runs, physical_filter)
            for detector in detectors
        )
    ]
    if not missing:
        return Adapted()
    left = [name for name in chain if name not in missing]
    when = f"exposure {exposure}"
    return Adapted(
        (f"{label}:chain={left}",),
        tuple(f"no {kind} is there for {when}: its correction is left out" for kind in missing),
    )


def adapt_product(
    repository: Repository,
    product: str,
    *,
    exposure: int,
    detectors: Iterable[int],
    runs: Collection[str] = (),
    wished: Collection[str] = (),
    coming: Collection[str] = (),
    world: str = "electron",
) -> Adapted:
    """Leave the dark out of a flat's chain where there is none; other products need what they name.

    Defects are found in masters in adu where the work is in adu.

    Parameters
    ----------
    product
        ``bias``, ``flatBootstrap``, ...
    repository, exposure, detectors, runs, wished, coming
        As of `adapt_chain`.
    world
        Unit of the work.
    """
    if product == "defects" and world == "adu":
        return Adapted(
            tuple(f"defects:connections.{kind}={kind}Bootstrap" for kind in ("bias", "dark", "flat"))
        )
    if not product.startswith("flat"):
        return Adapted()
    from fiducial.kinds.defaults import default_chain

    stage = product.removeprefix("flat")
    return adapt_chain(
        repository,
        "parameters",
        [name for name in default_chain("flat") if not (stage and name == "gain")],
        exposure=exposure,
        detectors=detectors,
        runs=runs,
        wished=wished,
        coming=coming,
        stage=stage,
    )


def has_master(
    repository: Repository,
    kind: str,
    exposure: int,
    detector: int,
    runs: Collection[str],
    physical_filter: str | None,
) -> bool:
    """Whether a run of the same production, or what is certified, has a master for an exposure."""
    from fiducial.repository.lookup import datasets

    made = (ref for run in runs for ref in datasets(repository.butler, kind, run))
    if any(ref.dataId["detector"] == detector for ref in made):
        return True
    found = repository.find_calibration(
        kind, exposure, detector, physical_filter=physical_filter if kind.startswith("flat") else None
    )
    return found is not None
