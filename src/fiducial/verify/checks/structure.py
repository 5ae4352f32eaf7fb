"""Structure: variance of block, row and column means beyond the noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from fiducial.algorithms.binning import GroupSums, group_sums
from fiducial.verify.checks.measurement import Measurement, not_applicable
from fiducial.verify.checks.registry import check
from fiducial.verify.window import Residual, Subject

LARGE_BLOCK, SMALL_BLOCK = 64, 32
ENOUGH_BLOCKS = 100
"""Blocks are 64 pixels wide where the amplifier holds so many of them, else 32."""

FEWEST_GROUPS = 4
FILLED = 0.25
"""A block, row or column of which less is usable is left out."""


@dataclass(frozen=True)
class Groups:
    """Means of groups of pixels.

    Parameters
    ----------
    mean, variance
        Of each group; the variance is that of the pixels' own noise.
    shared, shared_variance
        Index of the set of rows whose overscan error a group shares, and that error's variance.
    smooth_variance, smooth_modes
        Variance of the error of an overscan curve about its mean, and its degrees of freedom.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    shared: NDArray[np.intp]
    shared_variance: NDArray[np.float64]
    smooth_variance: float = 0.0
    smooth_modes: float = 1.0


@check("bias", "dark", "flat")
def structure(subject: Subject) -> list[Measurement]:
    """Structure of blocks, rows and columns, and the strongest block.

    The amplitude is sqrt(max(0, Var(means) - mean u^2)) of the residual; where the frame has a
    ``model`` (flats), of the residual relative to it. It is tested on the square, with the standard
    error of Var(means) for Gaussian noise. Pixels beyond 5 sigma count as 5 sigma.

    u holds the correlation of neighbours and, for blocks and rows, the noise of the overscan model,
    which whole rows share.
    """
    frame = subject.residual
    ny, nx = frame.usable.shape
    side = _block_side(ny, nx)
    block_rows, block_columns = _edges(ny, side), _edges(nx, side)
    sums = _all_sums(frame, block_rows, block_columns)
    one = np.zeros(1, np.intp)
    blocks = _groups(frame, block_rows, block_columns, frame.correlation.c1, [s.blocks for s in sums])
    rows = _groups(frame, np.arange(ny), one, frame.correlation.c1_row, [s.rows for s in sums])
    columns = _groups(frame, one, np.arange(nx), frame.correlation.c1_column, [s.columns for s in sums])
    return [
        _excess("structure_blocks", blocks, frame),
        _excess("structure_rows", rows, frame),
        _excess("structure_columns", columns, frame),
        _peak(blocks, frame),
    ]


def _all_sums(frame: Residual, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> list[GroupSums]:
    """Sums of the pixels' number, their residual, its variance, and what it is relative to."""
    # What is not of single pixels.
    lines = np.float32(frame.row_variance + frame.column_variance + frame.smooth_variance)
    residual, count = group_sums(frame.limited, frame.usable, rows, columns)
    own, _ = group_sums(np.square(frame.sigma) - lines, frame.usable, rows, columns)
    divisor = count
    if frame.model is not None:
        divisor, _ = group_sums(frame.model, frame.usable, rows, columns)
    return [count, residual, own, divisor]


def _block_side(ny: int, nx: int) -> int:
    large = (ny // LARGE_BLOCK) * (nx // LARGE_BLOCK)
    return LARGE_BLOCK if large >= ENOUGH_BLOCKS else SMALL_BLOCK


def _edges(length: int, side: int) -> NDArray[np.intp]:
    # Evenly divided, so that no strip at an edge (where a corner glows) is left over.
    blocks = max(1, round(length / side))
    return np.arange(blocks) * length // blocks


def _groups(
    frame: Residual,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    c1: float,
    sums: list[NDArray[np.float64]],
) -> Groups:
    count, residual, own, divisor = sums
    ny, nx = frame.usable.shape
    heights = np.diff(rows, append=ny)[:, None]
    widths = np.diff(columns, append=nx)[None, :]
    enough = (count >= FILLED * heights * widths) & (count > 1) & (divisor > 0)
    safe = np.where(enough, divisor, 1.0)
    relative = np.square(count / safe)
    shared = frame.row_variance / heights * relative
    by_column = frame.column_variance / widths * relative
    modes = frame.overscan.modes if frame.overscan is not None else 1.0
    curve = frame.smooth_variance * _left_by_averaging(ny, len(rows), round(modes))
    index = np.broadcast_to(np.arange(len(rows))[:, None], count.shape)
    return Groups(
        mean=(residual / safe)[enough],
        variance=(c1 * own / np.square(safe) + by_column)[enough],
        shared=index[enough],
        shared_variance=np.broadcast_to(shared, count.shape)[enough],
        smooth_variance=curve * float(np.mean(relative[enough])) if enough.any() else 0.0,
        smooth_modes=modes,
    )


@lru_cache(maxsize=64)
def _left_by_averaging(length: int, parts: int, modes: int) -> float:
    """What means over equal parts of the rows leave of the variance of a curve of so many modes.

    Of a fitted polynomial every Legendre mode has the same variance (Seber & Lee 2003, Linear Regression
    Analysis, section 5.1); a spline's are close to it.
    """
    if parts < 2:
        return 0.0
    x = (2.0 * np.arange(length) + 1.0) / length - 1.0
    k = np.arange(1, modes + 1)
    values = legvander(x, modes)[:, 1:] * np.sqrt(2.0 * k + 1.0)
    edges = np.arange(parts) * length // parts
    means = np.add.reduceat(values, edges, axis=0) / np.diff(edges, append=length)[:, None]
    return float(np.mean(np.square(means)))


def _excess(test: str, groups: Groups, frame: Residual) -> Measurement:
    n = groups.mean.size
    unit = frame.unit if frame.model is None else ""
    pixels = int(np.count_nonzero(frame.usable))
    if n < FEWEST_GROUPS:
        return not_applicable(test, unit, f"{n} groups of pixels are too few", pixels)
    expected, error = expected_variance_of_means(groups)
    square = float(np.var(groups.mean, ddof=1)) - expected
    value = math.sqrt(max(0.0, square))
    upper = math.sqrt(max(0.0, square) + error) - value
    freedom = 2.0 * (expected / error) ** 2  # of the chi-square that the variance of the means follows
    return Measurement(
        test,
        value,
        upper,
        unit,
        pixels,
        reference=freedom,
        square=square,
        square_uncertainty=error,
    )


def expected_variance_of_means(groups: Groups) -> tuple[float, float]:
    r"""Expectation and standard error of the sample variance of Gaussian means.

    The means have independent errors of variance v_i, all of one row of blocks share an error of
    variance s, and all together that of a curve, which has few modes. With the projection P that takes out
    the overall mean and the covariance matrix C, the expectation is tr(P C) / (n - 1), the variance
    2 tr(P C P C) / (n - 1)^2.

    References
    ----------
    Searle 1971, Linear Models, chapter 2, theorems 1 and 2.
    """
    v, s = groups.variance, groups.shared_variance
    n = v.size
    _, member, size = np.unique(groups.shared, return_inverse=True, return_counts=True)
    s_row = np.bincount(member, weights=s) / size
    v_row = np.bincount(member, weights=v)
    row_sum = v + size[member] * s  # sums of the rows of C
    trace = float(v.sum() + s.sum())
    everything = float(row_sum.sum())
    expectation = (trace - everything / n) / (n - 1)
    # tr(C C) = sum v^2 + 2 sum_rows s v + sum_rows (size s)^2
    trace_square = float(np.square(v).sum() + 2.0 * (s_row * v_row).sum() + np.square(size * s_row).sum())
    # The curve: n w in m modes orthogonal to the mean; tr(C W) = n w times a mean's own variance.
    w = n * groups.smooth_variance
    expectation += w / (n - 1)
    trace_square += 2.0 * w * float(np.mean(v + size[member] * s)) + w**2 / groups.smooth_modes
    square = trace_square - 2.0 * float(np.square(row_sum).sum()) / n + everything**2 / n**2
    return expectation, math.sqrt(2.0 * max(square, 0.0)) / (n - 1)


def _peak(groups: Groups, frame: Residual) -> Measurement:
    n = groups.mean.size
    pixels = int(np.count_nonzero(frame.usable))
    if n < FEWEST_GROUPS:
        return not_applicable("structure_peak", "", f"{n} blocks are too few", pixels)
    error = np.sqrt(groups.variance + groups.shared_variance + groups.smooth_variance)
    z = (groups.mean - groups.mean.mean()) / error
    return Measurement(
        "structure_peak",
        float(np.abs(z).max()),
        1.0,
        "",
        pixels,
        reference=float(n),
        note="strongest block, in units of its error",
    )
