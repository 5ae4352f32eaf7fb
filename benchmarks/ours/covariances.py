"""W3: covariances of the differences of flat pairs by direct sums: ``python -m benchmarks.ours.covariances``.

Arguments: SIZE W3 OUTPUT (an .npy file).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import pair_files
from benchmarks.ours.stored import stored_rows
from benchmarks.sizes import GRID, LAGS, PAIR_KAPPA, PAIR_ROUNDS, SIZES, Size
from benchmarks.strips import over_strips
from fiducial.kernels import pair_products

type Raw = NDArray[np.uint16]


def covariances(first: Raw, second: Raw) -> NDArray[np.float64]:
    """Half the covariances of one amplifier's difference at lags 0..7 in rows and columns."""
    products = pair_products(
        first, second, max_lag=LAGS - 1, kappa=PAIR_KAPPA, rounds=PAIR_ROUNDS, both_sides=False
    )
    return products.sums / products.counts / 2


def main(size: Size, output: Path) -> None:
    """Covariances of every amplifier of every pair; the amplifiers side by side are read together."""
    out = np.empty((size.pairs, *GRID, LAGS, LAGS))
    rows, columns = size.pair_rows // GRID[0], size.pair_columns // GRID[1]
    pairs = [[stored_rows(path) for path in files] for files in pair_files(size)]

    def work(unit: int, _: int) -> None:
        index, row = divmod(unit, GRID[0])
        both = np.empty((2, rows, size.pair_columns), np.uint16)
        for frame, pixels in zip(pairs[index], both, strict=True):
            frame.read_pixels(row * rows, pixels)
        for column in range(GRID[1]):
            first, second = both[:, :, column * columns : (column + 1) * columns]
            out[index, row, column] = covariances(first, second)

    over_strips(size.pairs * GRID[0], 1, work)
    np.save(output, out.reshape(size.pairs, -1, LAGS, LAGS))


if __name__ == "__main__":
    main(SIZES[sys.argv[1]], Path(sys.argv[3]))
