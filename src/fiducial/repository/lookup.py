"""Looking around in a repository: collections, the runs of a chain, the datasets of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType, MissingCollectionError, MissingDatasetTypeError

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

IMAGE_STORAGE = "CalibrationImage"


def collections_below(butler: Butler, prefix: str) -> list[str]:
    """List the names of all collections that begin with a prefix."""
    return sorted(butler.collections.query(f"{prefix}*", include_chains=True))


def runs_of(butler: Butler, chain: str) -> list[str]:
    """List the runs that a chain of outputs wrote itself, the newest first; none without such a chain."""
    try:
        children = butler.collections.get_info(chain).children
    except MissingCollectionError:
        return []
    return [name for name in children if name.startswith(f"{chain}/")]


def inputs_of(butler: Butler, chain: str) -> set[str]:
    """List the runs that a chain of outputs holds beside its own: those that it read."""
    try:
        found = butler.collections.query(chain, flatten_chains=True, collection_types=CollectionType.RUN)
    except MissingCollectionError:
        return set()
    return {name for name in found if not name.startswith(f"{chain}/")}


def certified_in(butler: Butler, chain: str) -> list[str]:
    """List the calibration collections of a chain in the order in which they are searched."""
    try:
        return list(
            butler.collections.query(chain, flatten_chains=True, collection_types=CollectionType.CALIBRATION)
        )
    except MissingCollectionError:
        return []


def datasets(butler: Butler, dataset_type: str, collection: str) -> list[DatasetRef]:
    """List the datasets of a type in a collection in the order of their data; none if there is neither."""
    if not collection:
        return []
    try:
        found = butler.query_datasets(dataset_type, collection, explain=False, limit=None)
    except (MissingDatasetTypeError, MissingCollectionError):
        return []
    return sorted(found, key=lambda ref: str(dict(ref.dataId.required)))


def image_types(butler: Butler) -> list[str]:
    """List the dataset types that are image products."""
    types = butler.registry.queryDatasetTypes("*")
    return sorted(t.name for t in types if t.storageClass_name == IMAGE_STORAGE)


def top_of(butler: Butler, collections: Iterable[str]) -> list[str]:
    """List the calibration collections and chains among some that no other one of them contains."""
    infos = [butler.collections.get_info(name) for name in collections]
    below = {child for info in infos for child in info.children}
    wanted = (CollectionType.CHAINED, CollectionType.CALIBRATION)
    return [info.name for info in infos if info.type in wanted and info.name not in below]
