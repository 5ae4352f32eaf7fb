"""Frames of one scene combined by a rule of choice: means and medians, clipped or without the extremes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fiducial import kernels
from fiducial.algorithms.arrays import Flags, Float32, Float64, Numbers
from fiducial.algorithms.combine import (
    Combined,
    by_number,
    largest_deviation,
    mean_variance_factor,
    scatter_variance_factor,
    unbiased_variance,
)
from fiducial.algorithms.order_statistics import median_variance
from fiducial.kernels import MODES, Rule

__all__ = ["MODES", "Rule", "combine_by", "loss_of_median", "variance_of_clipped_median"]

_VALUES_SIMULATED = 6_000_000  # Gaussian values behind one variance
_BATCH = 2_000_000  # of them at a time in memory


def combine_by(
    stack: Numbers,
    usable: Flags | None,
    rule: Rule,
    *,
    level: Float64 | None = None,
    gain: float = 1.0,
    scale: Float64 | None = None,
    weights: Float64 | None = None,
    threads: int = 1,
) -> Combined:
    r"""Combine frames by a `fiducial.kernels.Rule`.

    Clipping rejects in each round all frames with ``|x - median| > kappa s``, s the sample standard
    deviation (ddof = 1) of those still in; see `fiducial.algorithms.combine.combine_clipped` for what
    it cannot reject from few frames. ``minmax`` leaves out the lowest and highest values whatever they are.

    Parameters
    ----------
    stack : (n, ny, nx) float32, or raw integers of 16 or 32 bits
        The frames; pixels that are not finite are not used.
    usable : (n, ny, nx) bool, optional
        False where a pixel of a frame is masked.
    rule : Rule
        Mode, and how much is rejected.
    level : (n, ny) float64, optional
        What is taken off each row of each frame first.
    gain : float
        What is multiplied with then.
    scale : (n,) float64, optional
        What each frame is divided by.
    weights : (n,) float64, optional
        Of the frames, in a mean; positive.
    threads : int
        Threads to use; the result is the same to the bit for any number.

    Returns
    -------
    Combined
        ``variance`` is by the scatter of the frames that stayed in, for Gaussian frames without bias:

        - of means :math:`s^2 / n`, after clipping over
          `~fiducial.algorithms.combine.scatter_variance_factor`;
        - of medians that times :math:`n` times `~fiducial.algorithms.order_statistics.median_variance`,
          which grows from 1 to :math:`\pi / 2`; after clipping with `variance_of_clipped_median`;
        - of ``minmax`` by winsorised squares, :math:`SS_w / (h (h - 1))` of the h values that stay.

        NaN where fewer than two stayed in.

    Raises
    ------
    ValueError
        Shapes do not agree, a scale is zero or not finite, or the rule does not fit the number of frames.
    TypeError
        The frames are of another type.

    References
    ----------
    Medians: David & Nagaraja 2003, Order Statistics, sections 2 and 4. Trimmed means: Tukey & McLaughlin
    1963 (Sankhya A 25, 331).
    """
    planes = kernels.combine(
        stack,
        rule,
        usable=None if usable is None else np.ascontiguousarray(usable, np.bool_).view(np.uint8),
        level=level,
        gain=gain,
        scale=scale,
        weights=weights,
        threads=threads,
    )
    found = Combined(*planes)
    return Combined(found.image, _unbiased(found, rule), found.used, found.clipped)


def loss_of_median(n: int) -> float:
    """Variance of the median of n Gaussian values over that of their mean: 1 to pi / 2."""
    return n * median_variance(n) if n > 0 else float("nan")


@lru_cache(maxsize=1024)
def variance_of_clipped_median(n: int, kappa: float, iterations: int) -> float:
    """True variance of the clipped median of n Gaussian frames of variance 1.

    More than that of the median: what is clipped at one end moves the middle, and outliers are told
    from where the middle is. By 6 per cent for 20 frames at kappa = 2.5, by 0.7 at 3. Simulated with the
    kernel (fixed seed), the median without clipping as control variate, to 0.5 per cent or better.

    References
    ----------
    Control variates: Glasserman 2003, Monte Carlo Methods in Financial Engineering, section 4.1.1.
    """
    if n < 2 or iterations == 0 or kappa >= largest_deviation(n):
        return median_variance(max(n, 1))
    generator = np.random.default_rng([n, iterations, round(kappa * 1e6)])
    pixels = max(_VALUES_SIMULATED // n, 20_000)
    batch = max(_BATCH // n, 1)
    excess = 0.0
    for done in range(0, pixels, batch):
        frames = generator.standard_normal((n, min(batch, pixels - done)), dtype=np.float32)
        clipped = kernels.combine(frames, Rule("clipped_median", kappa, iterations))[0]
        plain = kernels.combine(frames, Rule("median"))[0]
        excess += float(np.sum(np.square(clipped, dtype=np.float64) - np.square(plain, dtype=np.float64)))
    return median_variance(n) + excess / pixels


def _unbiased(found: Combined, rule: Rule) -> Float32:
    if rule.mode == "clipped_mean":
        return unbiased_variance(found, kappa=rule.kappa, iterations=rule.iterations)
    if rule.mode in ("mean", "minmax"):
        return found.variance
    unbiased: Float32 = found.variance * by_number(found.used + found.clipped, lambda n: _of_median(n, rule))
    return unbiased


def _of_median(n: int, rule: Rule) -> float:
    """Variance of the median of n frames over what their scatter after clipping says of the mean, s^2 / n."""
    if rule.mode == "median" or n < 2:
        return loss_of_median(n)
    clip = rule.kappa, rule.iterations
    # What clipping leaves of s^2 / n, over sigma^2 / n.
    left = scatter_variance_factor(n, *clip) * mean_variance_factor(n, *clip)
    return n * variance_of_clipped_median(n, *clip) / left
