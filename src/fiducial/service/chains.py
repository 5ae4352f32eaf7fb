"""Chains that follow what masters there are: said, not failed.

A camera that takes no darks still makes flats and detrends; signals are linearised where there is a
linearizer, and gains are those of photon transfer where there is one. The user is told what was left out
and what was put in; settings of the user's own are left as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fiducial.service.before import Before
from fiducial.service.masters import Masters
from fiducial.service.steps import RAMPED, keeps_chain

if TYPE_CHECKING:
    from fiducial.repository import Repository
    from fiducial.service.masters import State

OPTIONAL = ("dark", "flat")  # a bias is always needed where the chain names it

_MASTERS = {"linearity": "linearizer", "suspect": "ptc"}  # of corrections that are not called as their master


@dataclass(frozen=True)
class Adapted:
    """Settings that fit chains to the masters there are, and what the user is told of it."""

    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def adapt_chain(
    repository: Repository,
    label: str,
    chain: Sequence[str],
    *,
    exposure: int,
    detectors: Iterable[int],
    physical_filter: str | None = None,
    wished: Collection[str] = (),
    before: Before | None = None,
    stage: str = "",
    added: Sequence[str] = (),
    state: State | None = None,
) -> Adapted:
    """Leave out of a chain what no master is there for, and put in what one is there for.

    Parameters
    ----------
    repository
        Where masters are looked for: among what is certified, and in the runs of ``before``.
    label
        Of the task whose chain it is, or ``parameters``.
    chain
        The corrections it has by default.
    exposure
        Whose date counts.
    detectors
        Ids; a master that one of them lacks counts as missing.
    physical_filter
        Of the flat that is looked for.
    wished
        Settings that the user gave; a chain among them is left as it is.
    before
        What was made, or will be, in the same production.
    stage
        ``Bootstrap`` where the masters are those in adu.
    added
        Corrections that are put in where there is a master: ``linearity``, ``dark``, ``suspect``.
    state
        Camera state of the frames; a master of another one is not put in. None: not looked at.
    """
    if any(setting.startswith(f"{label}:chain") for setting in wished):
        return Adapted()
    there = Masters(repository, exposure, tuple(detectors), before or Before(), physical_filter, state)
    left, notes = list(chain), []
    for kind in OPTIONAL:
        if kind in left and not there.has(f"{kind}{stage}"):
            left.remove(kind)
            notes.append(f"no {kind} is there for exposure {exposure}: its correction is left out")
    for name in added:
        master = _MASTERS.get(name, f"{name}{stage}")
        if name in left or not there.has(master):
            continue
        if why := there.unfit(master):
            notes.append(f"{why}: {name} is left out")
            continue
        left.insert(_place(left, name), name)
        notes.append(f"a {master} is there for exposure {exposure}: {name} is put into the chain")
    if left == list(chain):
        return Adapted((), tuple(notes))
    return Adapted((f"{label}:chain={left}",), tuple(notes))


def adapt_product(
    repository: Repository,
    product: str,
    *,
    exposure: int,
    detectors: Iterable[int],
    wished: Collection[str] = (),
    before: Before | None = None,
    world: str = "electron",
    state: State | None = None,
) -> Adapted:
    """Fit the chain of a product to the masters there are.

    The dark is left out of a flat's chain where there is none, and put into that of a ramp where there is
    one; linearity is put in where there is a linearizer. The bias in electrons, and through its header all
    that is made with it, has the gains of photon transfer where there is one. Defects are found in masters
    in adu where the work is in adu.

    Parameters
    ----------
    product
        ``bias``, ``flatBootstrap``, ``ptc``, ...
    repository, exposure, detectors, wished, before, state
        As of `adapt_chain`.
    world
        Unit of the work.
    """
    from fiducial.kinds.defaults import default_chain

    if product == "defects" and world == "adu":
        return Adapted(
            tuple(f"defects:connections.{kind}={kind}Bootstrap" for kind in ("bias", "dark", "flat"))
        )
    if product in RAMPED:
        return adapt_chain(
            repository,
            product,
            default_chain(product),
            exposure=exposure,
            detectors=detectors,
            wished=wished,
            before=before,
            stage="Bootstrap",
            added=("dark", "linearity") if product == "ptc" else ("dark",),
            state=state,
        )
    if product == "bias":
        there = Masters(repository, exposure, tuple(detectors), before or Before(), None, state)
        return _gains(there, wished)
    if not product.startswith("flat"):
        return Adapted()
    stage = product.removeprefix("flat")
    return adapt_chain(
        repository,
        "parameters",
        [name for name in default_chain("flat") if not (stage and name == "gain")],
        exposure=exposure,
        detectors=detectors,
        wished=wished,
        before=before,
        stage=stage,
        added=("linearity",),
        state=state,
    )


def _gains(there: Masters, wished: Collection[str]) -> Adapted:
    """Take the gains of photon transfer for a bias in electrons, unless the user says which."""
    if any(setting.startswith("bias:gains") for setting in wished) or keeps_chain("bias", wished):
        return Adapted()
    if not there.has("ptc"):
        return Adapted()
    if why := there.unfit("ptc"):
        return Adapted((), (f"{why}: gains are those of the camera file",))
    return Adapted(("bias:gains=ptc",), (f"gains are those of the ptc for exposure {there.exposure}",))


def _place(chain: Sequence[str], name: str) -> int:
    """Where a correction is put: where the single pass has it, before assembly; the dark behind the bias."""
    if name == "linearity":
        return chain.index("assembly")
    if name == "suspect":
        return chain.index("linearity" if "linearity" in chain else "assembly")
    before = [one for one in ("assembly", "bias", "variance") if one in chain]
    return max(chain.index(one) for one in before) + 1
