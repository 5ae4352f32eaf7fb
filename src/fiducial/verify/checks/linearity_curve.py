"""The curve of a linearity correction: can it be inverted, how well is it known, how far does it reach."""

from __future__ import annotations

import math

import numpy as np

from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import product_check
from fiducial.verify.products import LinearitySubject

_POINTS = 2001


@product_check("linearizer")
def linearity_slope(subject: LinearitySubject) -> list[Measurement]:
    """Steepest slope of the correction over its range: at -1 two signals become one.

    It is that of the curve as it is applied, and has no error.
    """
    full = subject.full_well
    if not full > 0:
        return [not_applicable("slope", "", "the correction has no range")]
    at = np.linspace(0.0, full, _POINTS)
    slope = np.diff(subject.model.correction(at)) / np.diff(at)
    steepest = int(np.argmax(np.abs(slope)))
    note = f"at {at[steepest]:.6g} {subject.product.unit}"
    return [Measurement("slope", float(slope[steepest]), 0.0, "", _POINTS, note=note)]


@product_check("linearizer")
def linearity_error(subject: LinearitySubject) -> list[Measurement]:
    """Largest error that the linearizer quotes of its correction, as a share of full well."""
    errors, full = subject.known.error_correction, subject.full_well
    if not (errors.size and np.isfinite(errors).all() and full > 0):
        return [not_applicable("error", "", "the linearizer quotes none", errors.size)]
    return [Measurement("error", float(errors.max()) / full, 0.0, "", errors.size)]


@product_check("linearizer")
def linearity_maximum(subject: LinearitySubject) -> list[Measurement]:
    """Largest signal of the correction, relative to the turn-off of photon transfer if that is known.

    Otherwise to the camera's saturation.
    """
    maximum = subject.full_well
    if not math.isfinite(maximum):
        return [not_applicable("maximum", "", "the correction has no range")]
    levels = int(np.count_nonzero(subject.known.used))
    transfer = None if subject.transfer is None else subject.transfer.amplifier(subject.amplifier.name)
    if transfer is not None and transfer.fit.determined and transfer.turnoff_found:
        against, error, note = transfer.turnoff, transfer.turnoff_error, "against the turn-off"
    else:
        against, error, note = subject.amplifier.saturation, 0.0, "against the saturation"
    ratio = maximum / (against * subject.per_adu)
    return [Measurement("maximum", ratio - 1.0, ratio * error / against, "", levels, note=note)]
