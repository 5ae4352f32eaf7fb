"""How much a page may hold: which detectors are shown in full, and how fine their images are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fiducial.reports.model import ReportData
from fiducial.reports.rows import Measurements

LARGEST_PAGE = 14_000_000  # characters; the limit promised is 15 MB
IMAGES_OF_MASTERS = 7_000_000  # of these, for masters, their uncertainty and their comparison
BYTES_PER_PIXEL = 1.0  # of a noisy image with a palette, in base64
FOCAL_PLANES = 1_500_000  # pixels of all focal planes of a page


@dataclass(frozen=True)
class Room:
    """What one section of the page may hold.

    Parameters
    ----------
    detectors
        So many are shown in full, the worst ones first; all are on the focal plane.
    largest
        Pixels along the longer side of the image of a master.
    focal_plane
        Pixels of the image of a focal plane, over all detectors.
    sections
        Of the page, which share what is left for residual images.
    """

    detectors: int
    largest: int
    focal_plane: int
    sections: int

    @classmethod
    def of(cls, reports: Sequence[ReportData]) -> Room:
        """Share the page between its sections."""
        sections = max(len(reports), 1)
        detectors = int(np.clip(24 // sections, 2, 9))
        shown = sum(min(len(data.masters), detectors) for data in reports)
        pixels = IMAGES_OF_MASTERS / BYTES_PER_PIXEL / max(shown, 1)
        # One image at the full size and four at half of it: two pixels for each of the first.
        return cls(
            detectors=detectors,
            largest=int(np.clip(np.sqrt(pixels / 2.0), 192, 768)),
            focal_plane=FOCAL_PLANES // max(sections, 3),
            sections=sections,
        )


def detectors_shown(data: ReportData, results: Measurements, room: Room) -> tuple[int, ...]:
    """The detectors shown in full: all in order where there is room, else the worst ones first."""
    known = sorted(set(data.masters) | set(data.residuals))
    if len(known) <= room.detectors:
        return tuple(known)
    judged = results.judged()
    badness = {detector: _badness(judged, detector) for detector in known}
    failed = failed_detectors(data.verdict)
    order = sorted(known, key=lambda detector: (detector not in failed, badness[detector], detector))
    return tuple(order[: room.detectors])


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
