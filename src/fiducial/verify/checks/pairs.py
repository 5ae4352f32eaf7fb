"""Read noise and gain from a frame and the one before it: shown, not judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.pairs import flat_pair_gain, pair_noise
from fiducial.algorithms.poisson_share import share_of_a00
from fiducial.algorithms.statistics import clipped_mean
from fiducial.errors import AlgorithmError
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Z_LIMIT, Subject

GAIN_UNIT = "electron / adu"

LARGEST_LEVEL_RATIO = 1.2
"""Flats whose levels differ more are no pair."""


@check("bias")
def read_noise(subject: Subject) -> list[Measurement]:
    """sqrt(Var(b_i - b_j) / 2) of the image of a bias and the one before it, clipped at 5 sigma.

    Where an overscan was subtracted row by row (or column by column), the mean difference of each row (or
    column) is taken out, so that neither the overscan's noise nor what it follows is part of it.
    """
    unit = subject.residual.unit
    previous = subject.previous
    if previous is None:
        return [not_applicable("read_noise", unit, "there is no bias before it that counts")]
    usable = subject.residual.usable & previous.usable
    n = int(np.count_nonzero(usable))
    difference = np.where(usable, subject.signal - previous.signal, np.nan)
    lost = 0  # means taken out
    overscan = subject.residual.overscan
    try:
        if overscan and overscan.row > 0:
            difference, lost = _without_means(difference, 1), lost + difference.shape[0]
        if overscan and overscan.column > 0:
            difference, lost = _without_means(difference, 0), lost + difference.shape[1]
        found = pair_noise(difference, np.zeros_like(difference))
    except AlgorithmError as error:
        return [not_applicable("read_noise", unit, error.message, n)]
    if not found.sigma > 0 or n <= lost:
        return [not_applicable("read_noise", unit, "the biases do not differ", n)]
    whole = (n / (n - lost)) ** 0.5
    error_of_noise = found.error * whole * subject.residual.correlation.c2**0.5
    return [Measurement("read_noise", found.sigma * whole, error_of_noise, unit, n)]


def _without_means(difference: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Take out the mean along an axis, of pixels within 5 sigma; NaN pixels are passed over and stay NaN."""
    typical = clipped_mean(difference)
    kept = np.abs(difference - typical.mean) <= Z_LIMIT * typical.sigma
    number = np.maximum(np.count_nonzero(kept, axis=axis, keepdims=True), 1)
    mean = np.sum(difference, axis=axis, where=kept, keepdims=True, dtype=np.float64) / number
    return (difference - mean).astype(np.float32)


@check("flat")
def gain(subject: Subject) -> list[Measurement]:
    """Gain of a flat and the one before it: light over variance in blocks of 16 x 16 pixels, added up.

    Differences are clipped at 5 sigma. Where a00 is known the gain is that of photon transfer; where it is
    not, it is higher by what brighter-fatter takes from the variance. The light is what is left after the
    corrections, overscan of each row included.

    Times the nominal gain where the pixels are in electrons: what comes out is electrons per adu again.
    """
    previous = subject.previous
    if previous is None:
        return [not_applicable("gain", GAIN_UNIT, "there is no flat before it that counts")]
    ratio = subject.scale / previous.scale if previous.scale > 0 else 0.0
    if not 1 / LARGEST_LEVEL_RATIO < ratio < LARGEST_LEVEL_RATIO:
        return [
            not_applicable("gain", GAIN_UNIT, f"the flat before has {1 / max(ratio, 1e-9):.2f} of the light")
        ]
    usable = subject.residual.usable & previous.usable
    a = np.where(usable, subject.signal, np.nan)
    b = np.where(usable, previous.signal, np.nan)
    n = int(np.count_nonzero(usable))
    a00 = subject.references.a00
    share = share_of_a00(a00) if a00 else None
    try:
        found = flat_pair_gain(a, b, read_noise=subject.residual.read_noise.value, share=share)
    except AlgorithmError as error:
        return [not_applicable("gain", GAIN_UNIT, error.message, n)]
    per_adu = subject.references.gain / subject.references.electrons_per_unit
    return [Measurement("gain", found.gain * per_adu, found.error * per_adu, GAIN_UNIT, n)]
