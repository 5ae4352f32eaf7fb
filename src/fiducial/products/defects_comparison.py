"""Two sets of defects of one detector: what appeared, what went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.products.defects import REPORTED, DefectSet


@dataclass(frozen=True, slots=True)
class Change:
    """How many pixels one reason has, before and now."""

    reason: str
    before: int
    now: int
    appeared: int
    went: int


@dataclass(frozen=True, eq=False)
class DefectComparison:
    """What is different between two sets.

    Attributes
    ----------
    changes
        For each reason, and last for ``any``: what is masked, whatever the reason.
    appeared, went
        Boxes of the pixels, reason by reason.
    pixels_appeared, pixels_went
        Of what is masked, whatever the reason: shape (ny, nx).
    """

    changes: tuple[Change, ...]
    appeared: DefectSet
    went: DefectSet
    pixels_appeared: NDArray[np.bool_]
    pixels_went: NDArray[np.bool_]

    @property
    def same(self) -> bool:
        """Whether the same pixels have the same reasons."""
        return not (len(self.appeared.reasons) or len(self.went.reasons))

    @property
    def total(self) -> Change:
        """The change of what is masked."""
        return self.changes[-1]


def compare_defects(now: DefectSet, before: DefectSet) -> DefectComparison:
    """Compare two sets of defects.

    Raises
    ------
    ValueError
        They are of different detectors or shapes.
    """
    now.require_same_detector(before)
    names = tuple(dict.fromkeys((*now.names(), *before.names())))
    appeared: dict[str, NDArray[np.bool_]] = {}
    went: dict[str, NDArray[np.bool_]] = {}
    changes = []
    for name in names:
        new, old = now.mask_of(name), before.mask_of(name)
        appeared[name], went[name] = new & ~old, old & ~new
        changes.append(_change(name, new, old))
    new, old = now.mask(), before.mask()
    changes.append(_change("any", new, old))
    return DefectComparison(tuple(changes), _like(now, appeared), _like(now, went), new & ~old, old & ~new)


def _change(name: str, new: NDArray[np.bool_], old: NDArray[np.bool_]) -> Change:
    counts = [int(np.count_nonzero(mask)) for mask in (old, new, new & ~old, old & ~new)]
    return Change(name, *counts)


def _like(defects: DefectSet, masks: Mapping[str, NDArray[np.bool_]]) -> DefectSet:
    return DefectSet.from_masks(
        masks, instrument=defects.instrument, detector=defects.detector, shape=defects.shape
    )


def counts_by_reason(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of what is masked only: without ``any`` and what is told only."""
    return {name: count for name, count in counts.items() if name != "any" and name not in REPORTED}
