"""Pixels and cards to raw FITS files in the camera's own layout."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from astropy.io import fits

from fiducial.cameras.model import Amplifier, Camera
from fiducial.errors import CameraError
from fiducial.frames.atomic import storage_error

type HduKey = int | str | None
type CardValue = str | int | float | bool
type Compression = Literal["none", "rice", "gzip"]

SUFFIX: dict[Compression, str] = {"none": ".fits", "rice": ".fits.fz", "gzip": ".fits.gz"}


def files_of(camera: Camera, detectors: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Which detectors share a file: all whose HDU the camera file names, else each has its own."""
    together = tuple(d for d in detectors if camera.detector(d).hdu is not None)
    alone = [(d,) for d in detectors if camera.detector(d).hdu is None]
    return ([together] if together else []) + alone


def pixel_dtype(camera: Camera, detector: int, wanted: str) -> np.dtype[np.generic]:
    """The integer type of raw pixels; ``auto``: int32 where each amplifier has its HDU, else uint16."""
    if wanted == "auto":
        fits_in = all(amp.saturation <= 65535 for amp in camera.amplifiers(detector))
        one_each = len({amp.hdu for amp in camera.amplifiers(detector)}) > 1
        wanted = "uint16" if fits_in and not one_each else "int32"
    return np.dtype(wanted)


def to_integers(pixels: np.ndarray, dtype: np.dtype[np.generic]) -> np.ndarray:
    """Round to the nearest integer and cut at the type's limits (0 for uint16)."""
    limits = np.iinfo(dtype.name)
    high = min(int(limits.max), 1 << 30)  # a float32 just below 2**31 rounds up to it
    return np.clip(np.rint(pixels), max(int(limits.min), 0), high).astype(dtype)


def file_bytes(
    images: Mapping[HduKey, np.ndarray],
    cards: Mapping[str, CardValue],
    amplifiers: Mapping[HduKey, Amplifier],
    compression: Compression,
) -> bytes:
    """A raw file: the primary HDU with all cards, and one HDU for each image.

    Parameters
    ----------
    images
        Integer pixels by HDU: an index (None counts as 0, the primary HDU) or an EXTNAME.
    cards
        Of the exposure; a keyword longer than eight characters becomes a HIERARCH card.
    amplifiers
        The amplifier of an HDU that holds just one: its sections are written as DATASEC and so on.
    compression
        ``rice``: tile-compressed without loss, and the primary image moves to the first extension;
        ``gzip``: the file as a whole.
    """
    primary = images.get(0, images.get(None))
    others: dict[HduKey, np.ndarray] = {key: image for key, image in images.items() if key not in (0, None)}
    header = fits.Header()
    for keyword, value in cards.items():
        header[f"HIERARCH {keyword}" if len(keyword) > 8 else keyword] = value
    hdus: list[fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU] = []
    if compression == "rice" and primary is not None:
        hdus += [fits.PrimaryHDU(), _image(primary, header, compression)]
    else:
        hdus.append(fits.PrimaryHDU(primary, header=header))
    for key in _in_file_order(others):
        extra = _section_cards(amplifiers.get(key))
        if isinstance(key, str):
            extra["EXTNAME"] = key
        hdus.append(_image(others[key], extra, compression))
    stream = io.BytesIO()
    fits.HDUList(hdus).writeto(stream, output_verify="exception")
    data = stream.getvalue()
    return gzip.compress(data, compresslevel=1, mtime=0) if compression == "gzip" else data


def write_file(path: Path, data: bytes) -> None:
    """Write a raw file; StorageError if the disk is full or may not be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise storage_error(path, error) from error


def _image(
    pixels: np.ndarray, header: fits.Header, compression: Compression
) -> fits.ImageHDU | fits.CompImageHDU:
    if compression == "rice":
        return fits.CompImageHDU(pixels, header=header, compression_type="RICE_1")
    return fits.ImageHDU(pixels, header=header)


def _in_file_order(images: Mapping[HduKey, np.ndarray]) -> list[HduKey]:
    """Names as they come, or indices in order; an index that leaves a gap cannot be written."""
    keys = list(images)
    if all(isinstance(key, str) for key in keys):
        return keys
    order = sorted(key for key in keys if isinstance(key, int))
    if len(order) != len(keys) or order != list(range(1, len(order) + 1)):
        raise CameraError(
            f"frames with images in HDUs {', '.join(map(str, keys))} cannot be simulated",
            hint="Name the HDUs by EXTNAME, or count them from 1 without a gap.",
        )
    return list(order)


def _section_cards(amp: Amplifier | None) -> fits.Header:
    header = fits.Header()
    if amp is not None:
        header["DATASEC"] = str(amp.data)
        header["DETSEC"] = str(amp.detector)
        if amp.serial_overscan is not None:
            header["BIASSEC"] = str(amp.serial_overscan)
    return header
