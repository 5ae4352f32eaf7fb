"""How values of many amplifiers are said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fiducial.reports.numbers import NOTHING, number

MOST_NAMED = 8


def span(values: Sequence[float], unit: str = "", digits: int = 4) -> str:
    """``1.45 to 1.62 electron/adu``; one number where there is one; a dash where there is none."""
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return NOTHING
    low, high = number(float(known.min()), digits), number(float(known.max()), digits)
    return f"{low if low == high else f'{low} to {high}'} {unit}".rstrip()


def middle(values: Sequence[float], digits: int = 4) -> str:
    """The median of what is known."""
    known = [value for value in values if np.isfinite(value)]
    return number(float(np.median(known)) if known else None, digits)


def named(reasons: Mapping[str, str]) -> str:
    """``A: dead; B: no light``, and how many more."""
    said = [f"{name}: {reason}" for name, reason in list(reasons.items())[:MOST_NAMED]]
    more = len(reasons) - MOST_NAMED
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)
