"""Masters that something else made: plain FITS images, read so that they can be adopted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from fiducial.errors import LayoutMismatch
from fiducial.frames.raw import ImageHdu, RawFrame

_VARIANCE = ("VARIANCE", "VAR")
_DEVIATION = ("UNCERT", "UNCERTAINTY", "ERR", "ERROR", "SIGMA", "STDDEV")
_WEIGHT = ("IVAR", "WEIGHT")
_MASK = ("MASK", "DQ", "BPM", "FLAGS")


@dataclass(frozen=True, slots=True)
class PlainMaster:
    """A master image as a plain FITS file gives it.

    ``image`` (rows, columns) float32; ``variance`` its variance or None if the file has none; ``mask``
    int32, not 0 where a pixel is bad, or None; ``header`` that of the image (`RawFrame.header`).
    """

    image: np.ndarray
    variance: np.ndarray | None
    mask: np.ndarray | None
    header: fits.Header


def read_master(path: str | os.PathLike[str], hdu: int | str | None = None) -> PlainMaster:
    """Read a master from any plain FITS file.

    Parameters
    ----------
    path
        The file; compressed or not.
    hdu
        The HDU of the image by index or name; None: the first image that is not called variance,
        error, weight or mask.

    Returns
    -------
    PlainMaster
        The variance is taken from the HDU ``VARIANCE`` or ``VAR``, else from the standard deviation
        in ``UNCERT``, ``ERR`` or the like, else from ``IVAR`` or ``WEIGHT`` as inverse variance (0
        becomes infinite); the mask from ``MASK``, ``DQ`` or ``BPM``. NaN pixels stay NaN.

    Raises
    ------
    UnreadableFrame
        The file is not FITS, or corrupt.
    LayoutMismatch
        There is no such image, or the planes differ in shape.
    """
    with RawFrame.open(path) as raw:
        image = raw.find(hdu) if hdu is not None else _first_image(raw)
        return PlainMaster(
            raw.read(image.index).astype(np.float32, copy=False),
            _variance(raw, image),
            _plane(raw, image, _MASK, np.dtype(np.int32)),
            raw.header(image.index),
        )


def _first_image(raw: RawFrame) -> ImageHdu:
    other = {*_VARIANCE, *_DEVIATION, *_WEIGHT, *_MASK}
    for image in raw.images:
        if image.name.upper() not in other:
            return image
    raise LayoutMismatch(
        f"{Path(raw.path).name} has no image",
        hint="Give the HDU that holds the master.",
        file=raw.path,
    )


def _variance(raw: RawFrame, image: ImageHdu) -> np.ndarray | None:
    single = np.dtype(np.float32)
    variance = _plane(raw, image, _VARIANCE, single)
    if variance is None and (deviation := _plane(raw, image, _DEVIATION, single)) is not None:
        variance = np.square(deviation)
    if variance is None and (weight := _plane(raw, image, _WEIGHT, single)) is not None:
        with np.errstate(divide="ignore"):
            variance = np.float32(1.0) / weight
    return variance


def _plane(
    raw: RawFrame, image: ImageHdu, names: tuple[str, ...], dtype: np.dtype[np.generic]
) -> np.ndarray | None:
    found = next((i for i in raw.images if i.name.upper() in names and i != image), None)
    if found is None:
        return None
    if found.shape != image.shape:
        raise LayoutMismatch(
            f"{Path(raw.path).name}: HDU {found} does not have the shape of the image in HDU {image}",
            hint="Remove the plane, or write the file anew with planes of one shape.",
            file=raw.path,
            hdu=found.name,
        )
    return raw.read(found.index).astype(dtype, copy=False)
