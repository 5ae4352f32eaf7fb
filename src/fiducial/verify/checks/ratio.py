"""Amplifier and detector ratio of flats: the ratio to the master, never that of the raw levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.order_statistics import median_variance
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check, detector_check
from fiducial.verify.window import Subject


@dataclass(frozen=True, slots=True)
class FlatLevel:
    """q = mean of S / M of one amplifier or detector, its photon noise, and its pixels."""

    value: float
    error: float
    n_pixels: int


def flat_level(
    signal: NDArray[np.float32],
    master: NDArray[np.float32],
    sigma: NDArray[np.float32],
    kept: NDArray[np.bool_],
    c1: float = 1.0,
    level_variance: float = 0.0,
) -> FlatLevel:
    """Mean of S / M over the pixels kept, with sqrt(c1 sum (sigma / M)^2) / n and the overscan's error.

    Parameters
    ----------
    signal
        The flat after bias and dark, shape (ny, nx).
    master, sigma
        The master flat (not zero where kept) and the expected sigma of ``signal - E master``.
    kept
        Pixels that count.
    c1
        Correlation factor of the noise.
    level_variance
        Variance of the overscan's level, which all pixels share.
    """
    n = int(np.count_nonzero(kept))
    if n == 0:
        return FlatLevel(math.nan, math.nan, 0)
    m = master[kept]
    value = float(np.mean(signal[kept] / m, dtype=np.float64))
    pixels = math.sqrt(c1 * float(np.sum(np.square(sigma[kept] / m), dtype=np.float64))) / n
    shared = math.sqrt(level_variance) * float(np.mean(1.0 / m, dtype=np.float64))
    return FlatLevel(value, math.hypot(pixels, shared), n)


def level_of(subject: Subject) -> FlatLevel:
    """The level of one amplifier."""
    frame = subject.residual
    return flat_level(
        subject.signal,
        subject.master,
        frame.sigma,
        frame.kept,
        frame.correlation.c1,
        frame.level_variance,
    )


@check("flat")
def flat_level_of_amplifier(subject: Subject) -> list[Measurement]:
    """Level q = mean of S / M: shown."""
    found = level_of(subject)
    unit = subject.residual.unit
    if found.n_pixels == 0:
        return [not_applicable("flat_level", unit, "no usable pixel")]
    return [Measurement("flat_level", found.value, found.error, unit, found.n_pixels)]


@detector_check("flat")
def amplifier_ratio(subjects: Sequence[Subject]) -> list[Measurement]:
    """q_a / median(q) - 1 over the amplifiers of a detector, q_a = mean of S_a / M_a.

    Of the ratio to the master, never of the raw levels: amplifiers of different gain are no fault.
    """
    return ratios([level_of(subject) for subject in subjects], "amplifier_ratio")


def ratios(levels: Sequence[FlatLevel], test: str, *, weighted: bool = False) -> list[Measurement]:
    """The ratio q / median(q) - 1 of each member; the error counts that the median holds the member itself.

    Parameters
    ----------
    levels
        One per amplifier of a detector, or per detector.
    test
        Name of the test.
    weighted
        Whether the median is weighted by pixels.
    """
    known = [level for level in levels if math.isfinite(level.value) and level.n_pixels > 0]
    if len(known) < 2:
        return [not_applicable(test, "", "needs two or more", level.n_pixels) for level in levels]
    values = np.array([level.value for level in known])
    weights = np.array([level.n_pixels if weighted else 1.0 for level in known], dtype=np.float64)
    middle = weighted_median(values, weights)
    typical = float(np.mean(np.square([level.error for level in known])))
    size = len(known)
    out = []
    for level in levels:
        if not math.isfinite(level.value) or level.n_pixels == 0:
            out.append(not_applicable(test, "", "no usable pixel"))
            continue
        # Var(q - median) = u^2 (1 - 2/A) + Var(median): the covariance of one of A values with their
        # median is u^2 / A.
        variance = level.error**2 * (1.0 - 2.0 / size) + typical * median_variance(size)
        error = math.sqrt(max(variance, 0.0)) / abs(middle)
        out.append(Measurement(test, level.value / middle - 1.0, error, "", level.n_pixels))
    return out


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value with half of the weight on either side; the mean of two where the half falls between."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    half = 0.5 * cumulative[-1]
    low = int(np.searchsorted(cumulative, half * (1 - 1e-12)))
    high = int(np.searchsorted(cumulative, half * (1 + 1e-12), side="right"))
    return float(0.5 * (values[order[low]] + values[order[min(high, len(values) - 1)]]))
