"""Which of the products of a detector is under test, and which was there before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fiducial.products import metadata as meta


class OfDetector(Protocol):
    """A product of one detector that says when it was made."""

    @property
    def detector(self) -> int:
        """Id of the detector."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Scalars of its header."""
        ...


def newest_and_previous[P: OfDetector](products: Sequence[P]) -> tuple[list[P], dict[int, P]]:
    """Of each detector the one made last, which is under test, and the one made before, if any."""
    by_detector: dict[int, list[P]] = {}
    for one in sorted(products, key=lambda p: str(p.metadata.get(f"{meta.RUN}CREATED", ""))):
        by_detector.setdefault(one.detector, []).append(one)
    now = [own[-1] for own in by_detector.values()]
    return now, {detector: own[-2] for detector, own in by_detector.items() if len(own) > 1}
