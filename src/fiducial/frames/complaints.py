"""Complaints of the FITS library, turned into errors that name the file and HDU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fiducial.errors import FiducialError, UnreadableFrame


@contextmanager
def naming(path: str, hdu: str | int, what: str, hint: str = "") -> Iterator[None]:
    """Give whatever the library raises inside the block the name of the file and HDU.

    A corrupt file can make a FITS library fail in any way (KeyError, struct.error, zlib.error, ...);
    each of them is the file's fault and is raised again as `UnreadableFrame`, never swallowed.
    """
    try:
        yield
    except (FiducialError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableFrame(
            f"{Path(path).name}: {what} of HDU {hdu} cannot be read: {type(error).__name__}: {error}",
            hint=hint or "The file is corrupt; copy it again from where it was taken.",
            file=path,
            hdu=hdu,
        ) from error
