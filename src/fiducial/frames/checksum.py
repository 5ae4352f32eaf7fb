"""SHA-256 of a file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from fiducial.errors import UnreadableFrame


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits; UnreadableFrame if it cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFrame(
            f"{os.fspath(path)} cannot be read: {error.strerror or error}",
            hint="Does it exist, and may you read it?",
            file=os.fspath(path),
        ) from error
