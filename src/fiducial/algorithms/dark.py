"""Darks: the rate of frames of any exposure times, and the level that does not grow with time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial import kernels
from fiducial.algorithms.arrays import Flags, Float32, Float64, Numbers
from fiducial.algorithms.combine import Combined
from fiducial.algorithms.stacks import check_stack, flat_frames, flat_mask
from fiducial.algorithms.statistics import scatter_inflation
from fiducial.errors import AlgorithmError


@dataclass(frozen=True, slots=True)
class LevelFit:
    """Level plus rate of a ladder of darks.

    Attributes
    ----------
    level, level_error : float
        What stands at time zero, in the unit of the medians. Where the frames' times do not differ it
        cannot be told from the rate: 0 is assumed and the error is NaN.
    rate, rate_error : float
        Growth per second.
    determined : bool
        Whether the times differ, so that both were fitted.
    """

    level: float
    level_error: float
    rate: float
    rate_error: float
    determined: bool


def combine_dark(
    stack: Float32,
    usable: Flags | None,
    *,
    times: Float64,
    read_variance: Float64,
    gain: float,
    kappa: float,
    iterations: int,
    threads: int = 1,
) -> Combined:
    r"""Dark rate per second from frames of any exposure times, cosmic rays rejected.

    A frame's expected variance at a pixel is :math:`R_k + \max(d, 0)\, t_k / g` with the rate d of the
    pixel itself (not the frame's noisy value), so a hot pixel is not clipped for its shot noise and the
    weights are not biased by the data. Outliers are found as in
    `fiducial.algorithms.combine.combine_expected`, with a frame's variance at the rate of the *other*
    frames (a cosmic ray does not excuse itself); weights follow the rate in every round.

    Parameters
    ----------
    stack : (n, ny, nx) float32
        Signal of the frames (bias removed), adu or electron; pixels that are not finite are not used.
    usable : (n, ny, nx) bool, optional
        False where a pixel of a frame is masked.
    times : (n,) float64
        Dark time of each frame, s; positive.
    read_variance : (n,) float64
        Variance of a pixel of each frame without signal (read noise squared and what the overscan
        model adds), in the stack's unit squared.
    gain : float
        Electrons per unit of the stack: e/adu, or 1 for a stack in electrons.
    kappa : float
        Rejection limit in expected sigmas; at least 1.
    iterations : int
        Most rounds of rejection.
    threads : int
        Threads to use; the result is the same to the bit for any number.

    Returns
    -------
    Combined
        ``image`` is the rate per second; ``variance`` is :math:`1/\sum w` at that rate.

    Raises
    ------
    ValueError
        Shapes do not agree; times, read variances or the gain are not positive and finite; kappa < 1.

    References
    ----------
    Weighted least squares through zero with variances of the model: Bevington & Robinson 2003, Data
    Reduction and Error Analysis, chapters 4 and 6; noise terms: Janesick 2001, Scientific
    Charge-Coupled Devices, chapter 2.
    """
    shape = check_stack(stack, usable)
    image, variance, used, clipped = kernels.dark_rate(
        flat_frames(stack),
        flat_mask(usable),
        np.asarray(times, dtype=np.float64),
        np.asarray(read_variance, dtype=np.float64),
        gain=gain,
        kappa=kappa,
        iterations=iterations,
        threads=threads,
    )
    return Combined(
        image.reshape(shape), variance.reshape(shape), used.reshape(shape), clipped.reshape(shape)
    )


def fit_level(medians: Numbers, errors: Numbers, times: Numbers) -> LevelFit:
    """Level plus rate of darks of a camera without overscan, from the medians of its frames.

    Parameters
    ----------
    medians : (n,)
        Median signal of each frame after bias subtraction; NaN is passed over.
    errors : (n,)
        Their standard errors; positive.
    times : (n,)
        Dark times, s.

    Returns
    -------
    LevelFit
        Errors are widened by the scatter about the line where it exceeds what ``errors`` allow by
        more than three standard deviations (levels of real frames drift).

    Raises
    ------
    AlgorithmError
        No frame has a finite median and a positive error.

    References
    ----------
    Bevington & Robinson 2003, Data Reduction and Error Analysis, chapter 6.
    """
    y, sigma, t = (np.asarray(array, dtype=np.float64) for array in (medians, errors, times))
    good = np.isfinite(y) & np.isfinite(t) & (sigma > 0) & np.isfinite(sigma)
    if not good.any():
        raise AlgorithmError(
            "no dark has a finite median and error", hint="look at the frames' masks and saturation"
        )
    y, w, t = y[good], sigma[good] ** -2.0, t[good]
    total = float(np.sum(w))
    mean_t, mean_y = float(np.sum(w * t)) / total, float(np.sum(w * y)) / total
    spread = float(np.sum(w * (t - mean_t) ** 2))
    if np.ptp(t) <= 1e-6 * np.max(np.abs(t)) or spread == 0.0:
        return LevelFit(0.0, float("nan"), mean_y / mean_t, float(1.0 / (np.sqrt(total) * mean_t)), False)
    rate = float(np.sum(w * (t - mean_t) * (y - mean_y))) / spread
    level = mean_y - rate * mean_t
    chi2 = float(np.sum(w * (y - level - rate * t) ** 2))
    inflation = scatter_inflation(chi2, len(y) - 2)
    return LevelFit(
        level,
        float(np.sqrt(1.0 / total + mean_t**2 / spread)) * inflation,
        rate,
        float(1.0 / np.sqrt(spread)) * inflation,
        True,
    )
