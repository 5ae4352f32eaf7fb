"""The roll-off of a photon transfer curve: where the variance begins to stay behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise, VarianceFit, fit_variances
from fiducial.algorithms.ptc_models import VarianceCurve
from fiducial.algorithms.ptc_turnoff import TurnOff

_MOST_MISSING = 0.5  # of the variance: what is missing is small beside it, or the model does not hold
_SURE = 0.25  # relative error of a roll-off that is one


def fit_rolloff(
    curve: TransferCurve,
    turnoff: TurnOff,
    plain: VarianceFit,
    shape: VarianceCurve,
    read_noise: ReadNoise | None = None,
    samples: int = 200,
) -> VarianceFit | None:
    """Fit a curve with a roll-off to the pairs that it describes.

    Those are the pairs up to the turn-off that are no outliers, and those above it, level by level, until
    half of the variance is missing.

    Parameters
    ----------
    curve
        Of one amplifier.
    turnoff
        As `find_turnoff` gave it.
    plain
        The fit without a roll-off, up to the turn-off.
    shape
        Its shape.
    read_noise, samples
        As of `fit_variances`.

    Returns
    -------
    VarianceFit or None
        None where there is no roll-off within the levels, or it is not known to a quarter.

    References
    ----------
    `fiducial.algorithms.ptc_models.VarianceCurve`: 1 per cent of the variance is missing at the roll-off, and
    the missing share grows exponentially.
    """
    if not plain.determined:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        missing = 1.0 - curve.variances / plain.model
    used = plain.kept.copy()
    for index in np.argsort(curve.means):
        if not curve.measured[index] or not curve.means[index] > turnoff.level:
            continue
        if not abs(missing[index]) < _MOST_MISSING:
            break
        used[index] = True
    found = fit_variances(
        curve, used, shape=replace(shape, rolloff=True), read_noise=read_noise, samples=samples
    )
    if not found.determined or not found.rolloff_error < _SURE * found.rolloff:
        return None
    inside = 0 < found.rolloff <= float(curve.means[used].max()) and found.rolloff_width > 0
    return found if inside else None
