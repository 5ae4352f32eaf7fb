"""Sums of lagged products by plain slices."""

from __future__ import annotations

import numpy as np

ROUNDING = 2.3e-6
"""Of the sum of magnitudes: 37 roundings to float on the way of a product, and those in double."""


def lagged(values, usable, lag):
    """Sums, sums of magnitudes and numbers at lags dy = 0..lag, dx = -lag..lag."""
    ny, nx = values.shape
    sums, magnitudes = np.zeros((2, lag + 1, 2 * lag + 1))
    counts = np.zeros((lag + 1, 2 * lag + 1), dtype=np.int64)
    for dy in range(min(lag + 1, ny)):
        for dx in range(-min(lag, nx - 1), min(lag, nx - 1) + 1):
            here = (slice(0, ny - dy), slice(max(0, -dx), nx - max(0, dx)))
            there = (slice(dy, ny), slice(max(0, dx), nx - max(0, -dx)))
            products = values[here].astype(float) * values[there] * (usable[here] & usable[there])
            sums[dy, dx + lag] = products.sum()
            magnitudes[dy, dx + lag] = np.abs(products).sum()
            counts[dy, dx + lag] = np.count_nonzero(usable[here] & usable[there])
    return sums, magnitudes, counts
