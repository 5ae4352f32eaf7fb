"""The compiled pixel kernels and nothing else: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fiducial.kernels import _kernels
from fiducial.kernels.checks import require_clipping, require_scale, require_vector
from fiducial.kernels.combine import MODES, Rule, clipped_mean, combine
from fiducial.kernels.detrend import detrend_rows, inverse_of, row_medians
from fiducial.kernels.detrend_steps import Detrended, Detrending, Linearity, MasterPlanes, NanMark, Noise
from fiducial.kernels.pairs import PAIR_TYPES, PairProducts, lag_products, pair_products
from fiducial.kernels.raw import (
    RAW_TYPES,
    Limits,
    clipped_mean_integers,
    clipped_mean_into,
    correct_rows,
    turn_words,
)
from fiducial.kernels.statistics import BandSums, RowStatistics, band_sums, quantiles, row_statistics
from fiducial.kernels.tiles import TileFault, rice_encode, rice_tiles

__all__ = [
    "MODES",
    "PAIR_TYPES",
    "RAW_TYPES",
    "BandSums",
    "Detrended",
    "Detrending",
    "Limits",
    "Linearity",
    "MasterPlanes",
    "NanMark",
    "Noise",
    "PairProducts",
    "RowStatistics",
    "Rule",
    "TileFault",
    "band_sums",
    "clipped_mean",
    "clipped_mean_integers",
    "clipped_mean_into",
    "combine",
    "correct_rows",
    "dark_rate",
    "detrend_rows",
    "expected_mean",
    "inverse_of",
    "lag_products",
    "pair_products",
    "quantiles",
    "rice_encode",
    "rice_tiles",
    "row_medians",
    "row_statistics",
    "turn_words",
]

type Float32 = npt.NDArray[np.float32]
type Float64 = npt.NDArray[np.float64]
type Int32 = npt.NDArray[np.int32]
type Bytes = npt.NDArray[np.uint8]
type CombinedPixels = tuple[Float32, Float32, Int32, Int32]


def expected_mean(
    frames: Float32,
    usable: Bytes | None,
    scale: Float64 | None,
    variance: Float64 | Float32,
    *,
    kappa: float,
    iterations: int,
    threads: int = 1,
) -> CombinedPixels:
    """Weighted mean of frames of known variance; see `fiducial.algorithms.combine.combine_expected`.

    Parameters
    ----------
    frames, usable, scale, iterations, threads
        As in `clipped_mean`.
    variance : (n,) float64 or (n, npix) float32
        Variance of the values before they are divided by the scale; a value whose variance is not
        positive and finite is not used.
    kappa : float
        Clipping limit in expected sigmas, at least 1.

    Returns
    -------
    mean, variance : (npix,) float32
        Weighted mean and 1 / sum of weights; NaN without a usable value.
    used, clipped : (npix,) int32
        Values in the mean, and usable values rejected.

    Raises
    ------
    ValueError
        Shapes do not agree, or a parameter is out of range.
    """
    _check(frames, usable, kappa, iterations)
    scale = require_scale(scale, frames.shape[0])
    if variance.ndim == 1:
        of_frames = require_vector("variance", variance.astype(np.float64, copy=False), frames.shape[0])
        return _kernels.expected_mean(frames, usable, scale, of_frames, None, kappa, iterations, threads)
    if variance.shape != frames.shape:
        raise ValueError(f"variance {variance.shape} fits neither {frames.shape} nor {frames.shape[:1]}")
    of_pixels = variance.astype(np.float32, copy=False)
    return _kernels.expected_mean(frames, usable, scale, None, of_pixels, kappa, iterations, threads)


def dark_rate(
    frames: Float32,
    usable: Bytes | None,
    times: Float64,
    read_variance: Float64,
    *,
    gain: float,
    kappa: float,
    iterations: int,
    threads: int = 1,
) -> CombinedPixels:
    """Rate per second of darks of any times; see `fiducial.algorithms.dark.combine_dark`.

    Parameters
    ----------
    frames, usable, iterations, threads
        As in `clipped_mean`; values are counts.
    times : (n,) float64
        Seconds, positive.
    read_variance : (n,) float64
        Variance of a value without signal, positive.
    gain : float
        Electrons per count: the variance of d counts is d / gain.
    kappa : float
        Clipping limit in expected sigmas, at least 1.

    Returns
    -------
    rate, variance : (npix,) float32
        Weighted mean rate and 1 / sum of weights; NaN without a usable value.
    used, clipped : (npix,) int32
        Values in the mean, and usable values rejected.

    Raises
    ------
    ValueError
        Shapes do not agree, or a parameter is out of range.
    """
    _check(frames, usable, kappa, iterations)
    for name, values in (("times", times), ("read variances", read_variance)):
        require_vector(name, values, frames.shape[0])
        if not np.all(np.isfinite(values) & (values > 0)):
            raise ValueError(f"{name} are not all positive and finite: {values}")
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"gain {gain} is not positive and finite")
    return _kernels.dark_rate(
        frames,
        usable,
        np.ascontiguousarray(times),
        np.ascontiguousarray(read_variance),
        gain,
        kappa,
        iterations,
        threads,
    )


def _check(frames: Float32, usable: Bytes | None, kappa: float, iterations: int) -> None:
    if frames.ndim != 2 or frames.shape[0] == 0 or frames.dtype != np.float32:
        raise ValueError(f"frames are (n, npix) of float32, not {frames.shape} of {frames.dtype}")
    if usable is not None and usable.shape != frames.shape:
        raise ValueError(f"usable {usable.shape} and frames {frames.shape} differ in shape")
    require_clipping(kappa, iterations)
