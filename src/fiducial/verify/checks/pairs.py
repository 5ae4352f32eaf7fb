"""Read noise and gain from a frame and the one before it: shown, not judged."""

from __future__ import annotations

import math

import numpy as np

from fiducial.algorithms.pairs import flat_pair_gain, pair_noise
from fiducial.errors import AlgorithmError
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Subject

GAIN_UNIT = "electron / adu"

LARGEST_LEVEL_RATIO = 1.2
"""Flats whose levels differ more are no pair."""


@check("bias")
def read_noise(subject: Subject) -> list[Measurement]:
    """sqrt(Var(b_i - b_j) / 2) of a bias and the one before it, differences beyond 5 sigma left out.

    The noise that the overscan model adds is taken off.
    """
    unit = subject.residual.unit
    previous = subject.previous
    if previous is None:
        return [not_applicable("read_noise", unit, "the first bias has none before it")]
    usable = subject.residual.usable & previous.usable
    n = int(np.count_nonzero(usable))
    try:
        found = pair_noise(subject.signal[usable], previous.signal[usable])
    except AlgorithmError as error:
        return [not_applicable("read_noise", unit, error.message, n)]
    overscan = subject.residual.overscan
    variance = found.sigma**2 - (overscan.pixel if overscan else 0.0)
    if not variance > 0:
        return [not_applicable("read_noise", unit, "less than the overscan model's noise", n)]
    value = variance**0.5
    pixels = found.error * found.sigma / value * subject.residual.correlation.c2**0.5
    rows = overscan.row / value / (2.0 * usable.shape[0]) ** 0.5 if overscan else 0.0
    error_of_noise = math.hypot(pixels, rows)
    return [Measurement("read_noise", value, error_of_noise, unit, n)]


@check("flat")
def gain(subject: Subject) -> list[Measurement]:
    """Gain of a flat and the one before it, by local blocks, neighbour covariances not added.

    Times the nominal gain where the pixels are in electrons: what comes out is electrons per adu again.
    """
    previous = subject.previous
    if previous is None:
        return [not_applicable("gain", GAIN_UNIT, "the first flat has none before it")]
    ratio = subject.scale / previous.scale if previous.scale > 0 else 0.0
    if not 1 / LARGEST_LEVEL_RATIO < ratio < LARGEST_LEVEL_RATIO:
        return [
            not_applicable("gain", GAIN_UNIT, f"the flat before has {1 / max(ratio, 1e-9):.2f} of the light")
        ]
    usable = subject.residual.usable & previous.usable
    a = np.where(usable, subject.signal, np.nan)
    b = np.where(usable, previous.signal, np.nan)
    n = int(np.count_nonzero(usable))
    try:
        found = flat_pair_gain(a, b, read_noise=subject.residual.read_noise.value)
    except AlgorithmError as error:
        return [not_applicable("gain", GAIN_UNIT, error.message, n)]
    per_adu = subject.references.gain / subject.references.electrons_per_unit
    return [Measurement("gain", found.gain * per_adu, found.error * per_adu, GAIN_UNIT, n)]
