"""Raw frames taken in: the files are found, and each is used, known already, or refused with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.errors import UsageError
from fiducial.service.progress import Progress, Silent

if TYPE_CHECKING:
    from fiducial.repository import IngestReport

ENDINGS = (".fits", ".fit", ".fts", ".fits.fz", ".fits.gz", ".fit.gz")


def ingest(
    root: str | Path,
    files: Iterable[str | Path],
    *,
    transfer: str = "direct",
    instrument: str | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Take raw frames in, where they are.

    Parameters
    ----------
    root
        Folder of the repository.
    files
        Files and folders; of a folder, every file below it with a FITS ending.
    transfer
        ``direct`` (used where they are), ``symlink``, ``hardlink`` or ``copy``.
    instrument
        Name of the camera, where the repository holds several.
    progress
        Told of each file.

    Returns
    -------
    IngestReport
        Every file stands in it once: used, there already, or refused with the reason.
    """
    from fiducial.repository import Repository

    paths = found(files)
    told = progress or Silent()
    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        told.begin("reading frames", len(paths))
        try:
            return repository.ingest(paths, transfer=transfer, progress=lambda done, total: told.step())
        finally:
            told.end()


def found(files: Iterable[str | Path]) -> list[Path]:
    """List the files named, and of folders every file with a FITS ending, in order of their names.

    A file is named once, however often it was found. One that is named but not there stays in the
    list: reading it will say so, and the others go on.
    """
    paths: dict[Path, None] = {}
    named = list(files)
    for name in named:
        path = Path(name)
        if path.is_dir():
            below = (p for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(ENDINGS))
            paths |= dict.fromkeys(sorted(p.absolute() for p in below))
        else:
            paths[path.absolute()] = None
    if not paths:
        where = f"no raw frames are below {', '.join(map(str, named))}" if named else "no files are named"
        raise UsageError(where, hint=f"a folder is searched for {', '.join(ENDINGS)}")
    return list(paths)
