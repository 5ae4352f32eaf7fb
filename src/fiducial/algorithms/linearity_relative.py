"""A departure from proportionality that is linear between nodes of the logarithm of the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.algorithms.arrays import Float64

_LEAST = 1e-6  # of a signal whose logarithm is taken


@dataclass(frozen=True, slots=True, eq=False)
class RelativeCurve:
    """Signal against what proportionality gives: f(x) = x (1 + r(x)), r linear in log x between nodes.

    Attributes
    ----------
    nodes : (j,) float64
        Increasing; r is constant beyond the first and the last.
    """

    nodes: Float64

    def weights(self, x: Float64) -> tuple[Float64, Float64]:
        """How much of each node's r counts at x, and the derivative of that by log x: (..., j) both."""
        place = np.log(self.nodes)
        at = np.log(np.maximum(x, _LEAST))
        left = np.clip(np.searchsorted(place, at, side="right") - 1, 0, len(place) - 2)
        width = np.diff(place)[left]
        share = (at - place[left]) / width
        inside = (share > 0.0) & (share < 1.0)
        share = np.clip(share, 0.0, 1.0)
        weights, slopes = np.zeros((*x.shape, len(place))), np.zeros((*x.shape, len(place)))
        slope = np.where(inside, 1.0 / width, 0.0)
        for number, part, change in ((left, 1.0 - share, -slope), (left + 1, share, slope)):
            np.put_along_axis(weights, number[..., None], part[..., None], axis=-1)
            np.put_along_axis(slopes, number[..., None], change[..., None], axis=-1)
        return weights, slopes
