"""Linearity from pixels that each gather charge at a rate of their own, as hot ones do in the dark."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64, Numbers
from fiducial.algorithms.linearity_pixels_solve import (
    PixelData,
    Solved,
    Unknowns,
    solve_pixels,
    starting_rates,
)
from fiducial.algorithms.linearity_relative import RelativeCurve
from fiducial.errors import AlgorithmError

LEAST_PIXELS = 30
"""Pixels with a signal near a node, without which it is left out."""
MOST_NOISY = 0.5
"""A fit in which a larger part of the pixels changed their rates is not determined."""
MOST_SCATTER = 5.0
"""Of signals about their curve, in expected sigmas, beyond which a fit is not determined."""

_WIDEST = 1.0  # of r before anything is known: a formality that keeps the first steps sane
_SURE = 1e-9  # of a level or scale that is said to be known exactly


@dataclass(frozen=True, slots=True, eq=False)
class PixelLinearity:
    """How signals depart from proportionality to time: m = d t (1 + r(d t)) + level, r = 0 at ``reference``.

    Attributes
    ----------
    nodes, deviation, error : (j,) float64
        Signal by proportionality, r there (log-linear between), and its standard error.
    counts : (j,) int64
        Signals used whose nearest node it is.
    covariance : (j, j) float64
        Of ``deviation``.
    reference : float
        Node whose r is 0 by convention: rates have no other scale.
    levels, level_errors : (k,) float64
        Signal without time in each frame.
    scales, scale_errors : (k,) float64
        How much faster than its time each frame gathered, relatively.
    rates : (n,) float64
        d of each pixel; NaN for one that was not used.
    used : (k, n) bool
        Signals that the fit rests on.
    noisy : (n,) bool
        Pixels that do not keep their rate.
    chi2 : float
    freedom : int
    determined : bool
    reason : str
        Why not.
    """

    nodes: Float64
    deviation: Float64
    error: Float64
    counts: Int64
    covariance: Float64
    reference: float
    levels: Float64
    level_errors: Float64
    scales: Float64
    scale_errors: Float64
    rates: Float64
    used: Flags
    noisy: Flags
    chi2: float
    freedom: int
    determined: bool
    reason: str

    def at(self, signal: Numbers) -> tuple[Float64, Float64]:
        """Deviation r at some signals (by proportionality), and its error."""
        weights, _ = RelativeCurve(self.nodes).weights(np.asarray(signal, np.float64))
        variance = np.einsum("...i,ij,...j->...", weights, self.covariance, weights)
        return weights @ self.deviation, np.sqrt(np.maximum(variance, 0.0))


def pixel_linearity(
    signal: Numbers,
    times: Numbers,
    nodes: Numbers,
    *,
    gain: float,
    read_noise: float,
    reference: float,
    level_error: float = 0.0,
    stability: float = 0.0,
    frames: Numbers | None = None,
    least: float = 0.0,
    maximum: float = np.inf,
    kappa: float = 5.0,
) -> PixelLinearity:
    r"""Fit r(x) = f(x) / x - 1 to pixels of unknown constant rates.

    .. math:: m_{pk} = f\left(d_p t_k (1 + \theta_k)\right) + b_k

    Hot pixels of darks of several times, or pixels under any steady illumination: each is a group of
    illumination of its own. Frames may differ in level (b, no overscan) and scale (theta: temperature of
    darks, lamp of flats). Of r only what is not a power law can be told from scales; how much of the rest is
    a matter of ``stability``.

    Parameters
    ----------
    signal : (k, n)
        Of each pixel in each frame, less the bias, adu. NaN is passed over: saturated ones are the caller's
        to make so.
    times : (k,)
    nodes : (j,)
        Signals, increasing, where r is looked for; those that too few pixels come near are left out.
    gain, read_noise : float
        Electrons per adu, and adu: expected variances are those of the fitted signal.
    reference : float
        The node nearest to it has r = 0.
    level_error : float
        Standard error of each frame's level about 0, adu; 0: levels are 0.
    stability : float
        Relative scatter of the frames' scales; 0: they are 1.
    frames : (k,), optional
        How many exposures each row of ``signal`` is the mean of.
    least : float
        Pixels that reach less in every frame are left out.
    maximum : float
        Signals above are left out.
    kappa : float
        A signal that is so many sigmas off its pixel's others is rejected (cosmic rays), as are pixels whose
        signals scatter more than one good pixel in 10^5 does (blinking ones).

    Returns
    -------
    PixelLinearity
        Bad data make no exception: ``determined`` is False and ``reason`` says why.

    Raises
    ------
    AlgorithmError
        Shapes differ, or nodes, gain or read noise make no sense.

    Notes
    -----
    Pixels are chosen and weighted by their fitted signals, which by least squares have nothing in common with
    what is left of their single ones: neither makes a bias. The rates are eliminated (variable projection),
    so that a fit of 10^4 pixels costs as much as one of their number of common unknowns.

    References
    ----------
    Variable projection: Golub & Pereyra 1973 (SIAM J. Numer. Anal. 10, 413); errors: White 1980 (Econometrica
    48, 817); how the dark signal of hot pixels grows with time: Widenhorn, Dunlap & Bodegom 2010 (IEEE Trans.
    Electron Devices 57, 581).
    """
    data = _checked(signal, times, frames, gain, read_noise, least, maximum)
    wanted = np.asarray(nodes, np.float64)
    if wanted.ndim != 1 or not (np.diff(wanted) > 0).all() or not (wanted > 0).all():
        raise AlgorithmError("nodes must be positive and increase", hint=f"They are {wanted.tolist()}.")
    if np.ptp(data.times) == 0:
        return _undetermined(data, "all frames have one exposure time")
    near = _near(wanted, starting_rates(data)[:, None] * data.times, data.usable, data)
    covered = near >= LEAST_PIXELS
    if np.count_nonzero(covered) < 2:
        return _undetermined(data, f"fewer than two nodes have {LEAST_PIXELS} signals near them")
    curve = RelativeCurve(wanted[covered])
    fixed = int(np.argmin(np.abs(np.log(curve.nodes / reference))))
    unknowns = _unknowns(len(curve.nodes), len(data.times), fixed, level_error, stability)
    solved = solve_pixels(data, curve, unknowns, kappa)
    if solved is None:
        return _undetermined(data, "the signals leave something undetermined")
    seen = int(np.count_nonzero(solved.noisy | solved.kept.any(axis=1)))
    if np.count_nonzero(solved.noisy) > MOST_NOISY * seen:
        many = f"{int(np.count_nonzero(solved.noisy))} of {seen}"
        return _undetermined(data, f"{many} pixels do not keep their rate")
    if solved.chi2 > MOST_SCATTER**2 * max(solved.freedom, 1):
        times = np.sqrt(solved.chi2 / max(solved.freedom, 1))
        return _undetermined(data, f"signals scatter {times:.3g} times as much as expected: no steady rates")
    return _result(data, curve, unknowns, solved)


def _checked(
    signal: Numbers,
    times: Numbers,
    frames: Numbers | None,
    gain: float,
    read_noise: float,
    least: float,
    maximum: float,
) -> PixelData:
    values, seconds = np.asarray(signal, np.float64).T, np.asarray(times, np.float64)
    number = np.ones(seconds.shape) if frames is None else np.asarray(frames, np.float64)
    if values.ndim != 2 or seconds.shape != values.shape[1:] or number.shape != seconds.shape:
        raise AlgorithmError(
            f"signals {values.T.shape} and times {seconds.shape} do not fit",
            hint="One row of signals for each time.",
        )
    if not (gain > 0 and read_noise > 0 and (number > 0).all() and (seconds > 0).all()):
        raise AlgorithmError("gain, read noise, times and frames must be positive", hint="Look at the input.")
    return PixelData(values, np.isfinite(values), seconds, number, gain, read_noise, least, maximum)


def _unknowns(nodes: int, frames: int, fixed: int, level_error: float, stability: float) -> Unknowns:
    sigma = np.concatenate(
        [
            np.full(nodes - 1, _WIDEST),
            np.full(frames, max(level_error, _SURE)),
            np.full(frames, max(stability, _SURE)),
        ]
    )
    return Unknowns(nodes, frames, fixed, sigma**-2.0)


def _near(nodes: Float64, expected: Float64, which: Flags, data: PixelData) -> Int64:
    """How many signals are nearest to each node, of pixels that are bright enough."""
    chosen = which & (expected <= data.maximum)
    chosen &= (np.max(expected, axis=1, where=chosen, initial=0.0) >= data.least)[:, None]
    middles = np.sqrt(nodes[1:] * nodes[:-1])
    place = np.searchsorted(middles, expected[chosen])
    return np.bincount(place, minlength=len(nodes)).astype(np.int64)


def _result(data: PixelData, curve: RelativeCurve, unknowns: Unknowns, solved: Solved) -> PixelLinearity:
    r, levels, scales = unknowns.split(solved.values)
    errors = np.sqrt(np.diag(solved.covariance))
    _, level_errors, scale_errors = unknowns.split(errors)
    free = np.delete(np.arange(unknowns.nodes), unknowns.fixed)
    covariance = np.zeros((unknowns.nodes, unknowns.nodes))
    covariance[np.ix_(free, free)] = solved.covariance[: unknowns.nodes - 1, : unknowns.nodes - 1]
    counts = _near(curve.nodes, solved.expected, solved.kept, data)
    known = counts >= LEAST_PIXELS // 2
    if not known[unknowns.fixed]:
        return _undetermined(data, f"too few signals are left near {curve.nodes[unknowns.fixed]:g}")
    return PixelLinearity(
        nodes=curve.nodes[known],
        deviation=r[known],
        error=np.sqrt(np.diag(covariance)[known]),
        counts=counts[known],
        covariance=covariance[np.ix_(known, known)],
        reference=float(curve.nodes[unknowns.fixed]),
        levels=levels,
        level_errors=level_errors,
        scales=scales,
        scale_errors=scale_errors,
        rates=np.where(solved.kept.any(axis=1), solved.rates, nan),
        used=solved.kept.T,
        noisy=solved.noisy,
        chi2=solved.chi2,
        freedom=solved.freedom,
        determined=True,
        reason="",
    )


def _undetermined(data: PixelData, reason: str) -> PixelLinearity:
    k, nothing = len(data.times), np.full(len(data.times), nan)
    pixels = len(data.signal)
    return PixelLinearity(
        nodes=np.zeros(0),
        deviation=np.zeros(0),
        error=np.zeros(0),
        counts=np.zeros(0, np.int64),
        covariance=np.zeros((0, 0)),
        reference=nan,
        levels=nothing,
        level_errors=nothing,
        scales=nothing,
        scale_errors=nothing,
        rates=np.full(pixels, nan),
        used=np.zeros((k, pixels), np.bool_),
        noisy=np.zeros(pixels, np.bool_),
        chi2=nan,
        freedom=0,
        determined=False,
        reason=reason,
    )
