"""The noise without cosmic rays, shown beside the noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_propagation

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.noise import FEWEST, width_error
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Z_LIMIT, Residual, Subject

GROWN_TO = 2.0
"""A cosmic ray takes with it all touching pixels above so many sigma."""


@check("bias", "dark", "flat")
def noise_clean(subject: Subject) -> list[Measurement]:
    """rms(z - mean z) - 1 where each pixel above 5 sigma has taken its bright neighbours with it."""
    frame = subject.residual
    clean = frame.kept & ~cosmic_rays(frame)
    n = int(np.count_nonzero(clean))
    if n < FEWEST:
        return [not_applicable("noise_clean", "", f"{n} usable pixels are too few", n)]
    value = float(np.std(frame.z[clean], dtype=np.float64)) - 1.0
    return [Measurement("noise_clean", value, width_error(frame, n), "", n)]


def cosmic_rays(frame: Residual) -> NDArray[np.bool_]:
    """Pixels above 5 sigma, with all those above 2 sigma that touch them, directly or through others.

    Hysteresis thresholding: Canny 1986 (IEEE TPAMI 8, 679), section VIII.
    """
    above = frame.z - np.float32(frame.centre)
    seeds = frame.usable & (above > Z_LIMIT)
    if not seeds.any():
        return seeds
    candidates = frame.usable & (above > GROWN_TO)
    return np.asarray(binary_propagation(seeds, structure=np.ones((3, 3), bool), mask=candidates))
