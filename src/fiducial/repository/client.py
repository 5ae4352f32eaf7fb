"""Opening the middleware's client on a folder."""

from __future__ import annotations

from pathlib import Path

from lsst.daf.butler import Butler
from lsst.resources import ResourcePath

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
        return Butler.from_config(folder_uri(root), writeable=writeable)
