"""Tables of frame facts: one a day, merged on each ingest, read back as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lsst.daf.butler import MissingDatasetTypeError

from fiducial.frames.records import FrameRecord
from fiducial.frames.tables import records_from_arrow, records_to_arrow
from fiducial.repository import names
from fiducial.repository.dataset_types import facts_type

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

type FrameKey = tuple[int, int]
"""Exposure and detector."""


def facts_refs(butler: Butler, instrument: str, days: Iterable[int] | None = None) -> list[DatasetRef]:
    """The newest table of each day that has one, the oldest day first."""
    wanted = None if days is None else set(days)
    try:
        refs = butler.query_datasets(
            names.FACTS,
            names.raw_facts(instrument),
            instrument=instrument,
            find_first=False,
            explain=False,
            limit=None,
        )
    except MissingDatasetTypeError:
        return []
    chosen = [ref for ref in refs if wanted is None or ref.dataId["day_obs"] in wanted]
    return sorted(chosen, key=lambda ref: int(ref.dataId["day_obs"]))


def known_records(
    butler: Butler, instrument: str, days: Iterable[int] | None = None
) -> dict[FrameKey, FrameRecord]:
    """What the tables say of the frames of some days, or of all."""
    known: dict[FrameKey, FrameRecord] = {}
    for ref in facts_refs(butler, instrument, days):
        for record in records_from_arrow(butler.get(ref)):
            known[record.exposure, record.detector] = record
    return known


def write_facts(
    butler: Butler, instrument: str, day_obs: int, records: Mapping[FrameKey, FrameRecord], run: str
) -> None:
    """Write the table of a day into a run and let it take the place of the older one.

    Call it within a transaction: the day never is without a table.
    """
    ordered = [records[key] for key in sorted(records)]
    collection = names.raw_facts(instrument)
    older = facts_refs(butler, instrument, [day_obs])
    ref = butler.put(
        records_to_arrow(ordered),
        facts_type(butler.dimensions),
        instrument=instrument,
        day_obs=day_obs,
        run=run,
    )
    butler.registry.disassociate(collection, older)
    butler.registry.associate(collection, [ref])
