"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from fiducial.errors import StorageError

_HINTS = {
    errno.ENOSPC: "The disk is full: free some space, or write elsewhere.",
    errno.EDQUOT: "The disk quota is used up: free some space, or write elsewhere.",
    errno.EFBIG: "The file is larger than the limit set for this process or filesystem.",
    errno.EROFS: "The filesystem is read-only: write elsewhere.",
    errno.EACCES: "You may not write there: change the folder's permissions, or write elsewhere.",
    errno.EPERM: "You may not write there: change the folder's permissions, or write elsewhere.",
    errno.EEXIST: "A file stands where a folder is needed.",
    errno.ENOTDIR: "A file stands where a folder is needed.",
    errno.EISDIR: "A folder of that name is in the way.",
    errno.EIO: "The disk reports an error: look at it before you go on.",
}


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file beside its place and move it there when it is complete and on the disk.

    Inside the block write to the path given; folders above it are made. When the block ends well the
    bytes are synced and renamed over ``path``; when it does not, the temporary file is removed and
    whatever stood at ``path`` stays. A process killed meanwhile leaves at most a hidden temporary
    file (``.NAME.XXXXXXXX.part``), never half a file at ``path``.

    Raises
    ------
    StorageError
        The disk is full, read-only, or may not be written; the error names the path.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)
    except OSError as error:
        if error.errno in _HINTS:
            raise storage_error(target, error) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def storage_error(path: str | os.PathLike[str], error: OSError) -> StorageError:
    """The StorageError for a failed write to a path, with what to do about it."""
    reason = error.strerror or str(error)
    hint = _HINTS.get(error.errno or 0, "Look at the disk and the folder's permissions.")
    return StorageError(f"{os.fspath(path)} cannot be written: {reason}", hint=hint)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
