"""W3 with numpy's FFT in float64: ``python -m benchmarks.peers.numpy_covariances SIZE W3 OUTPUT``."""

import sys

import numpy as np

from benchmarks.peers.pair_moments import all_covariances
from benchmarks.sizes import LAGS, SIZES


def _fast(length: int) -> int:
    """The next even length that has no prime factor above 5."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and length % 2 == 0:
            return length
        length += 1


def covariances(difference: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Half the covariances by the power spectra of the difference and of the mask."""
    shape = tuple(_fast(length + LAGS) for length in difference.shape)
    corner = slice(0, LAGS)
    sums, counts = (
        np.fft.irfft2(np.square(np.abs(np.fft.rfft2(plane.astype(np.float64), shape))), shape)[corner, corner]
        for plane in (difference, kept)
    )
    return np.asarray(sums / np.rint(counts) / 2)


if __name__ == "__main__":
    all_covariances(SIZES[sys.argv[1]], covariances, sys.argv[3])
