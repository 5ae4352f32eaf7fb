"""All readings that a repository can give; no pixel is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.trends.from_frames import readings_of_frames
from fiducial.trends.from_ingest import readings_of_ingest
from fiducial.trends.from_masters import readings_of_masters
from fiducial.trends.from_products import readings_of_products
from fiducial.trends.known import look_around
from fiducial.trends.readings import Reading, best_of_night

if TYPE_CHECKING:
    from fiducial.repository import Repository


def gather_readings(
    repository: Repository, detectors: Sequence[int] = ()
) -> tuple[list[Reading], tuple[str, ...]]:
    """Every reading of every night, of some detectors or all, and what could not be used, with the reason.

    Tables of verification, headers of masters, tables of defects and photon transfer, and what ingest noted.
    """
    known = look_around(repository, detectors)
    readings = [
        *readings_of_frames(repository, known),
        *readings_of_masters(known),
        *readings_of_products(repository, known),
        *readings_of_ingest(repository, known),
    ]
    return best_of_night(readings), tuple(known.left_out)
