"""W2: overscan, bias, dark, flat, mask and variance of science frames, strip by strip.

``python -m benchmarks.ours.detrend SIZE W2 OUTPUT_FOLDER``
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.files import master_file, science_files
from benchmarks.ours.fits_file import ImageFile, Plane
from benchmarks.ours.stored import stored_rows
from benchmarks.sizes import EXPOSURE, GAIN, READ_NOISE, SATURATION, SIZES, Size
from benchmarks.strips import over_strips
from fiducial.cameras.regions import Region
from fiducial.frames.raw import RawFrame
from fiducial.kernels import (
    Detrended,
    Detrending,
    Limits,
    MasterPlanes,
    Noise,
    detrend_rows,
    inverse_of,
    row_medians,
)

_STRIP_ROWS = 32  # a strip of the masters and of one frame stay in the processor's cache
_SATURATED = Limits(SATURATION, SATURATION, 2, 2)
_BASE = tuple(
    np.full(_STRIP_ROWS, (noise / gain) ** 2, np.float32)
    for noise, gain in zip(READ_NOISE, GAIN, strict=True)
)


class Frame:
    """A raw frame, and the file that it is detrended into."""

    def __init__(self, size: Size, path: Path, output: Path, files: ExitStack) -> None:
        self._size = size
        shape = (size.rows, size.columns)
        planes = [Plane("SCI", -32, shape), Plane("VAR", -32, shape), Plane("MASK", 8, shape)]
        self._raw = stored_rows(path)
        self._out = files.enter_context(ImageFile(output, planes))

    def detrend(self, first: int, last: int, masters: tuple[MasterPlanes, ...], strip: Detrended) -> None:
        """Detrend a strip: rows as they are stored in, rows as they are stored out."""
        stored, zero = np.empty((last - first, self._raw.shape[1]), self._raw.dtype), self._raw.zero
        self._raw.read(first, stored)
        for k, planes in enumerate(masters):
            level = row_medians(stored[:, self._size.bias_columns[k]], zero=zero)
            steps = Detrending(
                row_level=level.astype(np.float32),
                limits=_SATURATED,
                noise=Noise(_BASE[k][: last - first], factor=1 / GAIN[k]),
                time=EXPOSURE,
            )
            own = strip.within((slice(None), self._size.detector[k]))
            detrend_rows(stored[:, self._size.data[k]], steps, planes, own, zero=zero)
        for name, pixels in zip(("SCI", "VAR", "MASK"), strip.planes, strict=True):
            self._out.write(name, first, pixels)


def main(size: Size, folder: Path) -> None:
    """Detrend the same strip of all frames, then the next: the masters are read once."""
    with ExitStack() as files:
        bias, dark, flat, mask = (
            files.enter_context(RawFrame.open(master_file(size, kind)))
            for kind in ("bias", "dark", "flat", "mask")
        )
        frames = [Frame(size, path, folder / path.name, files) for path in science_files(size)]

        def work(first: int, last: int) -> None:
            area = Region(0, size.columns, first, last)
            whole = MasterPlanes(
                bias=bias.read(0, area),
                dark=dark.read(0, area),
                inverse_flat=inverse_of(flat.read(0, area), 0.0),
                mask=mask.read(0, area).astype(np.uint8),
            )
            masters = tuple(whole.within((slice(None), columns)) for columns in size.detector)
            shape = (last - first, size.columns)
            strip = Detrended(np.empty(shape, ">f4"), np.empty(shape, ">f4"), np.empty(shape, np.uint8))
            for frame in frames:
                frame.detrend(first, last, masters, strip)

        over_strips(size.rows, _STRIP_ROWS, work)


if __name__ == "__main__":
    main(SIZES[sys.argv[1]], Path(sys.argv[3]))
