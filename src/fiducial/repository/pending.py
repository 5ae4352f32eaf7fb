"""What of a bundle a repository does not hold yet: the middleware refuses what is there already."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from lsst.daf.butler import CollectionType

from fiducial.repository.bundle import EXPORT, export_entries
from fiducial.repository.client import collection_type
from fiducial.repository.validity import associations

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

type Entry = dict[str, Any]


def pending_export(butler: Butler, instrument: str, folder: Path) -> io.StringIO:
    """The bundle's ``export.yaml`` without the records, datasets and validity ranges that are there."""
    content = yaml.safe_load((folder / EXPORT).read_bytes())
    content["data"] = [
        kept for entry in export_entries(folder) if (kept := _pending(butler, instrument, entry)) is not None
    ]
    stream = io.StringIO()
    # Not the safe dumper, which lacks the middleware's types; what is dumped was safely loaded.
    yaml.dump(content, stream, sort_keys=False)
    stream.seek(0)
    return stream


def _pending(butler: Butler, instrument: str, entry: Entry) -> Entry | None:
    match entry.get("type"):
        case "dimension":
            return _part(entry, "records", _new_records(butler, entry))
        case "dataset":
            return _part(entry, "records", _new_datasets(butler, entry["records"]))
        case "associations" if entry.get("collection_type") == CollectionType.CALIBRATION.name:
            return _part(entry, "validity_ranges", _new_ranges(butler, instrument, entry))
    return entry


def _part(entry: Entry, key: str, kept: list[Any]) -> Entry | None:
    return entry | {key: kept} if kept else None


def _new_records(butler: Butler, entry: Entry) -> list[Entry]:
    element = entry["element"]
    keys = list(butler.dimensions[element].required.names)
    have = {
        tuple(record.dataId.required_values)
        for record in butler.query_dimension_records(element, explain=False, limit=None)
    }
    return [r for r in entry["records"] if tuple(_key(r, element, key) for key in keys) not in have]


def _key(record: Entry, element: str, key: str) -> Any:
    """A record calls its own key ``name`` or ``id``."""
    return record[key] if key != element else record.get("name", record.get("id"))


def _new_datasets(butler: Butler, records: list[Entry]) -> list[Entry]:
    return [
        record
        for record in records
        if any(butler.get_dataset(dataset) is None for dataset in record["dataset_id"])
    ]


def _new_ranges(butler: Butler, instrument: str, entry: Entry) -> list[Entry]:
    collection = entry["collection"]
    if collection_type(butler, collection) is not CollectionType.CALIBRATION:
        return list(entry["validity_ranges"])
    have = {(found.ref.id, found.span) for found in associations(butler, instrument, [collection])}
    ranges = []
    for one in entry["validity_ranges"]:
        ids = [dataset for dataset in one["dataset_ids"] if (dataset, one["timespan"]) not in have]
        if ids:
            ranges.append(one | {"dataset_ids": ids})
    return ranges
