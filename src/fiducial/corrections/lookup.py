"""Which master a stack of exposures uses, where the middleware's own search does not say.

A task whose quanta hold many exposures has no time of its own, and the middleware looks calibrations up by
the time of a quantum. So the search here is in two steps: a look-up that brings in every candidate, and a
choice, when the exposures of each quantum are known, of the one that is valid for all of them.

No middleware is imported here: its objects are handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fiducial.errors import NothingToDo

if TYPE_CHECKING:
    from uuid import UUID

    from lsst.daf.butler import Butler, DataCoordinate, DatasetRef, DatasetType, Registry, Timespan


def candidates(
    dataset_type: DatasetType, registry: Registry, data_id: DataCoordinate, collections: Sequence[str]
) -> Iterable[DatasetRef]:
    """Every dataset of a type for a data id, whatever its validity: a look-up function for connections."""
    wanted = data_id.subset(dataset_type.dimensions)
    try:
        found = set(
            registry.queryDatasets(dataset_type, collections=collections, dataId=wanted, findFirst=False)
        )
    except LookupError:  # nothing of this type was ever stored
        return []
    return sorted(found, key=lambda ref: ref.id)


class ChooseMasters:
    """Mix-in for connections of tasks that stack: masters by the time of the exposures.

    Stands before ``PipelineTaskConnections`` among the bases. Prerequisite connections named by
    ``masters_of_exposures`` need ``lookupFunction=candidates``; ``exposures_connection`` names the
    input whose data ids have the exposures.
    """

    exposures_connection = "raws"
    masters_of_exposures: Collection[str] = ()
    _choices: Mapping[tuple[Any, ...], Mapping[str, UUID]] | None = None

    def adjust_all_quanta(self, adjuster: Any) -> None:
        """Choose the masters of every quantum.

        Raises
        ------
        NothingToDo
            No master is valid for all exposures of a quantum.
        """
        super().adjust_all_quanta(adjuster)  # type: ignore[misc]
        exposures = {
            data_id: adjuster.get_inputs(data_id)[self.exposures_connection]
            for data_id in sorted(adjuster.iter_data_ids())
        }
        if not self.masters_of_exposures:
            return
        spans = timespans_of(adjuster.butler, {e for found in exposures.values() for e in found})
        self._choices = {
            data_id.required_values: {
                name: _choose(
                    adjuster.butler, getattr(self, name).name, data_id, [spans[e["exposure"]] for e in found]
                )
                for name in self.masters_of_exposures
            }
            for data_id, found in exposures.items()
            if found
        }

    def adjustQuantum(
        self, inputs: dict[str, Any], outputs: dict[str, Any], label: str, data_id: DataCoordinate
    ) -> Any:
        """Leave only the masters that were chosen; when a graph is run, that has been done."""
        adjusted: dict[str, Any] = {}
        if self._choices is not None and data_id.required_values in self._choices:
            for name, chosen in self._choices[data_id.required_values].items():
                connection, refs = inputs[name]
                adjusted[name] = (connection, [ref for ref in refs if ref.id == chosen])
            inputs.update(adjusted)
        super().adjustQuantum(inputs, outputs, label, data_id)  # type: ignore[misc]
        return adjusted, {}


def timespans_of(butler: Butler, exposures: Collection[DataCoordinate]) -> dict[Any, Timespan]:
    """When exposures were made, by id."""
    if not exposures:
        return {}
    with butler.query() as query:
        dimensions = butler.dimensions.conform(["exposure"])
        ids = {exposure.subset(dimensions) for exposure in exposures}
        records = query.join_data_coordinates(ids).dimension_records("exposure")
        return {record.id: record.timespan for record in records}


def _choose(butler: Butler, dataset_type: str, data_id: DataCoordinate, spans: Sequence[Timespan]) -> UUID:
    """The dataset that is valid for the first, the last, and the whole span of some exposures."""
    spans = sorted(spans, key=lambda span: span.nsec)
    found = {span: _find(butler, dataset_type, data_id, span) for span in (spans[0], spans[-1], _hull(spans))}
    ids = {ref.id for ref in found.values() if ref is not None}
    if not ids:
        raise NothingToDo(
            f"no {dataset_type} for {_text(data_id)} is valid at {spans[0]}",
            hint=f"Searched {', '.join(butler.collections.defaults)}. "
            "Certify one, or take its correction out of the chain.",
        )
    if len(ids) > 1 or None in found.values():
        names = ", ".join(f"{ref.run if ref else 'none'} at {span}" for span, ref in found.items())
        raise NothingToDo(
            f"the exposures of {_text(data_id)} do not share one {dataset_type}: {names}",
            hint="Stack those exposures apart, by a narrower data query.",
        )
    return ids.pop()


def find_valid(
    butler: Butler, dataset_type: str, data_id: DataCoordinate, spans: Sequence[Timespan]
) -> DatasetRef | None:
    """Find the dataset that is valid for all of some exposures; None where there is none.

    Raises
    ------
    NothingToDo
        Two are valid at once.
    """
    return _find(butler, dataset_type, data_id, _hull(spans)) if spans else None


def previous_of(butler: Butler, ref: DatasetRef, spans: Sequence[Timespan]) -> DatasetRef | None:
    """Find what would be valid at the same time if the run of a dataset were not there.

    Raises
    ------
    NothingToDo
        Two are valid at once.
    """
    searched = butler.collections.query(butler.collections.defaults, flatten_chains=True)
    others = [name for name in searched if name != ref.run]
    if not others:
        return None
    found = find_valid(butler.clone(collections=others), ref.datasetType.name, ref.dataId, spans)
    # A calibration collection may hold that very dataset.
    return None if found is None or found.id == ref.id else found


def _hull(spans: Sequence[Timespan]) -> Timespan:
    begin, end = min(span.nsec[0] for span in spans), max(span.nsec[1] for span in spans)
    return type(spans[0])(None, None, _nsec=(begin, end))


def _find(
    butler: Butler, dataset_type: str, data_id: DataCoordinate, timespan: Timespan
) -> DatasetRef | None:
    try:
        kind = butler.get_dataset_type(dataset_type)
    except KeyError:  # nothing of this type was ever stored
        return None
    try:
        return butler.find_dataset(kind, data_id.subset(kind.dimensions), timespan=timespan)
    except LookupError as error:
        raise NothingToDo(
            f"two {dataset_type}s of {_text(data_id)} are valid at {timespan}: {error}",
            hint="Certify with validity ranges that do not overlap within a collection.",
        ) from error


def _text(data_id: DataCoordinate) -> str:
    return " ".join(str(value) for value in data_id.required_values)
