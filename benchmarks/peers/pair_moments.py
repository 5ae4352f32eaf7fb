"""What the FFT programs of W3 share: reading flat pairs, and differences without their outliers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from astropy.io import fits

from benchmarks.files import pair_files
from benchmarks.sizes import GRID, LAGS, PAIR_KAPPA, PAIR_ROUNDS, Size
from benchmarks.strips import THREADS

type Covariances = Callable[[np.ndarray, np.ndarray], np.ndarray]


def clipped_difference(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference about its clipped mean, 0 where it is clipped, and which pixels are not."""
    difference = first.astype(np.float32) - second.astype(np.float32)
    kept = np.ones(difference.shape, bool)
    for _ in range(PAIR_ROUNDS):
        mean = difference.mean(dtype=np.float64, where=kept)
        sigma = difference.std(dtype=np.float64, where=kept)
        kept = np.abs(difference - mean) < PAIR_KAPPA * sigma
    mean = difference.mean(dtype=np.float64, where=kept)
    return np.where(kept, difference - np.float32(mean), np.float32(0)), kept


def all_covariances(size: Size, covariances: Covariances, output: str) -> None:
    """Covariances of every amplifier of every pair to an .npy file, in threads."""
    out = np.empty((size.pairs, GRID[0] * GRID[1], LAGS, LAGS))
    rows, columns = size.pair_rows // GRID[0], size.pair_columns // GRID[1]
    pairs = pair_files(size)

    def pair(index: int) -> None:
        first, second = (np.asarray(fits.getdata(path)) for path in pairs[index])
        for k in range(out.shape[1]):
            y, x = k // GRID[1] * rows, k % GRID[1] * columns
            here = slice(y, y + rows), slice(x, x + columns)
            out[index, k] = covariances(*clipped_difference(first[here], second[here]))

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(pair, range(size.pairs)):
            pass
    np.save(output, out)
