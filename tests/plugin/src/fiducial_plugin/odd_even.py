"""Odd and even columns: two halves of a video chain that do not settle alike."""

from __future__ import annotations

import math

import numpy as np

from fiducial.verify.checks import Measurement, check, not_applicable
from fiducial.verify.window import Subject


@check("bias")
def odd_even(subject: Subject) -> list[Measurement]:
    """Mean residual of the odd columns minus that of the even ones, over the pixels kept.

    Its uncertainty is sqrt(s^2 / n_odd + s^2 / n_even) with the mean square s^2 of the expected sigmas.
    """
    frame = subject.residual
    odd = frame.kept.copy()
    odd[:, 1::2] = False  # the first column is number 1
    even = frame.kept & ~odd
    counts = int(np.count_nonzero(odd)), int(np.count_nonzero(even))
    if 0 in counts:
        return [not_applicable("odd_even", frame.unit, "no usable pixel in one half")]
    square = float(np.mean(np.square(frame.sigma[frame.kept]), dtype=np.float64))
    means = [float(np.mean(frame.residual[half], dtype=np.float64)) for half in (odd, even)]
    error = math.sqrt(square * sum(1 / count for count in counts))
    return [Measurement("odd_even", means[0] - means[1], error, frame.unit, sum(counts))]
