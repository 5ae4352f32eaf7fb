"""Frames of one scene combined, for biases and flats: how outliers are told, and the variance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.combine import Combined, combine_expected
from fiducial.algorithms.combine_by import Rule, combine_by, loss_of_median
from fiducial.corrections.variance import expected_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.segment import World
    from fiducial.kinds.engine import Batch
    from fiducial.kinds.raw_batches import RawBatch

FEWEST_FOR_SCATTER = 5
"""With fewer usable frames the scatter says too little of the variance; the expected noise is used."""

PER_PIXEL_VARIANCE = 16
"""Working bytes for each pixel of each frame where the expected noise of light is used."""


def uses_scatter(n_frames: int, rule: Rule) -> bool:
    """Whether the scatter of so many frames gives their variance, and tells the outliers if it has to.

    One outlier among N frames deviates by sqrt(N) sample deviations at most, so a mean of fewer than
    kappa^2 frames would never be clipped: there the expected noise tells the outliers.
    """
    clips = rule.mode == "clipped_mean" and rule.iterations > 0
    return n_frames >= FEWEST_FOR_SCATTER and (not clips or n_frames > rule.kappa**2)


def combine_batch(
    batch: Batch,
    rule: Rule,
    *,
    world: World,
    scale: NDArray[np.float64] | None,
    light: bool,
    threads: int,
) -> Combined:
    """Combine a batch.

    Parameters
    ----------
    batch
        The frames.
    rule
        How.
    world
        Their unit.
    scale
        (n,) what each frame is divided by; None: nothing.
    light
        Whether the frames have light, which makes noise; biases have that of the read-out alone.
    threads
        Cores to use.

    Returns
    -------
    Combined
        Its variance is the scatter's, corrected for the clipping; where fewer than five frames are usable,
        or there are too few to clip by their scatter, it is the expected one. Values that ``minmax`` leaves
        out do not count as clipped: they need be no outliers.
    """
    usable = None if batch.usable.all() else batch.usable
    if rule.mode == "clipped_mean" and not uses_scatter(len(batch.stack), rule):
        return combine_expected(
            batch.stack,
            usable,
            scale=scale,
            variance=_expected(batch, world, scale, light, threads),
            kappa=rule.kappa,
            iterations=rule.iterations,
            threads=threads,
        )
    found = combine_by(batch.stack, usable, rule, scale=scale, threads=threads)
    return _finished(found, batch, rule, world, scale, light)


def combine_raw_batch(batch: RawBatch, rule: Rule, *, world: World, threads: int) -> Combined:
    """Combine raw pixels without light, overscan and gain taken off on the way; else as `combine_batch`.

    For as many frames as `uses_scatter` wants.
    """
    found = combine_by(batch.stack, batch.usable, rule, level=batch.levels, gain=batch.gain, threads=threads)
    return _finished(found, batch, rule, world, None, light=False)


def _finished(
    found: Combined,
    batch: Batch | RawBatch,
    rule: Rule,
    world: World,
    scale: NDArray[np.float64] | None,
    light: bool,
) -> Combined:
    """With the expected variance where few frames are usable, and what counts as clipped."""
    variance = found.variance
    few = (found.used + found.clipped < FEWEST_FOR_SCATTER) & (found.used > 0)
    if few.any():
        variance = np.where(few, _of_few(batch, found, rule, world, scale, light), variance)
    clipped = np.zeros_like(found.clipped) if rule.mode == "minmax" else found.clipped
    return Combined(found.image, variance, found.used, clipped)


def _expected(
    batch: Batch, world: World, scale: NDArray[np.float64] | None, light: bool, threads: int
) -> NDArray[np.float32] | NDArray[np.float64]:
    """Variance of every pixel of every frame: (n,) without light, else (n, ny, nx) by the frames' median."""
    if not light:
        return np.array([float(_noise(np.float32(0.0), batch, world, added)) for added in batch.added])
    scales = np.ones(len(batch.stack)) if scale is None else scale
    usable = None if batch.usable.all() else batch.usable
    median = combine_by(batch.stack, usable, Rule("median"), scale=scale, threads=threads).image
    scene = np.nan_to_num(median, copy=False)  # 0 where no frame has a value
    out = np.empty_like(batch.stack)
    for k, (factor, added) in enumerate(zip(scales, batch.added, strict=True)):
        out[k] = _noise(scene * np.float32(factor), batch, world, added)
    return out


def _of_few(
    batch: Batch | RawBatch,
    found: Combined,
    rule: Rule,
    world: World,
    scale: NDArray[np.float64] | None,
    light: bool,
) -> NDArray[np.float32]:
    """Expected variance of what few frames give, as if they were average ones."""
    factor = 1.0 if scale is None else float(np.mean(scale))
    signal = found.image * np.float32(factor) if light else np.float32(0.0)
    one = _noise(signal, batch, world, float(batch.added.mean())) / np.float32(factor**2)
    used = np.arange(FEWEST_FOR_SCATTER)
    loss = [loss_of_median(max(int(n), 1)) if "median" in rule.mode else 1.0 for n in used]
    share = np.asarray(loss, np.float32) / np.maximum(used, 1)
    return np.asarray(one * share[np.minimum(found.used, FEWEST_FOR_SCATTER - 1)], dtype=np.float32)


def _noise(
    signal: NDArray[np.float32] | np.float32, batch: Batch | RawBatch, world: World, added: float
) -> NDArray[np.float32]:
    return expected_variance(np.asarray(signal, dtype=np.float32), batch.amplifier, world, added)
