"""Existing masters taken in as certified calibrations, so that verification can begin on the first day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiducial.repository.certify import Certification


def adopt(
    root: str | Path,
    kind: str,
    files: Sequence[str | Path],
    *,
    begin: str,
    end: str | None = None,
    unit: str | None = None,
    detector: int | None = None,
    physical_filter: str | None = None,
    state: Mapping[str, str | float] | None = None,
    instrument: str | None = None,
) -> Certification:
    """Take plain FITS masters in as certified calibrations.

    Parameters
    ----------
    root
        Folder of the repository.
    kind
        bias, dark or flat.
    files
        One file per detector (and filter).
    begin, end
        Validity, ISO 8601 (TAI); end None is open.
    unit
        Of the pixels, where a file has no BUNIT.
    detector, physical_filter
        Of the files, where their headers do not say.
    state
        The camera state the masters were made in, where their headers do not say: ``{"SET-TEMP": -5}``.

    Raises
    ------
    FrameError
        A file cannot be read or is not of this camera's shape.
    RepositoryError
        Its validity overlaps another's in the same collection.
    """
    from fiducial.repository import Repository

    with Repository.open(root, writeable=True, instrument=instrument) as repository:
        return repository.adopt(
            kind,
            files,
            begin=begin,
            end=end,
            unit=unit,
            detector=detector,
            physical_filter=physical_filter,
            state=state,
        )
