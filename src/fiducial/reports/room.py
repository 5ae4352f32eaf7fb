"""How much a page may hold: which detectors are shown in full, and how fine their images are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.reports.model import ReportData
from fiducial.reports.rows import Measurements

LARGEST_PAGE = 13_500_000  # characters of all figures and images; 15 MB is the limit promised
IMAGES_OF_MASTERS = 5_000_000  # of these, for masters, their uncertainty and their comparison
FOCAL_PLANES = 1_500_000  # pixels of all focal planes of a page
SHOWN_IN_FULL = 12  # detectors of the whole page; figures take time and room
AMPLIFIERS_IN_FULL = 64  # of one section of curves; each takes a tenth of a second


@dataclass(frozen=True)
class Room:
    """What one section of the page may hold.

    Parameters
    ----------
    detectors
        So many are shown in full, the worst ones first; all are on the focal plane.
    master, residual
        Pixels along the longer side of the image of a master, and of a residual in a figure.
    focal_plane
        Pixels of the image of a focal plane, over all detectors.
    """

    detectors: int
    master: int
    residual: int
    focal_plane: int

    @classmethod
    def of(cls, reports: Sequence[ReportData]) -> Room:
        """Share the page between its sections."""
        sections = max(len(reports), 1)
        detectors = int(np.clip(SHOWN_IN_FULL // sections, 2, 9))
        shown = max(sum(min(len(data.masters), detectors) for data in reports), 1)
        # A noisy pixel takes one character. One image of the master at full size and four at half of
        # it (uncertainty, mask, difference, ratio) are two pixels for each of the first.
        return cls(
            detectors=detectors,
            master=int(np.clip(np.sqrt(IMAGES_OF_MASTERS / shown / 2.0), 192, 768)),
            residual=512 if shown <= 2 else 256 if shown <= SHOWN_IN_FULL else 160,
            focal_plane=FOCAL_PLANES // max(sections, 3),
        )


def detectors_in_full(data: ReportData, room: Room) -> int:
    """How many detectors of a section are shown in full: fewer where each has many curves."""
    if not data.products:
        return room.detectors
    most = max(len(data.camera.amplifiers(detector)) for detector in data.products)
    return int(np.clip(AMPLIFIERS_IN_FULL // most, 1, room.detectors))


def worst_detectors(data: ReportData, results: Measurements, most: int) -> tuple[int, ...]:
    """All detectors in order where they are not too many, else so many of the worst, worst first."""
    known = data.detectors
    if len(known) <= most:
        return known
    judged = results.judged()
    badness = {detector: _badness(judged, detector) for detector in known}
    failed = failed_detectors(data.verdict)
    order = sorted(known, key=lambda detector: (detector not in failed, badness[detector], detector))
    return tuple(order[:most])


def failed_detectors(verdict: Mapping[str, Any] | None) -> frozenset[int]:
    """The detectors whose product fails by the verdict."""
    products = (verdict or {}).get("products")
    if not isinstance(products, list | tuple):
        return frozenset()
    return frozenset(
        int(entry["detector"])
        for entry in products
        if isinstance(entry, Mapping) and entry.get("verdict") == "fail" and "detector" in entry
    )


def _badness(judged: Measurements, detector: int) -> float:
    margins = judged["margin"][judged["detector"] == detector]
    margins = margins[np.isfinite(margins)]
    return float(margins.min()) if margins.size else float("inf")
