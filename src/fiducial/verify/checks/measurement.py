"""What a check returns."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number that a check measured.

    Parameters
    ----------
    test
        Name of the test, as the criteria call it.
    value, uncertainty, unit
        The number, its standard error and its unit ("" for a ratio or a count).
    n_pixels
        Pixels that went in.
    applicable
        False where the number has no meaning for this frame; ``note`` says why.
    reference
        What the limit depends on, where it does: see `fiducial.verify.rows.Row`.
    square, square_uncertainty
        Of structure tests: the excess variance, which may be negative, and its standard error.
    """

    test: str
    value: float
    uncertainty: float
    unit: str
    n_pixels: int
    applicable: bool = True
    note: str = ""
    reference: float = math.nan
    square: float = math.nan
    square_uncertainty: float = math.nan


def not_applicable(test: str, unit: str, note: str, n_pixels: int = 0) -> Measurement:
    """The measurement that could not be made, with the reason."""
    return Measurement(test, math.nan, math.nan, unit, n_pixels, applicable=False, note=note)
