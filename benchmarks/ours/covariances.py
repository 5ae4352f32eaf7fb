"""W3: covariances of the differences of flat pairs by direct sums: ``python -m benchmarks.ours.covariances``.

Arguments: SIZE W3 OUTPUT (an .npy file).
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import pair_files
from benchmarks.sizes import GRID, LAGS, PAIR_KAPPA, PAIR_ROUNDS, SIZES, Size
from benchmarks.strips import THREADS
from fiducial.frames.raw import RawFrame
from fiducial.kernels import pair_products

type Raw = NDArray[np.uint16]


def covariances(first: Raw, second: Raw) -> NDArray[np.float64]:
    """Half the covariances of one amplifier's difference at lags 0..7 in rows and columns."""
    products = pair_products(
        first, second, max_lag=LAGS - 1, kappa=PAIR_KAPPA, rounds=PAIR_ROUNDS, both_sides=False
    )
    return products.sums / products.counts / 2


def main(size: Size, output: Path) -> None:
    """Covariances of every amplifier of every pair."""
    out = np.empty((size.pairs, GRID[0] * GRID[1], LAGS, LAGS))
    rows, columns = size.pair_rows // GRID[0], size.pair_columns // GRID[1]
    pairs = pair_files(size)

    def pair(index: int) -> None:
        first, second = (RawFrame.open(path).read(0) for path in pairs[index])
        for k in range(out.shape[1]):
            y, x = k // GRID[1] * rows, k % GRID[1] * columns
            here = slice(y, y + rows), slice(x, x + columns)
            out[index, k] = covariances(first[here], second[here])

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(pair, range(size.pairs)):
            pass
    np.save(output, out)


if __name__ == "__main__":
    main(SIZES[sys.argv[1]], Path(sys.argv[3]))
