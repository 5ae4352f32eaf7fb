"""W2: overscan, bias, dark, flat, mask and variance of science frames, strip by strip.

``python -m benchmarks.ours.detrend SIZE W2 OUTPUT_FOLDER``
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import master_file, science_files
from benchmarks.ours.fits_file import ImageFile, Plane
from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, SATURATION, SIZES, Size
from benchmarks.strips import THREADS
from fiducial.cameras.regions import Region
from fiducial.frames.raw import RawFrame

type Pixels = NDArray[np.float32]

_STRIP_ROWS = 32  # so that a strip and its masters stay in the processor's cache


class Detrender:
    """The masters, and how they are applied to frames."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.bias = self._master("bias")
        self.dark = self._master("dark") * np.float32(EXPOSURE)
        self.inverse = 1 / self._master("flat")
        self.mask = self._master("mask").astype(np.uint8)

    def frame(self, path: Path, output: Path) -> None:
        """Detrend one frame to a file of three planes."""
        shape = (self.size.rows, self.size.columns)
        planes = [Plane("SCI", -32, shape), Plane("VAR", -32, shape), Plane("MASK", 8, shape)]
        with RawFrame.open(path) as raw, ImageFile(output, planes) as out:
            for first in range(0, self.size.rows, _STRIP_ROWS):
                last = min(first + _STRIP_ROWS, self.size.rows)
                strip = raw.read(0, Region(0, self.size.raw_shape[1], first, last))
                image, variance, mask = self._strip(strip, slice(first, last))
                out.write("SCI", first, image)
                out.write("VAR", first, variance)
                out.write("MASK", first, mask)

    def _strip(self, raw: NDArray[np.uint16], rows: slice) -> tuple[Pixels, Pixels, NDArray[np.uint8]]:
        size = self.size
        image = np.empty((len(raw), size.columns), np.float32)
        variance, mask = np.empty_like(image), self.mask[rows].copy()
        for k in range(2):
            columns, pixels = size.detector[k], raw[:, size.data[k]]
            level = np.median(raw[:, size.bias_columns[k]], axis=1).astype(np.float32)
            part, noise = image[:, columns], variance[:, columns]
            np.subtract(pixels, level[:, np.newaxis], out=part, dtype=np.float32)
            part -= self.bias[rows, columns]
            np.maximum(part, 0, out=noise)
            noise *= np.float32(1 / GAIN[k])
            noise += np.float32((READ_NOISE[k] / GAIN[k]) ** 2)
            mask[:, columns] |= (pixels >= SATURATION).view(np.uint8) << np.uint8(1)
        image -= self.dark[rows]
        image *= self.inverse[rows]
        variance *= self.inverse[rows]
        variance *= self.inverse[rows]
        return image, variance, mask

    def _master(self, kind: str) -> Pixels:
        with RawFrame.open(master_file(self.size, kind)) as frame:
            return np.asarray(frame.read(0), np.float32)


def main(size: Size, folder: Path) -> None:
    """Detrend the science frames, several at a time."""
    detrender = Detrender(size)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda path: detrender.frame(path, folder / path.name), science_files(size)):
            pass


if __name__ == "__main__":
    main(SIZES[sys.argv[1]], Path(sys.argv[3]))
