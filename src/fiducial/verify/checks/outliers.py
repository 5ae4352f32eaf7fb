"""Outliers: pixels beyond five sigma."""

from __future__ import annotations

import math

import numpy as np

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Subject

GAUSSIAN_TAIL = 5.733e-7
"""Share of Gaussian values beyond 5 sigma, both sides."""


@check("bias", "dark", "flat")
def outliers(subject: Subject) -> list[Measurement]:
    """Count of abs(z) > 5 about the median of z, against the number expected.

    Masked pixels are no outliers. Expected are the Gaussian tail, the known defects that no mask
    excludes, and the pixels hit by cosmic rays during exposure and readout. ``reference`` is the expected
    number, ``uncertainty`` its square root.
    """
    frame, references = subject.residual, subject.references
    n = int(np.count_nonzero(frame.usable))
    if n == 0:
        return [not_applicable("outliers", "pixel", "no usable pixel")]
    expected = GAUSSIAN_TAIL * n + references.known_defects + references.cosmic_ray_pixels
    count = float(n - frame.n_kept)
    return [Measurement("outliers", count, math.sqrt(expected), "pixel", n, reference=expected)]
