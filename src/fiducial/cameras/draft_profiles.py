"""What column (or row) profiles of dark and lit frames tell: light, steps of the level, settling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLIND = 0.005  # of the median response: what responds less does not see the light
_WINDOW = 8  # columns whose medians are compared on both sides of a step
_STEP_SIGMA = 8.0  # a step counts from so many times the scatter of the profile
_STEP_LEAST = 1.0  # adu


@dataclass(frozen=True)
class Span:
    """Columns (or rows) ``start <= i < stop``."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def index(self) -> slice:
        """These columns of a profile."""
        return slice(self.start, self.stop)


def runs(flags: np.ndarray) -> list[Span]:
    """Runs of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(int), [0]))))
    return [Span(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def sees_light(response: np.ndarray, axis: int) -> np.ndarray:
    """Which columns (axis 0) or rows (axis 1) respond to light.

    Parameters
    ----------
    response
        Lit minus dark (rows, columns), adu.
    axis
        The axis that medians are taken along.

    Returns
    -------
    ndarray of bool
        A median response above 0.5 % of the median of those that respond at all. Deferred charge and
        offsets of the overscan in lit rows are a few tenths of a per cent at most.
    """
    profile = np.median(response, axis=axis)
    typical = float(np.median(profile[profile > BLIND * profile.max()]))
    seeing: np.ndarray = profile > BLIND * typical
    return seeing


def steps(profile: np.ndarray) -> list[int]:
    """Where the level of a profile steps: indices of the first columns of the new level.

    Medians of 8 columns on both sides are compared, so that single columns (contaminated, hot, dead) are no
    step; a step is at least 8 times the scatter of neighbouring columns, and at least 1 adu. The outermost
    16 columns are left out: transients of the readout are there, and no amplifier is as narrow.
    """
    n = len(profile)
    if n < 4 * _WINDOW:
        return []
    scatter = 1.4826 * float(np.median(np.abs(np.diff(profile)))) / np.sqrt(2)
    limit = max(_STEP_LEAST, _STEP_SIGMA * scatter)
    views = np.lib.stride_tricks.sliding_window_view(profile, _WINDOW)
    middles = np.median(views, axis=1)
    change = np.zeros(n)
    change[_WINDOW : n - _WINDOW + 1] = np.abs(middles[_WINDOW:] - middles[: n - 2 * _WINDOW + 1])
    change[: 2 * _WINDOW] = change[n - 2 * _WINDOW :] = 0.0
    return [_sharpest(profile, span) for span in runs(change > limit)]


def _sharpest(profile: np.ndarray, span: Span) -> int:
    """Within a stretch where medians differ, the place that parts the two levels best."""
    low, high = max(span.start - _WINDOW, 0), min(span.stop + _WINDOW, len(profile))
    best, place = np.inf, span.start
    for cut in range(span.start, span.stop):
        left, right = profile[low:cut], profile[cut:high]
        misfit = np.abs(left - np.median(left)).sum() + np.abs(right - np.median(right)).sum()
        if misfit < best:
            best, place = float(misfit), cut
    return place


def read_first(profile: np.ndarray, noise: float) -> tuple[str | None, float]:
    """Which end of an overscan's profile was read first: where the outermost column is off its level.

    Returns
    -------
    end
        ``L``, ``R``, or None where neither end stands out.
    deviation
        Of that end's outermost column from the median of the others (adu).
    """
    level = float(np.median(profile))
    left, right = float(profile[0] - level), float(profile[-1] - level)
    limit = max(0.25 * noise, 0.5)
    if max(abs(left), abs(right)) < limit:
        return None, 0.0
    return ("L", left) if abs(left) > abs(right) else ("R", right)


def columns_to_skip(profile: np.ndarray, noise: float, error: float) -> int:
    """How many columns, in readout order, come before the overscan has settled.

    Parameters
    ----------
    profile
        Mean of each overscan column, in readout order, of frames without light (adu).
    noise
        Of one pixel (adu).
    error
        Of a column's mean (adu).

    Returns
    -------
    int
        Up to the last column of the first half whose level (the mean of three neighbours) is further than
        a tenth of the noise from that of the second half, or than three times its own error.
    """
    half = len(profile) // 2
    if half < 4:
        return 0
    level = float(np.median(profile[half:]))
    padded = np.concatenate((profile[:1], profile, profile[-1:]))
    smooth = np.convolve(padded, np.ones(3) / 3, mode="valid")
    limit = max(0.1 * noise, 3 * error / np.sqrt(3))
    off = np.flatnonzero(np.abs(smooth[: len(profile) * 3 // 4] - level) > limit)
    return int(off[-1]) + 1 if len(off) else 0
