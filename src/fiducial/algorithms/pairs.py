"""Read noise and gain from pairs of equal frames: what differs between the two is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import NamedTuple

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Numbers
from fiducial.algorithms.poisson_share import PoissonShare
from fiducial.algorithms.statistics import clipped_mean, scatter_inflation, truncation_factor
from fiducial.errors import AlgorithmError

_CLIP = 5.0  # sigmas of a pixel's difference
_ROUNDS = 10
_LEAST_SIGNAL = 10.0  # of a block's mean, in its own standard errors


class PairNoise(NamedTuple):
    """Noise of one pixel of one frame, and its standard error, in the unit of the frames."""

    sigma: float
    error: float


@dataclass(frozen=True, slots=True)
class PairGain:
    """Gain of one amplifier from a pair of flats.

    Attributes
    ----------
    gain, error : float
        Electrons per adu and its standard error.
    mean : float
        Mean signal of the two flats over the blocks used, adu.
    blocks : int
        Blocks used.
    scatter : float
        Reduced chi-square of the blocks about one gain: above 1 where the gain is not the same
        everywhere or the noise is not what the model says.
    """

    gain: float
    error: float
    mean: float
    blocks: int
    scatter: float


def pair_noise(a: Numbers, b: Numbers, *, kappa: float = 5.0) -> PairNoise:
    r"""Noise from the difference of two frames of one scene: :math:`\sqrt{Var(a - b) / 2}`.

    The mean difference is removed (levels drift), differences beyond kappa sigma are clipped, and the
    clipped tails of a Gaussian restored. The error holds for pixels that do not share noise; times
    sqrt(c2) of `fiducial.algorithms.statistics.autocorrelation_factors` otherwise.

    Parameters
    ----------
    a, b : arrays of one shape
        Pixels that are not finite in either are passed over.
    kappa : float
        Clipping limit in sigmas of the difference.

    Raises
    ------
    AlgorithmError
        Fewer than two pixels are finite in both.

    References
    ----------
    Janesick 2001, Scientific Charge-Coupled Devices, chapter 2 (photon transfer by differencing).
    """
    difference = clipped_mean(np.subtract(a, b, dtype=np.float64), kappa=kappa)
    if difference.used < 2:
        raise AlgorithmError(
            "two frames share fewer than two finite pixels", hint="look at their masks and regions"
        )
    return PairNoise(difference.sigma / sqrt(2.0), difference.sigma_error / sqrt(2.0))


def flat_pair_gain(
    flat_a: Numbers,
    flat_b: Numbers,
    *,
    level_a: Numbers | float = 0.0,
    level_b: Numbers | float = 0.0,
    block: int = 16,
    read_noise: float,
    kappa: float = _CLIP,
    share: PoissonShare | None = None,
) -> PairGain:
    r"""Gain from a pair of flats, by the mean and variance of small blocks.

    Within a block both flats are scaled to their common mean m, so that neither lamp drift nor
    structure of the flat remains in their difference; its variance is

    .. math:: V = m^2 \left[ \frac{1}{g} \left( \frac{1}{m_a} + \frac{1}{m_b} \right)
              + R^2 \left( \frac{1}{m_a^2} + \frac{1}{m_b^2} \right) \right]

    and 1/g is the sum of V, less its read noise, over the sum of what stands beside 1/g, over all blocks:
    each counts by its light. (With weights by the expected scatter of V faint blocks would count as much
    as bright ones, and there a level that is off by a few adu changes the gain by per cents.) Differences
    are clipped in units of the expected sigma of each pixel, so a gradient of the light does not matter.
    Without ``share`` the gain is higher by what brighter-fatter takes from the variance.

    Parameters
    ----------
    flat_a, flat_b : (ny, nx)
        Neighbours of one amplifier, adu. Pixels not finite in either are left out; mask saturated ones.
    level_a, level_b : float or array that broadcasts to (ny, nx)
        Subtracted first: bias or overscan level; an image the same for both, so that its noise cancels.
    block : int
        Side of the blocks; an incomplete one at the end of rows or columns is left out.
    read_noise : float
        Noise of a pixel without light, adu.
    kappa : float
        Clipping limit in expected sigmas.
    share : PoissonShare, optional
        What of the photon noise there is; the gain is then that of photon transfer.

    Returns
    -------
    PairGain
        ``error`` is statistical; widened by the scatter of the blocks where it is significantly too large.

    Raises
    ------
    AlgorithmError
        No block has enough light, or the flats are identical.

    References
    ----------
    Photon transfer by differencing: Janesick 2001, Scientific Charge-Coupled Devices, chapter 2; pairs
    scaled to a common level: Astier et al. 2019 (A&A 629, A36); the share of the variance that
    neighbours carry: Downing et al. 2006 (Proc. SPIE 6276, 627609).
    """
    a = _blocks(np.subtract(flat_a, level_a, dtype=np.float64), block)
    b = _blocks(np.subtract(flat_b, level_b, dtype=np.float64), block)
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    tails = truncation_factor(kappa)
    kept = finite
    points = _block_points(a, b, kept, read_noise, tails)
    gain = _typical_gain(points)
    for _ in range(_ROUNDS):
        signal = 0.5 * (a * points.scale_a + b * points.scale_b)
        expected = 2.0 * (np.maximum(signal, 0.0) / gain + read_noise**2)
        difference = a * points.scale_a - b * points.scale_b
        before, kept = kept, finite & (np.square(difference) <= kappa**2 * expected)
        points = _block_points(a, b, kept, read_noise, tails)
        gain = _gain(points, share)
        if np.array_equal(before, kept):
            break
    return _pair_gain(points, gain, share)


class _Points(NamedTuple):
    """Mean and variance of the blocks' differences; the scales of each flat are columns."""

    scale_a: Float64  # (blocks, 1)
    scale_b: Float64
    mean: Float64  # (blocks,)
    photon: Float64  # what multiplies 1/gain in the variance
    variance: Float64  # beyond the read noise
    read: Float64  # the read noise's part of the variance
    freedom: Float64  # degrees of freedom; 0 where the block is not used


def _blocks(image: Float64, size: int) -> Float64:
    rows, columns = image.shape[0] // size, image.shape[1] // size
    whole = image[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return whole.transpose(0, 2, 1, 3).reshape(rows * columns, size * size)


def _block_points(a: Float64, b: Float64, kept: Flags, read_noise: float, tails: float) -> _Points:
    number = np.count_nonzero(kept, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_a = np.sum(a, axis=1, where=kept) / number
        mean_b = np.sum(b, axis=1, where=kept) / number
        lit = (2 * number >= kept.shape[1]) & (mean_a > 0) & (mean_b > 0)
        mean = np.sqrt(np.where(lit, mean_a * mean_b, 1.0))
        scale_a, scale_b = np.where(lit, mean / mean_a, 1.0), np.where(lit, mean / mean_b, 1.0)
    difference = a * scale_a[:, None] - b * scale_b[:, None]
    freedom = np.maximum(number - 1, 1)
    variance = np.sum(np.square(difference), axis=1, where=kept) / freedom / tails
    lit &= number * mean**2 > _LEAST_SIGNAL**2 * 0.5 * variance
    read = read_noise**2 * (scale_a**2 + scale_b**2)
    photon = mean * (scale_a + scale_b)
    used = np.where(lit, freedom, 0).astype(np.float64)
    return _Points(scale_a[:, None], scale_b[:, None], mean, photon, variance - read, read, used)


def _no_light() -> AlgorithmError:
    what = "no block of the flats has enough light for a gain"
    return AlgorithmError(what, hint="were the lamps on, the bias removed?")


def _typical_gain(points: _Points) -> float:
    """Gain of the median block, which is deaf to cosmic rays."""
    lit = points.freedom > 0
    if not lit.any():
        raise _no_light()
    return 1.0 / max(float(np.median(points.variance[lit] / points.photon[lit])), 1e-9)


def _gain(points: _Points, share: PoissonShare | None) -> float:
    """Light over variance of all blocks, as electrons per adu."""
    light = float(np.sum(points.freedom * points.photon))
    variance = float(np.sum(points.freedom * points.variance))
    if not light > 0:
        raise _no_light()
    if not variance > 0:
        raise AlgorithmError(
            "the flats differ by less than their read noise: no gain follows",
            hint="are they copies of one frame, or is the read noise too high?",
        )
    gain = light / variance
    for _ in range(_ROUNDS if share is not None else 0):  # each brings it nearer by a factor of ten
        gain = float(np.sum(points.freedom * _photons(points, gain, share))) / variance
    return gain


def _photons(points: _Points, gain: float, share: PoissonShare | None) -> Float64:
    """What multiplies 1/gain in the variance, with what is missing of the photon noise."""
    return points.photon if share is None else points.photon * share(gain * points.mean)


def _pair_gain(points: _Points, gain: float, share: PoissonShare | None) -> PairGain:
    lit = points.freedom > 0
    photons = _photons(points, gain, share)
    expected = photons / gain + points.read
    light = float(np.sum(points.freedom * photons))
    # Var(V) of a block is 2 expected^2 / freedom.
    slope_error = sqrt(2.0 * float(np.sum(points.freedom * np.square(expected)))) / light
    weight = 0.5 * points.freedom / np.square(expected)
    chi2 = float(np.sum(weight * np.square(points.variance - photons / gain)))
    blocks = int(np.count_nonzero(lit))
    # A higher gain means more electrons, and with them a lower share.
    more = float(np.sum(points.freedom * _photons(points, 1.01 * gain, share)))
    error = gain**2 * slope_error * scatter_inflation(chi2, blocks - 1) / (1.0 - (more / light - 1.0) / 0.01)
    mean = float(np.mean(points.mean[lit]))
    return PairGain(gain, error, mean, blocks, chi2 / (blocks - 1) if blocks > 1 else nan)


def mean_gain(gains: Sequence[PairGain]) -> PairGain:
    """Weighted mean of the gains of disjoint pairs; the error widens if they scatter significantly.

    ``blocks`` is their total and ``scatter`` the reduced chi-square of the pairs.

    Raises
    ------
    AlgorithmError
        There is no gain.

    References
    ----------
    Bevington & Robinson 2003, Data Reduction and Error Analysis, chapter 4; errors widen as in
    `fiducial.algorithms.statistics.scatter_inflation`.
    """
    if not gains:
        raise AlgorithmError("there is no pair of flats", hint="a gain needs two flats of one level")
    value = np.array([gain.gain for gain in gains])
    weight = np.array([gain.error for gain in gains]) ** -2.0
    mean = float(np.average(value, weights=weight))
    chi2 = float(np.sum(weight * np.square(value - mean)))
    error = scatter_inflation(chi2, len(value) - 1) / sqrt(float(np.sum(weight)))
    return PairGain(
        mean,
        error,
        float(np.mean([gain.mean for gain in gains])),
        sum(gain.blocks for gain in gains),
        chi2 / (len(value) - 1) if len(value) > 1 else nan,
    )


def neighbour_pairs(times: Numbers, separation: int = 1) -> tuple[tuple[int, int], ...]:
    """Disjoint pairs of frames that are ``separation`` places apart in time.

    Parameters
    ----------
    times : (n,)
        When each frame was taken, in any unit.
    separation : int
        1 pairs neighbours; larger ones show how a lamp's drift enters.

    Returns
    -------
    tuple of (first, second)
        Indices into ``times``, the earlier first.
    """
    order = np.argsort(times, kind="stable")
    pairs, free = [], np.ones(len(order), dtype=bool)
    for i in range(len(order) - separation):
        if free[i] and free[i + separation]:
            free[i] = free[i + separation] = False
            pairs.append((int(order[i]), int(order[i + separation])))
    return tuple(pairs)
