"""Read noise and gain of an amplifier from pairs of frames, by plain pair statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_CLIP = 5.0  # sigma
_BLOCK = 16  # pixels: illumination is even within a block
_LEAST = 20.0  # times the read variance: blocks of less signal say little about the gain


def pair_sigma(one: np.ndarray, other: np.ndarray) -> float:
    """Noise of one pixel (adu): of the difference of two frames over sqrt(2), clipped at 5 sigma."""
    difference = (one.astype(np.float64) - other).ravel()
    for _ in range(3):
        middle, spread = float(difference.mean()), float(difference.std())
        if spread == 0.0:
            break
        difference = difference[np.abs(difference - middle) <= _CLIP * spread]
    return float(difference.std() / np.sqrt(2.0))


def read_noise(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float | None:
    """Read noise (adu) pooled over pairs; None without pairs."""
    if not pairs:
        return None
    return float(np.sqrt(np.mean([pair_sigma(one, other) ** 2 for one, other in pairs])))


def flat_pair_gain(one: np.ndarray, other: np.ndarray, noise: float) -> tuple[float, float] | None:
    """Gain (electron / adu) and its statistical error from two flats of one level.

    Parameters
    ----------
    one, other
        Signal above bias (rows, columns), adu; no pixel saturated, none NaN.
    noise
        Read noise (adu).

    Returns
    -------
    tuple or None
        The mean over blocks of 16 x 16 pixels of (variance - noise^2) / signal is 1 / gain. Pixels that are
        off by more than 5 sigma of their block are left out, and blocks with a signal below 20 noise^2;
        None where no more than three are left. Neighbour covariances are not added.
    """
    ny, nx = (size // _BLOCK * _BLOCK for size in one.shape)
    if not ny or not nx:
        return None
    ratio = float(one.sum() / other.sum())
    first, second = _blocks(one[:ny, :nx]), _blocks(other[:ny, :nx] * ratio)
    signal = 0.5 * (first + second).mean(axis=1)
    difference = (first - second) / np.sqrt(1.0 + ratio)
    difference -= difference.mean(axis=1, keepdims=True)
    kept = np.abs(difference) <= _CLIP * difference.std(axis=1, keepdims=True)
    count = kept.sum(axis=1)
    middle_of = (difference * kept).sum(axis=1) / count
    variance = ((difference - middle_of[:, None]) ** 2 * kept).sum(axis=1) / (count - 1)
    bright = signal > _LEAST * noise**2
    if np.count_nonzero(bright) < 4:
        return None
    inverse = (variance[bright] - noise**2) / signal[bright]
    middle, scatter = (
        float(np.median(inverse)),
        1.4826 * float(np.median(np.abs(inverse - np.median(inverse)))),
    )
    inverse = inverse[np.abs(inverse - middle) <= _CLIP * max(scatter, 1e-12)]
    mean = float(inverse.mean())
    if mean <= 0:
        return None
    return 1.0 / mean, float(inverse.std() / np.sqrt(len(inverse))) / mean**2


def _blocks(image: np.ndarray) -> np.ndarray:
    """Blocks of 16 x 16 pixels as rows (block, pixel)."""
    ny, nx = image.shape
    cut = image.reshape(ny // _BLOCK, _BLOCK, nx // _BLOCK, _BLOCK).swapaxes(1, 2)
    return cut.reshape(-1, _BLOCK * _BLOCK)
