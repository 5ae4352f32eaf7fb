"""Files of products written before the registry is locked: under its lock they are only renamed.

SQLite has one writer at a time, and the middleware takes that lock for the whole of a ``put``. So a product's
file is written beside its place first; the formatter, asked for it under the lock, finds it there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from lsst.daf.butler import FormatterV2
from lsst.resources import ResourcePath

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef, LimitedButler

_staged: dict[UUID, str] = {}  # dataset to file


class StagedFormatter(FormatterV2):
    """A formatter whose files may be written ahead: `write_product` writes one."""

    def write_product(self, in_memory_dataset: Any, path: str) -> None:
        """Write the file."""
        raise NotImplementedError

    def write_local_file(self, in_memory_dataset: Any, uri: ResourcePath) -> None:
        """Take the file that is there already, or write it."""
        ahead = _staged.pop(self.dataset_ref.id, None)
        if ahead is None:
            self.write_product(in_memory_dataset, uri.ospath)
        else:
            os.replace(ahead, uri.ospath)


class StagingButler:
    """A butler that writes files of products ahead; in all else it is the one that it is made of."""

    def __init__(self, butler: LimitedButler) -> None:
        self._butler = butler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._butler, name)

    def put(self, obj: Any, ref: DatasetRef, /, *, provenance: Any = None) -> DatasetRef:
        """Store and register a dataset."""
        with _written_ahead(self._butler, obj, ref, provenance):
            return self._butler.put(obj, ref, provenance=provenance)


@contextmanager
def _written_ahead(butler: LimitedButler, obj: Any, ref: DatasetRef, provenance: Any) -> Iterator[None]:
    formatter, folder = _formatter_of(butler, ref, provenance)
    known = isinstance(formatter, StagedFormatter)
    if not (known and (formatter.can_accept(obj) or isinstance(obj, ref.datasetType.storageClass.pytype))):
        yield
        return
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f".{uuid4()}{formatter.get_write_extension()}")
    try:
        formatter.write_product(formatter.add_provenance(obj, provenance=provenance), path)
        _staged[ref.id] = path
        yield
    finally:
        _staged.pop(ref.id, None)
        with suppress(FileNotFoundError):
            os.remove(path)


def _formatter_of(butler: LimitedButler, ref: DatasetRef, provenance: Any) -> tuple[Any, str]:
    """What will write the dataset, and the folder that it goes to; None where that is on no local disk."""
    datastore: Any = getattr(butler, "_datastore", None)
    if not hasattr(datastore, "_determine_put_formatter_location"):  # several datastores, or one in memory
        return None, ""
    location, formatter = datastore._determine_put_formatter_location(
        datastore._cast_storage_class(ref), provenance
    )
    return (formatter, location.uri.dirname().ospath) if location.uri.isLocal else (None, "")
