"""The benchmark's frames on disk: raw biases, plain and Rice-compressed, science frames, masters, flat pairs.

``python -m benchmarks.frames --size full`` writes what is missing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from benchmarks.files import bias_files, master_file, pair_files, science_files
from benchmarks.scene import Scene
from benchmarks.sixteen import SIXTEEN
from benchmarks.sixteen_frames import frames_of_sixteen
from benchmarks.sizes import CAMERA, EXPOSURE, GAIN, READ_NOISE, SIZES, Size

type Pixels = NDArray[np.generic]


def write_missing(size: Size) -> int:
    """Write the frames that are not there yet, and say how many that were."""
    size.frames_folder.mkdir(parents=True, exist_ok=True)
    SIXTEEN[size.name].folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for path, make in _all(size):
        if not path.exists():
            part = path.with_name("." + path.name)
            make(part)
            os.replace(part, path)
            written += 1
    return written


def _all(size: Size) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    """Every file, and what writes it."""
    scene = Scene(size)
    bare = fits.Header()
    for kind in ("bias", "dark", "flat", "mask"):
        yield master_file(size, kind), _writer(partial(getattr, scene, kind), bare)
    for i, (plain, packed) in enumerate(zip(bias_files(size), bias_files(size, True), strict=True)):
        header = raw_header(size, "bias", i)
        yield plain, _writer(partial(scene.bias_frame, i), header)
        yield packed, _writer(partial(fits.getdata, plain), header, compressed=True)
    for i, path in enumerate(science_files(size)):
        yield path, _writer(partial(scene.science_frame, i), raw_header(size, "science", i))
    for i, pair in enumerate(pair_files(size)):
        for j, path in enumerate(pair):
            yield path, _writer(partial(scene.pair_frame, i, j), bare)
    yield from frames_of_sixteen(SIXTEEN[size.name])


def raw_header(size: Size, kind: str, index: int, *, detector: int = 0) -> fits.Header:
    """Make the header of a raw frame: for our camera file and for the peers."""
    header = fits.Header()
    header["INSTRUME"] = CAMERA
    header["IMGTYPE"] = kind
    header["DETECTOR"] = detector
    header["OBSID"] = f"{kind}{index}"
    header["DAYOBS"] = 20260115
    header["SEQNUM"] = index + 1 + (0 if kind == "bias" else 1000)
    hour, minute = divmod(index, 60)
    header["DATE-BEG"] = f"2026-01-15T{hour + (0 if kind == 'bias' else 18):02d}:{minute:02d}:00"
    header["EXPTIME"] = 0.0 if kind == "bias" else EXPOSURE
    header["FILTER"] = "r"
    first, last = size.bias_columns[0].start + 1, size.bias_columns[1].stop
    header["BIASSEC"] = f"[{first}:{last},1:{size.rows}]"
    for k in range(2):
        header[f"GAIN{k + 1}"], header[f"RDNOISE{k + 1}"] = GAIN[k], READ_NOISE[k]
    return header


def _writer(
    pixels: Callable[[], Pixels], header: fits.Header, *, compressed: bool = False
) -> Callable[[Path], None]:
    """Make the function that makes the pixels and writes them, as they are or in Rice-coded rows."""

    def write(path: Path) -> None:
        if compressed:
            image = fits.CompImageHDU(pixels(), header, compression_type="RICE_1")
            fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, overwrite=True)
        else:
            fits.PrimaryHDU(pixels(), header).writeto(path, overwrite=True)

    return write


def main() -> None:
    """Write the missing frames of a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    size = SIZES[parser.parse_args().size]
    print(f"{write_missing(size)} files written to {size.frames_folder}")


if __name__ == "__main__":
    main()
