"""Bundles between sites: certified calibrations out, and in after every checksum is checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.repository.export import Bundle


def export(root: str | Path, collection: str, folder: str | Path, *, instrument: str | None = None) -> Bundle:
    """Write the certified calibrations of a collection into a bundle with checksums.

    Parameters
    ----------
    root
        Folder of the repository.
    collection
        A chain or calibration collection, such as ``CAMERA/calib/TICKET``.
    folder
        Where to; it must not exist, or be empty.
    """
    from fiducial.repository import Repository

    with Repository.open(root, instrument=instrument) as repository:
        return repository.export(collection, folder)


def import_bundle(root: str | Path, folder: str | Path, *, instrument: str | None = None) -> Bundle:
    """Take a bundle of another site in, once every checksum in it is checked, and put it first.

    Raises
    ------
    IntegrityError
        A file is missing, changed, or wants to be read by code that is not known to be safe.
    """
    from fiducial.repository import Repository
    from fiducial.repository.lookup import top_of

    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        bundle = repository.import_(folder)
        repository.prepend_chain(
            f"{repository.instrument}/calib", top_of(repository.butler, bundle.collections)
        )
        return bundle
