"""W2 with numpy: overscan, bias, dark, flat, mask and variance, frames in parallel threads.

``python -m benchmarks.peers.numpy_detrend SIZE W2 OUTPUT_FOLDER``
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from astropy.io import fits

from benchmarks.files import master_file, science_files
from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, SATURATION, SIZES, Size
from benchmarks.strips import THREADS


class Detrender:
    """The masters, and how they are applied to a frame."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.bias = self._master("bias", np.float32)
        self.dark = self._master("dark", np.float32) * np.float32(EXPOSURE)
        self.inverse = 1 / self._master("flat", np.float32)
        self.mask = self._master("mask", np.uint8)

    def _master(self, kind: str, dtype: type) -> np.ndarray:
        return np.asarray(fits.getdata(master_file(self.size, kind))).astype(dtype)

    def frame(self, path: Path, folder: Path) -> None:
        """Detrend one frame."""
        size = self.size
        raw = np.asarray(fits.getdata(path)).astype(np.float32)
        image, mask = np.empty_like(self.bias), self.mask.copy()
        for k in range(2):
            level = np.median(raw[:, size.bias_columns[k]], axis=1, keepdims=True)
            np.subtract(raw[:, size.data[k]], level, out=image[:, size.detector[k]])
            mask[:, size.detector[k]] |= (raw[:, size.data[k]] >= SATURATION).astype(np.uint8) << np.uint8(1)
        image -= self.bias
        variance = np.maximum(image, 0)
        for k in range(2):
            variance[:, size.detector[k]] *= np.float32(1 / GAIN[k])
            variance[:, size.detector[k]] += np.float32((READ_NOISE[k] / GAIN[k]) ** 2)
        image -= self.dark
        image *= self.inverse
        variance *= self.inverse
        variance *= self.inverse
        planes = [fits.ImageHDU(plane, name=name) for name, plane in (("SCI", image), ("VAR", variance))]
        hdus = fits.HDUList([fits.PrimaryHDU(), *planes, fits.ImageHDU(mask, name="MASK")])
        hdus.writeto(folder / path.name, overwrite=True)


def main(size_name: str, workload: str, output: str) -> None:
    """Detrend the science frames."""
    size, folder = SIZES[size_name], Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    detrender = Detrender(size)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda path: detrender.frame(path, folder), science_files(size)):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
