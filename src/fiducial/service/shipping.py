"""Bundles between sites: certified calibrations out, and in after every checksum is checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.repository import Bundle


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
        bundle = repository.export(collection, folder)
        repository.ledger.append(
            "export",
            instrument=repository.instrument,
            inputs={"collection": collection, "folder": str(folder)},
        )
        return bundle


def import_bundle(root: str | Path, folder: str | Path, *, instrument: str | None = None) -> Bundle:
    """Take a bundle of another site in, after every checksum in it is checked.

    Raises
    ------
    IntegrityError
        A file is missing, changed, or wants to be read by code that is not known to be safe.
    """
    from fiducial.repository import Repository

    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        return repository.import_(folder)
