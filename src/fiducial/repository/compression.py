"""Lossless compression of image products, by our own coder instead of the FITS library's."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from astropy.io import fits
from lsst.images.fits import FitsCompressionOptions

from fiducial.frames.compressed_image import compress_image


class LosslessCompression(FitsCompressionOptions, frozen=True):
    """Floats shuffled and deflated, masks Rice-coded: every bit comes back, by any FITS reader."""

    def make_hdu(self, data: np.ndarray, name: str) -> Any:
        """Compress an image to the table that the file holds.

        Parameters
        ----------
        data : (ny, nx)
            The image; what has other axes, or no pixels, is left to the FITS library.
        name
            EXTNAME.
        """
        if data.ndim != 2 or data.size == 0:
            return super().make_hdu(data, name)
        stream = io.BytesIO()
        fits.PrimaryHDU().writeto(stream)
        compress_image(data, threads=len(os.sched_getaffinity(0))).write(stream)
        stream.seek(0)
        # Opened as the table that it is, its heap goes into the product as it stands.
        table = fits.open(stream, disable_image_compression=True, memmap=False)[1]
        return fits.BinTableHDU(table.data, header=table.header, name=name)
