"""Level: the mean of the residual (bias, dark)."""

from __future__ import annotations

import math

import numpy as np

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Subject


@check("bias", "dark")
def level(subject: Subject) -> list[Measurement]:
    """Mean of r over the pixels whose z is within 5 of its median.

    Its uncertainty is sqrt(c1 sigma^2 / n + kappa RN^2 / (n_os n_rows)): the pixels' noise with its
    correlation, and the error of the overscan's level, which all pixels share.
    """
    frame = subject.residual
    n = frame.n_kept
    if n == 0:
        return [not_applicable("level", frame.unit, "no usable pixel")]
    kept = frame.kept
    pixel_variance = (
        float(np.mean(np.square(frame.sigma[kept]), dtype=np.float64))
        - frame.row_variance
        - frame.column_variance
    )
    error = math.sqrt(frame.correlation.c1 * max(pixel_variance, 0.0) / n + frame.level_variance)
    value = float(np.mean(frame.residual[kept], dtype=np.float64))
    return [Measurement("level", value, error, frame.unit, n)]
