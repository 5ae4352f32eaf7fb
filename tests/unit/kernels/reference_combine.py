"""The kernels' definitions in plain numpy, one pixel at a time."""

from __future__ import annotations

import numpy as np

TIE = 1 + 1e-12  # deviations that equal a limit but for rounding are kept


def clipped_pixel(values, kappa, iterations):
    """Clipped mean, variance of the mean, used, clipped of one pixel's usable values."""
    kept = np.asarray(values, dtype=np.float64)
    if kept.size == 0:
        return np.nan, np.nan, 0, 0
    total = kept.size
    for _ in range(iterations):
        if kept.size < 2:
            break
        inside = np.abs(kept - np.median(kept)) <= kappa * TIE * np.std(kept, ddof=1)
        if inside.all():
            break
        kept = kept[inside]
    variance = np.var(kept, ddof=1) / kept.size if kept.size > 1 else np.nan
    return np.mean(kept), variance, kept.size, total - kept.size


def combined_pixel(values, rule, weights, frames):
    """Value, variance, used, clipped of one pixel's usable values, by any mode; ``frames`` there are."""
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        return np.nan, np.nan, 0, 0
    kept = np.ones(values.size, bool)
    if rule.mode.startswith("clipped"):
        for _ in range(rule.iterations):
            left = values[kept]
            limit = rule.kappa * TIE * np.std(left, ddof=1) if left.size > 1 else np.inf
            outside = kept & (np.abs(values - np.median(left)) > limit)
            if not outside.any():
                break
            kept &= ~outside
    if rule.mode == "minmax":
        low, high = (number * values.size // frames for number in (rule.low, rule.high))
        ordered = np.sort(values)
        left = ordered[low : values.size - high]
        moved = np.clip(ordered, left[0], left[-1])
        h = left.size
        variance = np.sum((moved - moved.mean()) ** 2) / (h * (h - 1)) if h > 1 else np.nan
        return left.mean(), variance, h, values.size - h
    left, n = values[kept], int(kept.sum())
    w = np.ones(n) if weights is None else weights[kept]
    mean = np.sum(w * left) / np.sum(w)
    variance = np.sum(w * (left - mean) ** 2) / ((n - 1) * np.sum(w)) if n > 1 else np.nan
    value = np.median(left) if "median" in rule.mode else mean
    return value, variance, n, values.size - n


def weighted_pixel(values, variance_at, kappa, iterations):
    """Weighted mean, its variance, used, clipped; ``variance_at(mean)`` are the values' variances."""
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        return np.nan, np.nan, 0, 0
    order = np.lexsort((-variance_at(0.0), values))
    values = values[order]

    def variances(mean):
        return variance_at(mean)[order]

    def mean_of(kept, start):
        w = 1 / variances(start)[kept]
        return np.sum(w * values[kept]) / np.sum(w), 1 / np.sum(w)

    everything = np.ones(values.size, bool)
    mean, quoted = mean_of(everything, 0.0)
    for _ in range(2):
        mean, quoted = mean_of(everything, mean)
    limit = (kappa * TIE) ** 2

    def deviates(kept, mean, quoted):
        """From the mean of the others that are kept, at the variances which that mean implies."""
        out = np.empty(values.size, bool)
        v = variances(mean)
        for i, value in enumerate(values):
            free = max(1 - quoted / v[i], 1e-6) if kept[i] else 1.0
            others = mean - (value - mean) * (1 - free) / free
            expected = variances(others)[i] + quoted / free
            out[i] = (value - others) ** 2 > limit * expected
        return out

    if iterations == 0 or not deviates(everything, mean, quoted).any():
        return mean, quoted, values.size, 0
    costs = [
        np.sum(np.minimum((values - candidate) ** 2 / variances(candidate), limit)) for candidate in values
    ]
    best = int(np.argmin(costs))
    mean = values[best]
    kept = (values - mean) ** 2 <= limit * variances(mean)
    for _ in range(iterations):
        mean, quoted = mean_of(kept, mean)
        new = ~deviates(kept, mean, quoted)
        if np.array_equal(new, kept) or not new.any():
            break
        kept = new
    mean, quoted = mean_of(kept, mean)
    return mean, quoted, int(kept.sum()), int(values.size - kept.sum())


def image_by_image(function, frames, usable):
    """Apply a function of (values, frames' indices) to the usable, finite values of every pixel."""
    good = np.isfinite(frames)
    if usable is not None:
        good &= usable.astype(bool)
    rows = [
        function(frames[good[:, p], p].astype(np.float64), np.flatnonzero(good[:, p]))
        for p in range(frames.shape[1])
    ]
    return [np.array(column) for column in zip(*rows, strict=True)]
