"""Clipped means of frames of one scene, for biases and flats: how outliers are told, and the variance."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.combine import Combined, combine_clipped, combine_expected, unbiased_variance
from fiducial.corrections.variance import expected_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.segment import World
    from fiducial.kinds.engine import Batch

FEWEST_FOR_SCATTER = 5
"""With fewer usable frames the scatter says too little of the variance; the expected noise is used."""

PER_PIXEL_VARIANCE = 16
"""Working bytes for each pixel of each frame where the expected noise of light is used."""


def uses_scatter(n_frames: int, kappa: float, iterations: int) -> bool:
    """Whether so many frames can be clipped by their own scatter.

    One outlier among N frames deviates by sqrt(N) sample deviations at most, so fewer than kappa^2
    frames would never be clipped: there the expected noise tells the outliers.
    """
    return n_frames >= FEWEST_FOR_SCATTER and (iterations == 0 or n_frames > kappa**2)


def clipped_mean(
    batch: Batch,
    *,
    world: World,
    scale: NDArray[np.float64] | None,
    light: bool,
    kappa: float,
    iterations: int,
    threads: int,
) -> Combined:
    """Combine a batch by its mean.

    Parameters
    ----------
    batch
        The frames.
    world
        Their unit.
    scale
        (n,) what each frame is divided by; None: nothing.
    light
        Whether the frames have light, which makes noise; biases have that of the read-out alone.
    kappa, iterations, threads
        As the algorithms take them.

    Returns
    -------
    Combined
        Its variance is the scatter's, corrected for the clipping; where fewer than five frames are usable,
        or there are too few to clip by their scatter, it is the expected one.
    """
    usable = None if batch.usable.all() else batch.usable
    if not uses_scatter(len(batch.stack), kappa, iterations):
        known = _expected(batch, world, scale, light)
        return combine_expected(
            batch.stack,
            usable,
            scale=scale,
            variance=known,
            kappa=kappa,
            iterations=iterations,
            threads=threads,
        )
    found = combine_clipped(
        batch.stack, usable, scale=scale, kappa=kappa, iterations=iterations, threads=threads
    )
    variance = unbiased_variance(found, kappa=kappa, iterations=iterations)
    few = (found.used + found.clipped < FEWEST_FOR_SCATTER) & (found.used > 0)
    if few.any():
        variance = np.where(few, _of_few(batch, found, world, scale, light), variance)
    return Combined(found.image, variance, found.used, found.clipped)


def _expected(
    batch: Batch, world: World, scale: NDArray[np.float64] | None, light: bool
) -> NDArray[np.float32] | NDArray[np.float64]:
    """Variance of every pixel of every frame: (n,) without light, else (n, ny, nx) by the frames' median."""
    if not light:
        return np.array([float(_noise(np.float32(0.0), batch, world, added)) for added in batch.added])
    scales = np.ones(len(batch.stack)) if scale is None else scale
    with np.errstate(invalid="ignore"):
        pixels = np.where(batch.usable, batch.stack / scales.astype(np.float32)[:, None, None], np.nan)
        scene = _median(pixels)
    out = np.empty_like(batch.stack)
    for k, (factor, added) in enumerate(zip(scales, batch.added, strict=True)):
        out[k] = _noise(scene * np.float32(factor), batch, world, added)
    return out


def _of_few(
    batch: Batch, found: Combined, world: World, scale: NDArray[np.float64] | None, light: bool
) -> NDArray[np.float32]:
    """Expected variance of the mean of few frames, as if they were average ones."""
    factor = 1.0 if scale is None else float(np.mean(scale))
    signal = found.image * np.float32(factor) if light else np.float32(0.0)
    one = _noise(signal, batch, world, float(batch.added.mean())) / np.float32(factor**2)
    return np.asarray(one / np.maximum(found.used, 1), dtype=np.float32)


def _noise(
    signal: NDArray[np.float32] | np.float32, batch: Batch, world: World, added: float
) -> NDArray[np.float32]:
    return expected_variance(np.asarray(signal, dtype=np.float32), batch.amplifier, world, added)


def _median(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over frames; 0 where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "All-NaN slice": a pixel that no frame has
        return np.nan_to_num(np.nanmedian(pixels, axis=0)).astype(np.float32)
