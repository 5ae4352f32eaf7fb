"""The frames of the detector of 16 amplifiers on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from astropy.io import fits
from numpy.typing import NDArray

from benchmarks.sixteen import CAMERA, Sixteen
from benchmarks.sixteen_scene import SixteenScene
from benchmarks.sizes import EXPOSURE


def frames_of_sixteen(size: Sixteen) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    """Every file, and what writes it."""
    scene = SixteenScene(size)
    for i, path in enumerate(size.bias_files()):
        yield path, _writer(partial(scene.bias_frame, i), _header("bias", i, 0.0))
    for i, pair in enumerate(size.flat_files()):
        for which, path in enumerate(pair):
            header = _header("flat", 2 * i + which, 0.001 * scene.level(i))
            yield path, _writer(partial(scene.flat_frame, i, which), header)
    for i, path in enumerate(size.science_files()):
        yield path, _writer(partial(scene.science_frame, i), _header("science", i, EXPOSURE))


def _header(kind: str, index: int, exposure: float) -> fits.Header:
    hour, minute = divmod(index, 60)
    start = {"bias": 0, "flat": 1, "science": 2}[kind]
    header = fits.Header()
    header["INSTRUME"] = CAMERA
    header["IMGTYPE"] = kind
    header["DETECTOR"] = 0
    header["OBSID"] = f"{kind}{index}"
    header["DAYOBS"] = 20260115
    header["SEQNUM"] = index + 1 + 1000 * start
    header["DATE-BEG"] = f"2026-01-15T{hour + 8 * start:02d}:{minute:02d}:00"
    header["EXPTIME"] = exposure
    header["FILTER"] = "r"
    return header


def _writer(pixels: Callable[[], NDArray], header: fits.Header) -> Callable[[Path], None]:
    return lambda path: fits.PrimaryHDU(pixels(), header).writeto(path, overwrite=True)
