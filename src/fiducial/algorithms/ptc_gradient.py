"""A photon transfer curve from flats of one level whose light has a gradient: by bins of the local signal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fiducial.algorithms.arrays import Flags, Float64, Int64, Numbers
from fiducial.algorithms.pair_covariances import PairCovariances, pair_covariances
from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.statistics import clipped_mean
from fiducial.errors import AlgorithmError

LEAST_BLOCKS = 8
"""Blocks that a bin of a pair needs."""

_MAD = 1.482602218505602  # standard deviation of a Gaussian over its median absolute deviation
_LEAST = 1.0  # of a spread, adu: integers of little noise have none
_ROUNDS = 3  # of scales and rejection
_LEAST_SIGNAL = 10.0  # of a block's mean, in its own standard errors


@dataclass(frozen=True, slots=True, eq=False)
class GradientCurve:
    """A curve with a point for each pair and bin of signal.

    Attributes
    ----------
    curve : TransferCurve
        Points by pair, then by signal.
    pair : (n,) int64
        Which pair each point is of.
    blocks : (n,) int64
        Blocks in it.
    clipped : (n,) int64
        Pixels rejected.
    """

    curve: TransferCurve
    pair: Int64
    blocks: Int64
    clipped: Int64

    def __len__(self) -> int:
        return len(self.pair)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Blocks of one pair: mean signal, the scales that bring each frame to it, and which may be used."""

    mean: Float64  # (by, bx)
    first: Float64
    second: Float64
    lit: Flags


def gradient_curve(
    pairs: Sequence[tuple[Numbers, Numbers]],
    usable: Flags | None = None,
    *,
    block: int = 16,
    step: float = 1.25,
    max_lag: int = 0,
    kappa: float = 5.0,
    threads: int = 1,
) -> GradientCurve:
    """Variance and covariances against local signal, from pairs of flats of one amplifier.

    Within a block both flats are scaled to their common mean, so that neither drift of the lamp nor structure
    of the flat is left in the difference; blocks are gathered into bins of their mean. Of the difference a
    bin holds the noise of one signal, and gives a point as a pair of flats of that level would. What the
    common mean takes from variance and covariances, about one part in block^2, is restored. A
    block whose signal varies by a relative v inside adds v^2 of the curvature's share of the variance.

    Parameters
    ----------
    pairs : sequence of (first, second), (ny, nx) each
        Flats less their bias or overscan level, adu; taken one after the other. Pixels that are not finite
        are passed over; saturated ones are the caller's to mask.
    usable : (ny, nx) bool, optional
        Which pixels may be used. Blocks of which less than half can are left out.
    block : int
        Side of the blocks; an incomplete one at the end of rows or columns is left out.
    step : float
        Ratio of the signals of neighbouring bins, the same ones for all pairs. A bin with fewer than
        `LEAST_BLOCKS` blocks is left out.
    max_lag : int
        Largest lag of the covariances.
    kappa : float
        Clipping limit in sigmas of a bin.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    GradientCurve
        For `fiducial.algorithms.ptc_fit.fit_variances`; without points where nothing is lit.

    Raises
    ------
    AlgorithmError
        Blocks or steps make no sense.

    References
    ----------
    Photon transfer within a frame: Janesick 2007, Photon Transfer, chapter 5; local means as levels and
    differences as noise: Astier et al. 2019 (A&A 629, A36), section 4.
    """
    if block < 2 or not step > 1.0:
        raise AlgorithmError(
            f"blocks of {block} pixels and steps of {step:g} make no curve",
            hint="Blocks of two pixels or more, steps larger than 1.",
        )
    points: list[PairCovariances] = []
    number, sizes, clipped = [], [], []
    for index, (first, second) in enumerate(pairs):
        for point, size, lost in _points(first, second, usable, block, step, max_lag, kappa, threads):
            points.append(point)
            number.append(index)
            sizes.append(size)
            clipped.append(lost)
    curve = TransferCurve.of(points)
    if not points:
        lags = max_lag + 1
        curve = TransferCurve(np.empty(0), np.empty((0, lags, lags)), np.empty((0, lags, lags), np.int64))
    return GradientCurve(
        curve, np.array(number, np.int64), np.array(sizes, np.int64), np.array(clipped, np.int64)
    )


def _points(
    first: Numbers,
    second: Numbers,
    usable: Flags | None,
    block: int,
    step: float,
    max_lag: int,
    kappa: float,
    threads: int,
) -> list[tuple[PairCovariances, int, int]]:
    """Of one pair: each bin's point, its blocks and its rejected pixels."""
    rows, columns = (side // block * block for side in first.shape)
    a, b = (np.asarray(frame[:rows, :columns], np.float64) for frame in (first, second))
    good = np.isfinite(a) & np.isfinite(b)
    if usable is not None:
        good &= usable[:rows, :columns]
    a, b = np.where(good, a, 0.0), np.where(good, b, 0.0)
    kept = _without_rays(a - b, good, block, kappa)
    for _ in range(_ROUNDS):
        blocks = _blocks(a, b, kept, block)
        bins = np.where(blocks.lit, np.floor(np.log(blocks.mean) / np.log(step)), np.nan)
        one, other = a * _spread(blocks.first, block), b * _spread(blocks.second, block)
        kept = good & (np.abs(one - other) <= kappa * _spread(_sigmas(one - other, kept, bins, block), block))
    one, other = one.astype(np.float32), other.astype(np.float32)
    found = []
    for label in np.unique(bins[blocks.lit]):
        mine = bins == label
        size = int(np.count_nonzero(mine))
        if size < LEAST_BLOCKS:
            continue
        window = _window(mine, block)
        inside = _spread(mine, block)
        seen = (kept & inside)[window]
        point = pair_covariances(
            np.ascontiguousarray(one[window]),
            np.ascontiguousarray(other[window]),
            np.ascontiguousarray(seen),
            max_lag=max_lag,
            kappa=kappa,
            match_levels=False,
            threads=threads,
        )
        if point.determined:
            lost = int(np.count_nonzero((good & inside)[window])) - point.number
            found.append((_restored(point, size, block), size, lost))
    return found


def _without_rays(difference: Float64, good: Flags, block: int, kappa: float) -> Flags:
    """Pixels that are not far off their block's median, so that its mean may be taken."""
    rows, columns = (side // block for side in difference.shape)
    if not rows or not columns:
        return good
    shape = (rows, block, columns, block)
    values = np.where(good, difference, np.nan).reshape(shape).transpose(0, 2, 1, 3)
    values = values.reshape(rows, columns, block**2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # blocks without a usable pixel
        middle = np.nanmedian(values, axis=2)
        spread = _MAD * np.nanmedian(np.abs(values - middle[..., None]), axis=2)
    with np.errstate(invalid="ignore"):
        far = np.abs(difference - _spread(middle, block)) > kappa * np.maximum(_spread(spread, block), _LEAST)
    kept: Flags = good & ~far
    return kept


def _blocks(a: Float64, b: Float64, kept: Flags, block: int) -> _Blocks:
    count = _gathered(kept, block)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_a, mean_b = (_gathered(np.where(kept, frame, 0.0), block) / count for frame in (a, b))
        lit = (2 * count >= block**2) & (mean_a > 0) & (mean_b > 0)
        mean = np.sqrt(np.where(lit, mean_a * mean_b, 1.0))
        first, second = np.where(lit, mean / mean_a, 1.0), np.where(lit, mean / mean_b, 1.0)
        square = np.square(np.where(kept, a * _spread(first, block) - b * _spread(second, block), 0.0))
        variance = 0.5 * _gathered(square, block) / count
        lit &= count * mean**2 > _LEAST_SIGNAL**2 * variance
    return _Blocks(mean, first, second, lit)


def _sigmas(difference: Float64, kept: Flags, bins: Float64, block: int) -> Float64:
    """Standard deviation of the difference in the bin of each block; 0 where there is none."""
    sigmas = np.zeros(bins.shape)
    for label in np.unique(bins[np.isfinite(bins)]):
        mine = bins == label
        values = difference[_spread(mine, block) & kept]
        sigmas[mine] = np.nan_to_num(clipped_mean(values).sigma)
    return sigmas


def _restored(point: PairCovariances, blocks: int, block: int) -> PairCovariances:
    """What the common mean of each block takes away; instead of that of the bin, which is none."""
    lags = np.arange(point.covariances.shape[0])
    inside = np.maximum(1.0 - lags / block, 0.0)
    shared = inside[:, None] * inside  # of the pairs of pixels, those within one block
    variance = point.covariances[0, 0] * (1.0 - 1.0 / point.number) / (1.0 - blocks / point.number)
    change = variance * (shared * blocks - 1.0) / point.number
    covariances = point.covariances + change
    covariances[0, 0] = variance
    return replace(point, covariances=covariances)


def _gathered(image: Float64 | Flags, block: int) -> Float64:
    rows, columns = image.shape[0] // block, image.shape[1] // block
    sums: Float64 = image.reshape(rows, block, columns, block).sum(axis=(1, 3), dtype=np.float64)
    return sums


def _spread[Plane: (Float64, Flags)](values: Plane, block: int) -> Plane:
    return np.repeat(np.repeat(values, block, axis=0), block, axis=1)


def _window(mine: Flags, block: int) -> tuple[slice, slice]:
    """The pixels' smallest rectangle that holds some blocks."""
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    return (
        slice(int(rows[0]) * block, (int(rows[-1]) + 1) * block),
        slice(int(columns[0]) * block, (int(columns[-1]) + 1) * block),
    )
