"""Outliers: pixels beyond five sigma."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Z_LIMIT, Subject

CLIPPED_BEYOND = 3.0
"""Sigmas beyond which stacks leave out a value; those that clip later have fewer outliers than expected."""


@check("bias", "dark", "flat")
def outliers(subject: Subject) -> list[Measurement]:
    """Count of abs(z) > 5 about the median of z, against the number expected.

    Masked pixels are no outliers. Expected are the Gaussian tail (`tail`), the known defects that no mask
    excludes, and the pixels hit by cosmic rays during exposure and readout. ``reference`` is the expected
    number, ``uncertainty`` its square root.
    """
    frame, references = subject.residual, subject.references
    n = int(np.count_nonzero(frame.usable))
    if n == 0:
        return [not_applicable("outliers", "pixel", "no usable pixel")]
    expected = tail(frame.factor) * n + references.known_defects + references.cosmic_ray_pixels
    count = float(n - frame.n_kept)
    return [Measurement("outliers", count, math.sqrt(expected), "pixel", n, reference=expected)]


def tail(factor: float) -> float:
    """Share of Gaussian values expected beyond 5 sigma, both sides.

    A value that is left out of the stack does not pull the mean: against the mean of the others the
    frame's residual is 1 / (1 - f) times what it was, f the master's share of the variance. So of a frame
    that is in a master of N frames, values beyond 5 (1 - 1/N) sigma come out beyond 5, if they are clipped:
    2.7e-3 of them for N = 2, 9e-6 for N = 9, 5.7e-7 for many.

    Parameters
    ----------
    factor
        1 - f for a frame that is in the master, above 1 for one that is not.
    """
    if factor >= 1.0:
        return float(2.0 * norm.sf(Z_LIMIT))
    return float(2.0 * norm.sf(max(CLIPPED_BEYOND, Z_LIMIT * factor)))
