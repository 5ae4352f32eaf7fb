"""Opening the middleware's client on a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsst.daf.butler import Butler, CollectionType, MissingCollectionError
from lsst.resources import ResourcePath

from fiducial.errors import RepositoryError
from fiducial.repository.recover import roll_back
from fiducial.repository.storage import storage_errors


def is_repository(root: Path) -> bool:
    """Whether a folder holds a repository."""
    return (root / "butler.yaml").is_file()


def folder_uri(root: Path) -> ResourcePath:
    """The folder as the middleware wants it said: a name with a dot would pass for a file."""
    return ResourcePath(str(root.absolute()), forceDirectory=True)


def open_butler(root: Path, *, writeable: bool) -> Butler:
    """A client; use it in a ``with`` block or close it."""
    with storage_errors(root):
        if not writeable:
            roll_back(root)
        return Butler.from_config(folder_uri(root), writeable=writeable)


def collection_type(butler: Butler, name: str) -> CollectionType | None:
    """The type of a collection, or None if there is none of this name."""
    try:
        return butler.collections.get_info(name).type
    except MissingCollectionError:
        return None


def require_collections(butler: Butler, names: Iterable[str]) -> None:
    """Refuse names of collections that do not exist."""
    missing = [name for name in names if collection_type(butler, name) is None]
    if missing:
        raise RepositoryError(
            f"there is no collection {', '.join(missing)}",
            hint="`butler query-collections REPO` lists those there are.",
        )
