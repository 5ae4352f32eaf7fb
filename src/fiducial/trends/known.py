"""What a repository tells of its measurements beside their numbers: nights, masters, what is certified."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiducial.errors import FiducialError, IntegrityError
from fiducial.products import metadata as meta
from fiducial.repository.everywhere import (
    Taken,
    datasets_everywhere,
    exposures_taken,
    primary_header,
    read_dataset,
    runs_in_chains,
)
from fiducial.trends.dates import meets

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.repository import Repository
    from fiducial.repository.validity import Validity
    from fiducial.trends.readings import Reading

MASTERS = ("bias", "dark", "flat")


@dataclass(frozen=True, eq=False)
class MasterHeader:
    """The header of a master, with its night (0: not known) and, where it is certified, for when."""

    product: str  # biasBootstrap, say
    dataset: str
    run: str
    detector: int
    physical_filter: str
    header: Mapping[str, Any]
    night: int
    state: str
    validity: Validity | None

    @property
    def kind(self) -> str:
        """What it is whatever its unit."""
        return self.product.removesuffix("Bootstrap")

    def number(self, amplifier: str, name: str) -> float:
        """What the header says of an amplifier; NaN where it says nothing."""
        value = self.header.get(f"FID AMP {amplifier} {name}")
        return float(value) if isinstance(value, int | float) else float("nan")

    @property
    def in_electrons(self) -> bool:
        """Whether gains were taken into account."""
        return self.header.get(meta.WORLD) == "electron"


@dataclass(frozen=True, eq=False)
class Known:
    """What all sources of readings need.

    ``left_out`` names what could not be used, and why; of other detectors than ``detectors`` nothing is read
    (empty: all are).
    """

    camera: Camera
    root: Path
    taken: Mapping[int, Taken]
    chains: Mapping[str, frozenset[str]]
    validity: Mapping[str, Validity]  # by dataset
    masters: tuple[MasterHeader, ...]
    left_out: list[str] = field(default_factory=list)
    detectors: frozenset[int] = frozenset()

    def wants(self, detector: int) -> bool:
        """Whether readings of a detector are asked for."""
        return not self.detectors or detector in self.detectors

    @cached_property
    def _by_subject(self) -> dict[tuple[str, int, str], list[MasterHeader]]:
        found: dict[tuple[str, int, str], list[MasterHeader]] = {}
        for one in self.masters:
            found.setdefault((one.product, one.detector, one.physical_filter), []).append(one)
        return found

    @cached_property
    def by_dataset(self) -> dict[str, MasterHeader]:
        """The masters by the id of their dataset."""
        return {one.dataset: one for one in self.masters}

    def read(self, butler: Any, ref: Any, **how: Any) -> Any:
        """A dataset; None where it cannot be read, which is noted: one file that is gone stops nothing."""
        try:
            return read_dataset(butler, ref, **how)
        except FiducialError as error:
            keys = dict(ref.dataId.required)
            where = [f"{key} {value}" for key, value in keys.items() if key != "instrument"]
            self.left_out.append(" ".join([ref.datasetType.name, *where, f"in {ref.run}: {error.message}"]))
            return None

    def night_of(self, exposures: Sequence[int]) -> int:
        """The last night of some exposures; 0 where none of them is known."""
        return max((self.taken[one].night for one in exposures if one in self.taken), default=0)

    def inputs_of(self, run: str) -> frozenset[str]:
        """The collections that a run read: as it noted itself, or else what is in the chain above it."""
        file = self.root / run / "fiducial" / "settings.json"
        if file.is_file():
            try:
                return frozenset(json.loads(file.read_text("utf-8")).get("inputs", ()))
            except (OSError, ValueError):
                self.left_out.append(f"{file} cannot be read: the chain above the run was asked instead")
        return self.chains.get(run.rpartition("/")[0], frozenset())

    def master_of(
        self, inputs: frozenset[str], product: str, detector: int, night: int, physical_filter: str = ""
    ) -> MasterHeader | None:
        """The master that a run used: from its inputs, or else what is certified for the night."""
        own = self._by_subject.get((product, detector, physical_filter), [])
        named = [one for one in own if one.run in inputs or one.run.rpartition("/")[0] in inputs]
        if named:
            return max(named, key=lambda one: one.run.rpartition("/")[2])
        return min(
            (
                one
                for one in own
                if one.validity is not None and meets(one.validity.begin, one.validity.end, night)
            ),
            key=lambda one: one.validity.rank if one.validity else 0,
            default=None,
        )


def look_around(repository: Repository, detectors: Sequence[int] = ()) -> Known:
    """Read what is certified, when exposures were taken, and the headers of masters."""
    butler, camera = repository.butler, repository.camera()
    rows = sorted(repository.timeline(), key=lambda row: -row.rank)
    known = Known(
        camera=camera,
        root=Path(repository.root),
        taken=exposures_taken(butler, camera.name),
        chains=runs_in_chains(butler, camera.name),
        validity={row.dataset: row for row in rows},  # the first that is found counts
        masters=(),
        detectors=frozenset(detectors),
    )
    masters = []
    for kind in (name + suffix for name in MASTERS for suffix in ("", "Bootstrap")):
        for ref in datasets_everywhere(butler, camera.name, kind):
            if not known.wants(int(ref.dataId["detector"])):
                continue
            try:
                header = primary_header(butler, ref)
            except IntegrityError as error:
                known.left_out.append(
                    f"{kind} of detector {ref.dataId['detector']} in {ref.run}: {error.message}"
                )
                continue
            masters.append(_master(known, ref, kind, header))
    return replace(known, masters=tuple(masters))


def _master(known: Known, ref: Any, kind: str, header: Mapping[str, Any]) -> MasterHeader:
    validity = known.validity.get(str(ref.id))
    return MasterHeader(
        product=kind,
        dataset=str(ref.id),
        run=str(ref.run),
        detector=int(ref.dataId["detector"]),
        physical_filter=str(ref.dataId.get("physical_filter", "")),
        header=header,
        night=night_of_header(known, header) or _first_day(validity),
        state=state_words(known.camera, meta.read_state(header)),
        validity=validity,
    )


def certified_as(reading: Reading, validity: Validity | None) -> Reading:
    """The reading with the validity of what was made of its frames; as it is without one."""
    if validity is None:
        return reading
    return replace(reading, certified=True, begin=validity.begin, end=validity.end, rank=validity.rank)


def night_of_header(known: Known, header: Mapping[str, Any]) -> int:
    """The last night of the frames of a product; of frames that are not here the last date; 0: not known."""
    inputs = meta.read_inputs(header)
    dates = [int(one.date[:10].replace("-", "")) for one in inputs if one.date]
    return known.night_of([one.exposure for one in inputs]) or max(dates, default=0)


def _first_day(validity: Validity | None) -> int:
    """Of what was adopted nobody knows the frames: it counts from its first day."""
    return int(validity.begin[:10].replace("-", "")) if validity is not None and validity.begin else 0


def state_words(camera: Camera, state: Mapping[str, Any]) -> str:
    """The state of the camera in words; numbers are rounded by the tolerance, so that equal is equal."""
    words = []
    for key, rule in camera.headers.state.items():
        value = state.get(key)
        if value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool) and rule.tolerance:
            value = round(value / (2.0 * rule.tolerance)) * 2.0 * rule.tolerance
        words.append(f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}")
    return ", ".join(words)
