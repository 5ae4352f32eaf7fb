"""Whether a repository is whole after something went wrong: nothing in it is half there."""

from __future__ import annotations

from pathlib import Path

from lsst.daf.butler import CollectionType

from fiducial.repository import Repository
from fiducial.service import content_hashes


def assert_whole(root: Path) -> list[str]:
    """Everything that a repository says it has can be read; what was certified is intact.

    Returns
    -------
    list of str
        The products that are visible, ``bias detector=0`` and the like, by the runs they are in.
    """
    with Repository.open(root) as repository:
        store = repository.butler
        runs = list(store.collections.query("*", collection_types=CollectionType.RUN))
        visible = []
        for dataset_type in store.registry.queryDatasetTypes("*"):
            if dataset_type.component():
                continue
            for ref in store.query_datasets(dataset_type, runs, find_first=False, explain=False, limit=None):
                assert store.stored(ref), f"{ref} has no file"
                product = store.get(ref)
                if dataset_type.name == "raw":
                    product.close()
                visible.append(f"{ref.run} {dataset_type.name}")
        assert repository.audit().clean
        repository.history()
        return visible


def hashes_of(root: Path, run: str, kind: str = "bias") -> dict[str, str]:
    """Content hashes of the products of a run; both detectors are there."""
    found = content_hashes(root, run, [kind])
    assert len(found) == 2
    return found
