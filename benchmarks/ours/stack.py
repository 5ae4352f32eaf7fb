"""W1 and W1z: biases read by strips and combined by the compiled kernel.

``python -m benchmarks.ours.stack SIZE W1|W1z OUTPUT``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from threading import local

import numpy as np

from benchmarks.files import bias_files
from benchmarks.ours.fits_file import ImageFile, Plane
from benchmarks.ours.stored import stored_rows
from benchmarks.sizes import KAPPA, SIZES
from benchmarks.strips import THREADS, over_strips
from fiducial.kernels import clipped_mean_into

ROUNDS = 20  # more than any pixel needs
# Of all frames, in each thread, by whether they come out of a decoder, in native byte order. Bytes that only
# need to be read stay in the caches; tiles take longer to find than to turn around in memory.
_STRIP_BYTES = {False: 1_400_000, True: 12_000_000}


def stack(files: Sequence[Path], output: Path, *, threads: int = THREADS) -> None:
    """Clipped mean of frames of one image each to a FITS file; memory does not grow with their number."""
    frames = [stored_rows(path) for path in files]
    if len({(frame.dtype, frame.zero, frame.shape) for frame in frames}) != 1:
        raise ValueError("the frames are not all stored in one way")
    dtype, zero, (rows, columns) = frames[0].dtype, frames[0].zero, frames[0].shape
    height = max(1, min(rows // threads, _STRIP_BYTES[dtype.isnative] // (2 * columns * len(frames))))
    memory = local()
    with ImageFile(output, [Plane("", -32, (rows, columns))]) as out:

        def work(first: int, last: int) -> None:
            if not hasattr(memory, "values"):
                memory.values = np.empty(len(frames) * height * columns, dtype)
                memory.mean = np.empty((height, columns), ">f4")
            shape = len(frames), last - first, columns
            values = memory.values[: shape[0] * shape[1] * shape[2]].reshape(shape)
            for strip, source in zip(values, frames, strict=True):
                source.read(first, strip)
            mean = memory.mean[: last - first]
            pixels = values.reshape(len(frames), -1)
            clipped_mean_into(pixels, mean.reshape(-1), zero=zero, kappa=KAPPA, iterations=ROUNDS)
            out.write("", first, mean)

        over_strips(rows, height, work, threads=threads)


if __name__ == "__main__":
    stack(bias_files(SIZES[sys.argv[1]], sys.argv[2] == "W1z"), Path(sys.argv[3]))
