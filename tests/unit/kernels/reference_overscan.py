"""The statistics of overscan rows by plain numpy, value by value as the kernel states them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

type Float64 = NDArray[np.float64]

START = 1024
CLIP_BY = 32_768
TIE = 1.0 + 1e-12


def clipped_sigma(values: Float64, kappa: float, truncation: float) -> float:
    """Clip about the mean until the number kept is stable; any value may come back in."""
    values = values[np.isfinite(values)]
    if values.size < 2:
        return np.nan
    low, centre, high = np.percentile(values[:: (values.size // START) | 1], [15.8655, 50.0, 84.1345])
    sigma = 0.5 * (high - low) if high > low else float(np.std(values))
    last = -1
    for _ in range(20):
        kept = values[np.abs(values - centre) <= kappa * sigma * TIE]
        if kept.size in (last, 0, 1):
            break
        last = kept.size
        centre = float(np.mean(kept))
        sigma = float(np.std(kept, ddof=1) / np.sqrt(truncation))
    return sigma


def row_statistics(
    values: Float64, bounds: list[int], about_median: Float64, kappa: float, truncation: float
) -> tuple[Float64, Float64, Float64, Float64, Float64]:
    """Median, mean, count, kept of each row, and the noise of each block."""
    rows: list[tuple[float, float, int, int]] = []
    noise = []
    for first, last in pairwise(bounds):
        block = values[first:last]
        finite = [row[np.isfinite(row)] for row in block]
        medians = [float(np.median(row)) if row.size else np.nan for row in finite]
        step = max(block.size // CLIP_BY, 1)
        about = [
            (row - median) / np.sqrt(about_median[row.size])
            for row, median in list(zip(finite, medians, strict=True))[::step]
            if about_median[row.size] > 1e-9
        ]
        limit = kappa * clipped_sigma(np.concatenate([[], *about]), kappa, truncation) * TIE
        limit = limit if np.isfinite(limit) else np.inf
        residuals = []
        for row, median in zip(finite, medians, strict=True):
            kept = row[np.abs(row - median) <= limit]
            mean = float(np.mean(kept)) if kept.size else np.nan
            rows.append((median, mean, row.size, kept.size))
            if kept.size > 1:
                residuals.append((row - mean) / np.sqrt(1.0 - 1.0 / kept.size))
        noise.append(clipped_sigma(np.concatenate([[], *residuals]), kappa, truncation))
    median, mean, count, kept_count = np.array(rows).T
    return median, mean, count, kept_count, np.array(noise)
