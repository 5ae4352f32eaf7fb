"""Bad columns: parts of columns that are off as a whole, columns bad here and there, saturated columns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Integers
from fiducial.algorithms.defects_model import ColumnLimits, Limit

_MEDIAN = 1.2533141373155003  # error of a median over that of a mean: sqrt(pi / 2)
_MAD = 1.482602218505602
_NEAR = 31  # columns
_CHANCE = 1e-3  # of one good column in an amplifier to be called intermittent


def off_columns(
    deviation: Float32,
    sigma: Float32,
    usable: Flags,
    columns: ColumnLimits,
    *,
    low: Limit | None,
    high: Limit | None,
) -> Flags:
    r"""Find parts of columns whose median is off, though no single pixel need be.

    The median of a part of n usable pixels has the error :math:`\sqrt{\pi / 2n}\,\sigma`; where columns
    differ by more than that, the robust scatter between the medians of one band of rows counts
    instead.

    Parameters
    ----------
    deviation, sigma : (ny, nx)
        From the surroundings, and the noise of one pixel.
    usable : (ny, nx) bool
        Other pixels are passed over. A part with less than half its pixels is not looked at.
    columns : ColumnLimits
        ``segment``, ``share`` and ``sigmas`` are used.
    low, high : Limit or None
        Of a pixel below and above its surroundings; None: that is no defect.

    Returns
    -------
    (ny, nx) bool
        Whole parts.

    References
    ----------
    The error of a median: Kendall & Stuart 1977, The Advanced Theory of Statistics 1, chapter 10. That
    medians of columns show what pixels do not: Morganson et al. 2018 (PASP 130, 074501).
    """
    ny = deviation.shape[0]
    count = max(1, round(ny / columns.segment))
    edges = np.linspace(0, ny, count + 1).round().astype(int)
    out = np.zeros(deviation.shape, dtype=bool)
    for y0, y1 in pairwise(edges):
        kept = usable[y0:y1]
        number = kept.sum(axis=0)
        enough = 2 * number >= y1 - y0
        if not enough.any():
            continue
        values = deviation[y0:y1][:, enough]
        if kept.all():
            median = np.median(values, axis=0)
        else:
            median = np.nanmedian(np.where(kept[:, enough], values, np.nan), axis=0)
        error = _MEDIAN * np.median(sigma[y0:y1][:, enough], axis=0) / np.sqrt(number[enough])
        centre = float(np.median(median))
        scatter = _MAD * float(np.median(np.abs(median - centre)))
        noise = columns.sigmas * np.maximum(error, scatter)
        off = np.zeros(median.shape, dtype=bool)
        # What all columns have in common is no column's fault.
        for limit, signed in ((high, median - centre), (low, centre - median)):
            if limit is not None:
                off |= signed > np.maximum(columns.share * limit.value, noise)
        out[y0:y1, np.flatnonzero(enough)[off]] = True
    return out


def intermittent_columns(bad: Flags, columns: ColumnLimits) -> tuple[Flags, Flags]:
    """Find columns with more bad pixels than chance gives, and join their bad pixels.

    Chance is a Poisson distribution about the median number of bad pixels in the 31 columns about each (half
    the amplifier's mean at least), with a probability of one in a thousand that an amplifier without such
    a column gets one. So warm pixels, however many and however uneven, cost no columns. More than 15
    intermittent columns side by side go unseen.

    Parameters
    ----------
    bad : (ny, nx) bool
        Bad pixels of one amplifier.
    columns : ColumnLimits
        ``bad``, ``gap`` and ``fill`` are used.

    Returns
    -------
    intermittent, whole : (ny, nx) bool
        The bad pixels of such columns with the good ones between them where fewer than ``gap`` are good in a
        row; and columns of which after that more than ``fill`` is bad, from end to end.

    References
    ----------
    Joining across gaps: the on-and-off columns of the LSST Science Pipelines; the limit by chance is ours.
    """
    from scipy.ndimage import median_filter  # long to import
    from scipy.special import pdtrc

    number = bad.sum(axis=0)
    expected = np.maximum(median_filter(number.astype(np.float64), _NEAR, mode="reflect"), number.mean() / 2)
    # pdtrc(k, m): probability of more than k where m are expected.
    chance = pdtrc(np.maximum(number - 1, 0), np.maximum(expected, 1.0 / len(number))) * len(number)
    candidates = np.flatnonzero((number >= columns.bad) & (chance < _CHANCE))
    joined = np.zeros(bad.shape, dtype=bool)
    for x in candidates:
        joined[:, x] = _join(bad[:, x], columns.gap)
    whole = joined.sum(axis=0) > columns.fill * bad.shape[0]
    return joined, np.broadcast_to(whole, bad.shape).copy()


def _join(column: Flags, gap: int) -> Flags:
    """Fill gaps of fewer than ``gap`` good pixels between bad ones."""
    rows = np.flatnonzero(column)
    out = column.copy()
    distance = np.diff(rows)
    for i in np.flatnonzero((distance > 1) & (distance <= gap)):
        out[rows[i] : rows[i + 1]] = True
    return out


def saturated_columns(saturated: Flags, columns: ColumnLimits) -> Flags:
    """Find columns with many saturated pixels; the whole of them is bad, with their neighbours.

    Parameters
    ----------
    saturated : (ny, nx) bool
        Saturated pixels of one amplifier, in a dark, a bias or a flat.
    columns : ColumnLimits
        ``saturated`` and ``spread`` are used.
    """
    number: Integers = saturated.sum(axis=0)
    full = np.zeros(len(number), dtype=bool)
    found = np.flatnonzero(number >= columns.saturated) if columns.saturated > 0 else ()
    for x in found:
        full[max(0, x - columns.spread) : x + columns.spread + 1] = True
    return np.broadcast_to(full, saturated.shape).copy()
