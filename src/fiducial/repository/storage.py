"""A full disk or a folder that may not be written, whoever complains of it, becomes our error."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from fiducial.errors import FiducialError, StorageError, chain_of, first_of_ours

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_FULL_TEXTS = ("database or disk is full", "disk I/O error")
_FORBIDDEN_TEXTS = ("readonly database", "unable to open database file")


def storage_cause(error: BaseException, where: str | os.PathLike[str]) -> StorageError | None:
    """What a complaint says about the disk, as our error; None if it is about something else."""
    for link in chain_of(error):
        if isinstance(link, StorageError):
            return link
        text = str(link) if isinstance(link, OperationalError) else ""
        number = link.errno if isinstance(link, OSError) else None
        if number in _FULL or any(phrase in text for phrase in _FULL_TEXTS):
            return StorageError(
                f"{where}: no space left ({link})".splitlines()[0],
                hint="Free some space, or raise the quota, and run the command again.",
            )
        if number in _FORBIDDEN or any(phrase in text for phrase in _FORBIDDEN_TEXTS):
            return StorageError(
                f"{where}: may not be written ({link})".splitlines()[0],
                hint="Ask the owner for write permission on the folder and the files in it.",
            )
        if "database is locked" in text:
            return StorageError(
                f"{where}: the registry is locked by another process",
                hint="Wait until the other command has ended, and run this one again.",
            )
    return None


@contextmanager
def storage_errors(where: str | os.PathLike[str]) -> Iterator[None]:
    """Turn every complaint about the disk into `~fiducial.errors.StorageError`.

    Errors of ours that the middleware has wrapped come out unwrapped; all others pass unchanged.

    Parameters
    ----------
    where
        What was being written, for the message.
    """
    try:
        yield
    except FiducialError:
        raise
    except Exception as error:
        if (ours := first_of_ours(error) or storage_cause(error, where)) is not None:
            raise ours from error
        raise
