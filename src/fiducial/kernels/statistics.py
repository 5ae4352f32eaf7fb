"""Sums and statistics of rows, by the compiled kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels

type Float64 = npt.NDArray[np.float64]
type Int32 = npt.NDArray[np.int32]
type Int64 = npt.NDArray[np.int64]
type Float32 = npt.NDArray[np.float32]
type Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RowStatistics:
    """What the rows of an overscan show.

    Attributes
    ----------
    median, mean : (ny,) float64
        Of each row, the mean without what is clipped; NaN without a usable value.
    count, kept : (ny,) int32
        Usable values of each row, and those in its mean.
    noise : (blocks,) float64
        Clipped standard deviation of a value about the mean of its row, the lost degrees of freedom
        restored; NaN where nothing is left to measure it.
    """

    median: Float64
    mean: Float64
    count: Int32
    kept: Int32
    noise: Float64


def row_statistics(
    values: Float64,
    bounds: Int64,
    about_median: Float64,
    *,
    kappa: float,
    truncation: float,
    threads: int = 1,
) -> RowStatistics:
    """Medians and clipped means of rows, blocks of rows clipped by the noise that they share.

    In a block: the clipped sigma of values about the medians of their rows; each row's mean of the values
    within kappa of that about its median; the clipped sigma about those means. A clipped sigma starts
    from the half width of the central 68 per cent of 1,024 values or more, and then takes in every round all
    values within kappa sigma of the mean, with sigma corrected for the tails, until their number is stable.

    Parameters
    ----------
    values : (ny, nx) float64, C-contiguous
        Values that are not finite are not used.
    bounds : (blocks + 1,) int64
        Block b is rows ``bounds[b]`` to ``bounds[b + 1]``; from 0 to ny, rising.
    about_median : (nx + 1,) float64
        The variance of a value about the median of the n of its row, in units of its own.
    kappa : float
        Clipping limit in sigmas.
    truncation : float
        Variance of a standard normal variable cut off at kappa.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    RowStatistics

    Raises
    ------
    ValueError
        Shapes do not agree, or blocks do not cover the rows.
    """
    if values.ndim != 2 or about_median.shape != (values.shape[1] + 1,):
        raise ValueError(f"values {values.shape} and the table {about_median.shape} do not agree")
    _require_cover(bounds, len(values), "blocks")
    ny = len(values)
    out = RowStatistics(
        np.empty(ny), np.empty(ny), np.empty(ny, np.int32), np.empty(ny, np.int32), np.empty(len(bounds) - 1)
    )
    _kernels.row_statistics(
        np.ascontiguousarray(values, dtype=np.float64),
        np.ascontiguousarray(bounds, dtype=np.int64),
        np.ascontiguousarray(about_median, dtype=np.float64),
        kappa,
        truncation,
        out.median,
        out.mean,
        out.count,
        out.kept,
        out.noise,
        threads,
    )
    return out


@dataclass(frozen=True, slots=True, eq=False)
class BandSums:
    """Sums of an image's usable pixels.

    Attributes
    ----------
    bands : (bands, nx) float64
        Over the rows of each band.
    counts : (bands, nx) int64
        Usable pixels of those.
    rows : (ny,) float64
        Over single rows.
    row_counts : (ny,) int64
        Usable pixels of those.
    """

    bands: Float64
    counts: Int64
    rows: Float64
    row_counts: Int64


def band_sums(values: Float32, usable: Flags, bounds: Int64, *, threads: int = 1) -> BandSums:
    """Sum an image over bands of rows and over single rows, in float64.

    Parameters
    ----------
    values : (ny, nx) float32
        Pixels that are not usable may hold anything.
    usable : (ny, nx) bool
        Which pixels count.
    bounds : (bands + 1,) int64
        Band b is rows ``bounds[b]`` to ``bounds[b + 1]``; from 0 to ny, rising.
    threads : int
        Threads to use; the bits of the result do not depend on it.

    Returns
    -------
    BandSums

    Raises
    ------
    ValueError
        Shapes do not agree, or bands do not cover the rows.
    """
    if values.ndim != 2 or usable.shape != values.shape:
        raise ValueError(f"values {values.shape} and usable {usable.shape} are not one image each")
    _require_cover(bounds, len(values), "bands")
    ny, nx = values.shape
    bands = len(bounds) - 1
    out = BandSums(
        np.empty((bands, nx)), np.empty((bands, nx), np.int64), np.empty(ny), np.empty(ny, np.int64)
    )
    _kernels.band_sums(
        np.ascontiguousarray(values, dtype=np.float32),
        np.ascontiguousarray(usable).view(np.uint8),
        np.ascontiguousarray(bounds, dtype=np.int64),
        out.bands,
        out.counts,
        out.rows,
        out.row_counts,
        threads,
    )
    return out


def quantiles(
    values: Float32, usable: Flags | None, fractions: Sequence[float], *, threads: int = 1
) -> tuple[Float64, int]:
    """Quantiles of the usable finite values, interpolated linearly in float64, without sorting them.

    Parameters
    ----------
    values : array of any shape, float32
        Values that are not finite are passed over.
    usable : array of that shape, bool, or None
        Which values count; None: all.
    fractions : (n,)
        From 0 (the least value) to 1 (the greatest).
    threads : int
        Threads to use; the result does not depend on it.

    Returns
    -------
    quantiles : (n,) float64
        NaN where no value counts.
    size : int
        How many values count.

    Raises
    ------
    ValueError
        Shapes do not agree, or a fraction is not within 0 to 1.

    References
    ----------
    Hyndman & Fan 1996 (Am. Stat. 50, 361), definition 7. The search counts the values by their leading bits
    first: Knuth 1998, The Art of Computer Programming 3, section 5.2.5.
    """
    wanted = np.asarray(fractions, dtype=np.float64)
    if usable is not None and usable.shape != values.shape:
        raise ValueError(f"values {values.shape} and usable {usable.shape} do not agree")
    if not (wanted >= 0).all() or not (wanted <= 1).all():
        raise ValueError(f"fractions {wanted} are not all from 0 to 1")
    out = np.empty(len(wanted))
    flags = None if usable is None else np.ascontiguousarray(usable).view(np.uint8).ravel()
    flat = np.ascontiguousarray(values, dtype=np.float32).ravel()
    size = _kernels.quantiles(flat, flags, wanted, out, threads)
    return out, size


def _require_cover(bounds: Int64, rows: int, what: str) -> None:
    if len(bounds) < 2 or bounds[0] != 0 or bounds[-1] != rows or np.any(np.diff(bounds) < 1):
        raise ValueError(f"{what} {bounds} do not cover {rows} rows")
