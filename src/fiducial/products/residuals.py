"""Residuals of many frames against one master, to look at: binned images, histograms, profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from fiducial.products.base import KIND, SCHEMA

SMALL = 2_500_000
"""Residual images of detectors of so many pixels are kept at full size."""

LONGEST_SIDE = 512
"""Those of larger detectors have at most so many pixels on their long side."""

MOST_BYTES = 96_000_000
"""And those of many frames are binned until all of them together are no larger."""

Z_EDGES: NDArray[np.float64] = np.linspace(-10.0, 10.0, 101)
"""Edges of the histogram of z = residual / expected sigma; the outermost bins hold all that is beyond."""

_DTYPES = {"histograms": np.int32}
_ARRAYS = ("images", "second_images", "histograms", "row_profiles", "column_profiles")


@dataclass(frozen=True)
class ResidualStack:
    """Residuals r = F - E M of all verified exposures of one detector.

    Parameters
    ----------
    calibration
        The kind that was verified: ``bias``, ``dark`` or ``flat``.
    detector
        Id of the detector.
    physical_filter
        Empty for biases and darks.
    unit
        Of images and profiles: ``electron`` or ``adu``.
    binning
        Detector pixels per pixel of the binned images, on both axes.
    shape
        Rows and columns of the detector.
    exposures
        Ids, in the order of every array's first axis.
    mjd
        Middle of each exposure.
    scales
        E of each exposure: 1, the dark time (s), or the level of the flat.
    roles
        Of each exposure, as in the measurement rows.
    amplifiers
        Names, in the order of the profiles' second axis.
    images
        Shape (n_exposure, ny, nx): means of the unmasked residuals of each bin, NaN where there are none.
    second_images
        The same under the second overscan model; shape (0, ny, nx) where there is none.
    second_overscan
        The second overscan model's method; empty where there is none.
    histograms
        Shape (n_exposure, n_amplifier, n_bin): counts of z between `Z_EDGES`.
    row_profiles, column_profiles
        Shape (n_exposure, n_amplifier, longest side): mean residual of each row and column of each
        amplifier, in detector order, padded with NaN.
    """

    calibration: str
    detector: int
    physical_filter: str
    unit: str
    binning: int
    shape: tuple[int, int]
    exposures: NDArray[np.int64]
    mjd: NDArray[np.float64]
    scales: NDArray[np.float64]
    roles: tuple[str, ...]
    amplifiers: tuple[str, ...]
    images: NDArray[np.float32]
    second_images: NDArray[np.float32]
    histograms: NDArray[np.int32]
    row_profiles: NDArray[np.float32]
    column_profiles: NDArray[np.float32]
    second_overscan: str = ""
    metadata: dict[str, str | int | float | bool] = field(default_factory=dict)

    kind: ClassVar[str] = "residuals"
    schema: ClassVar[int] = 1

    def to_hdus(self) -> fits.HDUList:
        """The FITS HDUs: a header of scalars, one table of exposures, one image per array."""
        primary = fits.PrimaryHDU()
        header = primary.header
        header[KIND] = (self.kind, "kind of product")
        header[SCHEMA] = (self.schema, "version of its layout")
        header["CALIB"] = (self.calibration, "calibration that was verified")
        header["DETECTOR"] = self.detector
        header["FILTER"] = self.physical_filter
        header["BUNIT"] = self.unit
        header["BINNING"] = (self.binning, "detector pixels per binned pixel")
        header["DETNY"], header["DETNX"] = self.shape
        header["OVERSCN2"] = (self.second_overscan, "method of the second overscan model")
        for key, value in self.metadata.items():
            header[f"HIERARCH {key}"] = value
        hdus: list[Any] = [primary, _exposure_table(self), _amplifier_table(self)]
        hdus += [fits.ImageHDU(getattr(self, name), name=name.upper()) for name in _ARRAYS]
        return fits.HDUList(hdus)

    @classmethod
    def from_hdus(cls, hdus: fits.HDUList) -> Self:
        """Read back what `to_hdus` wrote.

        Raises
        ------
        ValueError
            If the HDUs are of another product, or of a later layout.
        """
        header = hdus[0].header
        if header.get(KIND) != cls.kind or header.get(SCHEMA, 0) > cls.schema:
            raise ValueError(
                f"{header.get(KIND)!r} of layout {header.get(SCHEMA)}, not {cls.kind!r} of {cls.schema}"
            )
        table = hdus["EXPOSURES"].data
        arrays: dict[str, Any] = {}
        for name in _ARRAYS:
            hdu = hdus[name.upper()]
            dtype = np.dtype(_DTYPES.get(name, np.float32))
            empty = hdu.data is None  # an axis of length 0
            arrays[name] = np.zeros(hdu.shape, dtype) if empty else np.asarray(hdu.data, dtype=dtype)
        return cls(
            calibration=header["CALIB"],
            detector=int(header["DETECTOR"]),
            physical_filter=header["FILTER"],
            unit=header["BUNIT"],
            binning=int(header["BINNING"]),
            shape=(int(header["DETNY"]), int(header["DETNX"])),
            exposures=np.asarray(table["exposure"], dtype=np.int64),
            mjd=np.asarray(table["mjd"], dtype=np.float64),
            scales=np.asarray(table["scale"], dtype=np.float64),
            roles=tuple(str(role) for role in table["role"]),
            amplifiers=tuple(str(name) for name in hdus["AMPLIFIERS"].data["name"]),
            second_overscan=header["OVERSCN2"],
            metadata={
                key: value for key, value in header.items() if " " in key and key not in ("", "COMMENT")
            },
            **arrays,
        )


def _exposure_table(stack: ResidualStack) -> fits.BinTableHDU:
    width = max([len(role) for role in stack.roles], default=1)
    return fits.BinTableHDU.from_columns(
        [
            fits.Column("exposure", "K", array=stack.exposures),
            fits.Column("mjd", "D", array=stack.mjd),
            fits.Column("scale", "D", array=stack.scales),
            fits.Column("role", f"{width}A", array=np.array(stack.roles, dtype=f"S{width}")),
        ],
        name="EXPOSURES",
    )


def _amplifier_table(stack: ResidualStack) -> fits.BinTableHDU:
    width = max([len(name) for name in stack.amplifiers], default=1)
    names = np.array(stack.amplifiers, dtype=f"S{width}")
    return fits.BinTableHDU.from_columns([fits.Column("name", f"{width}A", array=names)], name="AMPLIFIERS")


def bin_factor(shape: tuple[int, int], images: int = 1) -> int:
    """Side of the bins, in detector pixels, of residual images that are kept.

    Parameters
    ----------
    shape
        Rows and columns of the detector. Up to `SMALL` pixels need no bins; of larger ones the long side
        comes down to `LONGEST_SIDE` or fewer.
    images
        How many there will be; bins grow until all are within `MOST_BYTES`.
    """
    factor = 1 if shape[0] * shape[1] <= SMALL else -(-max(shape) // LONGEST_SIDE)
    while images_bytes(shape, images, factor) > MOST_BYTES and factor < max(shape):
        factor += 1
    return factor


def images_bytes(shape: tuple[int, int], images: int, factor: int) -> int:
    """Size of binned residual images."""
    return images * -(-shape[0] // factor) * -(-shape[1] // factor) * np.dtype(np.float32).itemsize
