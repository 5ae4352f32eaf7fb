"""Which masters are there for an exposure: of the same production, or certified."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fiducial.service.before import Before

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef

    from fiducial.cameras.facts import StateValue
    from fiducial.repository import Repository

    type State = Mapping[str, StateValue | None]


@dataclass(frozen=True)
class Masters:
    """What is there for an exposure of some detectors; what one of them lacks counts as missing.

    ``state`` is the camera state of the frames; None: not looked at.
    """

    repository: Repository
    exposure: int
    detectors: tuple[int, ...]
    before: Before
    physical_filter: str | None = None
    state: State | None = None

    def has(self, kind: str) -> bool:
        """Whether there is one, or will be."""
        return kind in self.before.coming or all(self._find(kind, one) is not None for one in self.detectors)

    def unfit(self, kind: str) -> str:
        """Why the one that is there is not used unasked; empty if it is.

        One that was made in this production and did not pass, or one of another camera state.
        """
        if kind in self.before.failed:
            return f"the {kind} of this production did not pass"
        if self.state is None:
            return ""
        for detector in self.detectors:
            if apart := self._differences(kind, detector):
                return f"the {kind} is of another camera state ({apart})"
        return ""

    def _find(self, kind: str, detector: int) -> DatasetRef | None:
        return find_master(
            self.repository, kind, self.exposure, detector, self.before.runs, self.physical_filter
        )

    def _differences(self, kind: str, detector: int) -> str:
        from fiducial.cameras.state import differing_keys

        if kind in self.before.coming:
            theirs = self.before.states.get(kind, {})
        else:
            ref = self._find(kind, detector)
            theirs = {} if ref is None else state_of(self.repository, ref)
        apart = differing_keys(self.repository.camera(), self.state or {}, theirs)
        return ", ".join(f"{key} {b}, not {a}" for key, (a, b) in apart.items())


def has_master(
    repository: Repository,
    kind: str,
    exposure: int,
    detector: int,
    runs: Collection[str],
    physical_filter: str | None,
) -> bool:
    """Whether a run of the same production, or what is certified, has a master for an exposure."""
    return find_master(repository, kind, exposure, detector, runs, physical_filter) is not None


def find_master(
    repository: Repository,
    kind: str,
    exposure: int,
    detector: int,
    runs: Collection[str],
    physical_filter: str | None,
) -> DatasetRef | None:
    """Find the master for an exposure: in a run of the same production, or else among what is certified."""
    from fiducial.repository.lookup import datasets

    for run in runs:
        for ref in datasets(repository.butler, kind, run):
            if ref.dataId["detector"] == detector:
                return ref
    return repository.find_calibration(
        kind, exposure, detector, physical_filter=physical_filter if kind.startswith("flat") else None
    )


def state_of(repository: Repository, ref: DatasetRef) -> State:
    """Read the camera state of a product from its header; its arrays are left alone."""
    from astropy.io import fits

    from fiducial.products.metadata import read_state

    with repository.butler.getURI(ref).as_local() as local:
        return read_state(fits.getheader(local.ospath))
