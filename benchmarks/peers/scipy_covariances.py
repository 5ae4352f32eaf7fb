"""W3 with scipy's FFT in float32: ``python -m benchmarks.peers.scipy_covariances SIZE W3 OUTPUT``."""

import sys

import numpy as np
import scipy.fft

from benchmarks.peers.pair_moments import all_covariances
from benchmarks.sizes import LAGS, SIZES


def covariances(difference: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Half the covariances by the power spectra of the difference and of the mask."""
    shape = tuple(scipy.fft.next_fast_len(length + LAGS, real=True) for length in difference.shape)
    corner = slice(0, LAGS)
    sums, counts = (
        scipy.fft.irfft2(np.square(np.abs(scipy.fft.rfft2(plane, shape))), shape)[corner, corner]
        for plane in (difference, kept.astype(np.float32))
    )
    return np.asarray(sums / np.rint(counts) / 2)


if __name__ == "__main__":
    all_covariances(SIZES[sys.argv[1]], covariances, sys.argv[3])
