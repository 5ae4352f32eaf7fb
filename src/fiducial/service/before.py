"""What was made before in the same production, and what a product lacks of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fiducial.errors import NothingToDo
from fiducial.service.steps import RAMPED, keeps_chain, needed_by

if TYPE_CHECKING:
    from fiducial.repository import Repository
    from fiducial.service.masters import State
    from fiducial.service.request import Request


@dataclass(frozen=True)
class Before:
    """What came before a product in its production.

    Attributes
    ----------
    runs
        Runs that were written.
    coming
        Products that will be there: of a plan.
    lost
        Products that were wanted and cannot be made.
    failed
        Products that were made and did not pass their verification.
    states
        Camera state of each product that is coming, where it is known.
    """

    runs: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    states: Mapping[str, State] = field(default_factory=dict)

    def with_run(self, product: str, run: str, verdict: str) -> Before:
        """The same with one more."""
        failed = self.failed | {product} if verdict == "fail" else self.failed
        return replace(self, runs=(*self.runs, run), failed=failed)

    def without(self, product: str) -> Before:
        """The same with one more that is lost."""
        return replace(self, lost=self.lost | {product})

    def warnings_for(self, product: str) -> tuple[str, ...]:
        """Say which masters of a product did not pass."""
        return tuple(
            f"made with the {name} of this production, which did not pass its verification"
            for name in needed_by(product)
            if name in self.failed
        )


def require_masters(
    repository: Repository,
    product: str,
    *,
    exposure: int,
    detectors: Iterable[int],
    before: Before,
    request: Request,
) -> None:
    """Refuse a product whose masters neither come in the same production nor are certified.

    What the user did not ask for is looked for where only ramps need it; of others the graph of the job
    says what is missing.

    Raises
    ------
    NothingToDo
        Naming the master, and why it is not there.
    """
    from fiducial.service.masters import has_master

    if keeps_chain(product, request.overrides):
        return
    for name in needed_by(product):
        if name in before.coming or (name not in before.lost and product not in RAMPED):
            continue
        if all(has_master(repository, name, exposure, detector, before.runs, None) for detector in detectors):
            continue
        why = "which could not be made in this production, and " if name in before.lost else "and "
        night = f" --night {request.night}" if request.night else ""
        raise NothingToDo(
            f"{product} needs a {name}, {why}none is certified for exposure {exposure}",
            hint=f"fiducial make REPO {_how(name)}{night}; `make REPO all` makes what is needed, in order",
        )


def _how(name: str) -> str:
    kind = name.removesuffix("Bootstrap")
    return f"{kind} --bootstrap" if kind != name else kind
