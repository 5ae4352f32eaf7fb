"""Which masters are looked for defects, or held against others, where any of several may be missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fiducial.corrections.lookup import find_valid, previous_of, timespans_of
from fiducial.errors import NothingToDo

if TYPE_CHECKING:
    from uuid import UUID

    from lsst.daf.butler import Butler, DataCoordinate, DatasetRef, DatasetType, Registry, Timespan


def candidates_of_detector(
    dataset_type: DatasetType, registry: Registry, data_id: DataCoordinate, collections: Sequence[str]
) -> Iterable[DatasetRef]:
    """Every dataset of a type for what a quantum has of its dimensions: for a detector, all filters."""
    common = [name for name in dataset_type.dimensions.required if name in data_id.dimensions.required]
    known = {name: data_id[name] for name in common}
    try:
        found = list(
            registry.queryDatasets(dataset_type, collections=collections, dataId=known, findFirst=False)
        )
    except LookupError:  # nothing of this type was ever stored
        return []
    return sorted(set(found), key=lambda ref: ref.id)


class ChooseAny:
    """Mix-in for connections: of each kind and data id the master valid at the exposures' time, if any.

    Prerequisite connections named by ``masters_of_exposures`` need ``multiple=True``, ``minimum=0`` and
    ``lookupFunction=candidates_of_detector``; ``raws`` are the exposures that say for when.
    """

    masters_of_exposures: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    """Connections of which one at least has to have a master."""

    with_previous = False
    """Whether what would be valid without the master that is chosen is taken too."""

    _chosen: Mapping[tuple[Any, ...], Mapping[str, frozenset[UUID]]] | None = None

    def adjust_all_quanta(self, adjuster: Any) -> None:
        """Choose the masters of every quantum.

        Raises
        ------
        NothingToDo
            There is none, or there are two that are valid at once.
        """
        super().adjust_all_quanta(adjuster)  # type: ignore[misc]
        exposures = {
            data_id: adjuster.get_inputs(data_id)["raws"] for data_id in sorted(adjuster.iter_data_ids())
        }
        spans = timespans_of(adjuster.butler, {e for found in exposures.values() for e in found})
        chosen: dict[tuple[Any, ...], dict[str, frozenset[UUID]]] = {}
        for data_id, found in exposures.items():
            offered = adjuster.get_prerequisite_inputs(data_id)
            times = [spans[exposure["exposure"]] for exposure in found]
            detectors = {exposure["detector"] for exposure in found}
            chosen[data_id.required_values] = {
                name: self._choose(adjuster.butler, name, _of(detectors, offered.get(name, {})), times)
                for name in self.masters_of_exposures
            }
            self._require_one(data_id, chosen[data_id.required_values])
        self._chosen = chosen

    def _choose(
        self, butler: Butler, name: str, offered: Iterable[DataCoordinate], times: Sequence[Timespan]
    ) -> frozenset[UUID]:
        """The ids of what is valid at those times, for each data id that is offered."""
        kind = getattr(self, name).name
        ids = set()
        for data_id in offered:
            ref = find_valid(butler, kind, data_id, times)
            if ref is not None:
                ids.add(ref.id)
                before = previous_of(butler, ref, times) if self.with_previous else None
                ids |= {before.id} if before is not None else set()
        return frozenset(ids)

    def _require_one(self, data_id: DataCoordinate, found: Mapping[str, frozenset[UUID]]) -> None:
        if self.one_of and not any(found[name] for name in self.one_of):
            kinds = " or ".join(getattr(self, name).name for name in self.one_of)
            raise NothingToDo(
                f"no {kinds} for {' '.join(map(str, data_id.required_values))} is valid then",
                hint="Make one, or certify one: `fiducial timeline` shows what is valid when.",
            )

    def adjustQuantum(
        self, inputs: dict[str, Any], outputs: dict[str, Any], label: str, data_id: DataCoordinate
    ) -> Any:
        """Leave only the masters that were chosen; when a graph is run, that has been done."""
        adjusted: dict[str, Any] = {}
        if self._chosen is not None and data_id.required_values in self._chosen:
            for name, wanted in self._chosen[data_id.required_values].items():
                if name in inputs:
                    connection, refs = inputs[name]
                    adjusted[name] = (connection, [ref for ref in refs if ref.id in wanted])
            inputs.update(adjusted)
        super().adjustQuantum(inputs, outputs, label, data_id)  # type: ignore[misc]
        return adjusted, {}


def _of(detectors: Collection[Any], offered: Mapping[UUID, DataCoordinate]) -> set[DataCoordinate]:
    """What is offered of the detectors that the exposures name."""
    return {data_id for data_id in offered.values() if data_id["detector"] in detectors}
