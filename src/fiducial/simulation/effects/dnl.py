"""Differential non-linearity: an analogue to digital converter whose codes are not equally wide."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.simulation.settings import Strict

_MOST = 0.45  # adu that an edge may be away from its place: edges stay in order


class DifferentialNonLinearity(Strict):
    """Errors of the edges between codes. They do not add up: the curve as a whole stays straight."""

    sigma: float = Field(default=0.05, ge=0, le=0.2)  # adu, of each edge
    odd_even: float = Field(default=0.1, ge=-0.4, le=0.4)  # even codes wider, odd ones narrower by this
    bits: int = Field(default=16, ge=8, le=20)


def draw_edges(settings: DifferentialNonLinearity, rng: np.random.Generator) -> np.ndarray:
    """Lower edge of each code, and the upper edge of the last: (2^bits + 1,) float32, adu minus code.

    Code k holds what is between k + edges[k] and k + 1 + edges[k + 1]; an ideal converter has edges
    of -0.5.
    """
    codes = 1 << settings.bits
    alternating = np.where(np.arange(codes + 1) % 2 == 0, -0.5, 0.5) * settings.odd_even
    error = alternating + settings.sigma * rng.standard_normal(codes + 1)
    edges: np.ndarray = np.clip(error, -_MOST, _MOST).astype(np.float32) - np.float32(0.5)
    return edges


def widths(edges: np.ndarray) -> np.ndarray:
    """Width of each code in adu: float64."""
    result: np.ndarray = 1.0 + np.diff(edges.astype(np.float64), axis=-1)
    return result


def convert(signal: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Codes of an analogue signal in adu: float32 whole numbers between 0 and the last code."""
    last = len(edges) - 2
    code = np.clip(np.rint(signal), 0, last).astype(np.int32)
    # An edge is less than half a code out of place, so the code is right or the one beside it.
    above = signal >= (code + 1) + edges[code + 1]
    below = signal < code + edges[code]
    result: np.ndarray = np.clip(code + above - below, 0, last).astype(np.float32)
    return result
