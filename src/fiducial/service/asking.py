"""Questions that change nothing: what is valid when, what was done, what is equal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.repository.ledger import Entry
    from fiducial.repository.validity import Validity


def timeline(root: str | Path, *, instrument: str | None = None) -> list[Validity]:
    """List what is certified, when it is valid, and in which order it is found."""
    from fiducial.repository import Repository

    with Repository.open(root, instrument=instrument) as repository:
        return list(repository.timeline())


def history(root: str | Path) -> list[Entry]:
    """List every step that was taken on a repository, the oldest first.

    Raises
    ------
    IntegrityError
        The ledger was edited.
    """
    from fiducial.repository.client import is_repository
    from fiducial.repository.ledger import Ledger

    if not is_repository(Path(root)):
        from fiducial.errors import RepositoryError

        raise RepositoryError(
            f"{root} is no repository", hint=f"Make one: fiducial init {root} --camera CAMERA"
        )
    return Ledger(Path(root)).history()


def content_hashes(
    root: str | Path, collection: str, kinds: Sequence[str] = (), *, instrument: str | None = None
) -> dict[str, str]:
    """Compute the content hash of the image products of a collection.

    Parameters
    ----------
    root
        Folder of the repository.
    collection
        Where to look.
    kinds
        Dataset types; none: every image product there is.

    Returns
    -------
    dict
        ``bias detector=0`` and the like to SHA-256 of pixels and science cards.
    """
    from fiducial.products.images import content_hash
    from fiducial.repository import Repository
    from fiducial.repository.lookup import datasets, image_types

    with Repository.open(root, instrument=instrument) as repository:
        wanted = kinds or image_types(repository.butler)
        refs = [ref for kind in wanted for ref in datasets(repository.butler, kind, collection)]
        return {
            f"{ref.datasetType.name} "
            + " ".join(
                f"{k}={v}" for k, v in dict(ref.dataId.required).items() if k != "instrument"
            ): content_hash(repository.butler.get(ref))
            for ref in sorted(refs)
        }
