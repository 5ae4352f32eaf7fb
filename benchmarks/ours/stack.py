"""W1 and W1z: biases read by strips and combined by the compiled kernel.

``python -m benchmarks.ours.stack SIZE W1|W1z OUTPUT``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.files import bias_files
from benchmarks.ours.fits_file import ImageFile, Plane
from benchmarks.sizes import KAPPA, SIZES
from benchmarks.strips import THREADS, over_strips
from fiducial.cameras.regions import Region
from fiducial.frames.raw import RawFrame
from fiducial.kernels import clipped_mean_integers

ROUNDS = 20  # more than any pixel needs
_STRIP_VALUES = 4_000_000  # of all frames, in each thread


def stack(files: Sequence[Path], output: Path, *, threads: int = THREADS) -> None:
    """Clipped mean of frames of one image each to a FITS file; memory does not grow with their number."""
    frames = [RawFrame.open(path) for path in files]
    image = frames[0].images[0]
    rows, columns = image.shape
    height = max(1, min(rows // threads, _STRIP_VALUES // (columns * len(frames))))
    with ImageFile(output, [Plane("", -32, (rows, columns))]) as out:

        def work(first: int, last: int) -> None:
            region = Region(0, columns, first, last)
            values = np.empty((len(frames), (last - first) * columns), np.uint16)
            for row, frame in zip(values, frames, strict=True):
                row[:] = frame.read(image.index, region).ravel()
            mean = clipped_mean_integers(values, kappa=KAPPA, iterations=ROUNDS)[0]
            out.write("", first, mean.reshape(last - first, columns))

        over_strips(rows, height, work, threads=threads)


if __name__ == "__main__":
    stack(bias_files(SIZES[sys.argv[1]], sys.argv[2] == "W1z"), Path(sys.argv[3]))
