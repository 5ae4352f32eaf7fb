"""Gathers what residuals look like, frame by frame, for the product that reports and people look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fiducial.algorithms.binning import bin_image
from fiducial.products.residuals import Z_EDGES, ResidualStack, bin_factor
from fiducial.verify.window import Residual

if TYPE_CHECKING:
    from fiducial.cameras.regions import Region
    from fiducial.verify.rows import FrameIdentity


@dataclass
class ResidualGatherer:
    """Takes the residuals of one frame after the other; keeps only what is small.

    Parameters
    ----------
    unit
        Of the residuals.
    shape
        Rows and columns of the detector.
    windows
        Where each amplifier is on the detector, by name; flips do not matter.
    offered
        Most frames that will come: with many the images are binned, so that their memory is bounded. It is
        taken at once, and not again for the product.
    second_overscan
        Method of the second overscan model; empty: there is none.
    """

    unit: str
    shape: tuple[int, int]
    windows: Mapping[str, Region]
    offered: int
    second_overscan: str = ""
    _identities: list[FrameIdentity] = field(default_factory=list)
    _scales: list[float] = field(default_factory=list)
    _images: NDArray[np.float32] = field(init=False)
    _second: NDArray[np.float32] = field(init=False)
    _histograms: list[NDArray[np.int32]] = field(default_factory=list)
    _rows: list[NDArray[np.float32]] = field(default_factory=list)
    _columns: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        binned = tuple(-(-side // self.binning) for side in self.shape)
        self._images = np.empty((self.offered, *binned), dtype=np.float32)
        self._second = np.empty((self.offered if self.second_overscan else 0, *binned), dtype=np.float32)

    @property
    def binning(self) -> int:
        """Detector pixels per binned pixel."""
        return bin_factor(self.shape, self.offered * (2 if self.second_overscan else 1))

    def add(
        self,
        identity: FrameIdentity,
        scale: float,
        residuals: Mapping[str, Residual],
        second: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] | None = None,
    ) -> None:
        """Take a frame.

        Parameters
        ----------
        identity
            Of the frame.
        scale
            Its E.
        residuals
            By amplifier.
        second
            Residual and usable pixels of each amplifier under the second overscan model.
        """
        place = len(self._identities)
        self._identities.append(identity)
        self._scales.append(scale)
        own = {name: (one.residual, one.usable) for name, one in residuals.items()}
        self._images[place] = self._binned(own)
        if second is not None:
            self._second[place] = self._binned(second)
        self._histograms.append(np.stack([_histogram(residuals[name]) for name in self.windows]))
        longest = max(max(window.shape) for window in self.windows.values())
        for axis, profiles in ((1, self._rows), (0, self._columns)):
            profiles.append(np.stack([_profile(own[name], axis, longest) for name in self.windows]))

    def _binned(
        self, parts: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]
    ) -> NDArray[np.float32]:
        image = np.zeros(self.shape, dtype=np.float32)
        usable = np.zeros(self.shape, dtype=bool)
        for name, window in self.windows.items():
            image[window.slices], usable[window.slices] = parts[name]
        return bin_image(image, usable, self.binning)

    def product(self, calibration: str, detector: int, physical_filter: str) -> ResidualStack:
        """Everything taken so far; the images are those of the gatherer."""
        frames = self._identities
        longest = max(max(window.shape) for window in self.windows.values())
        n_amps, n_bins = len(self.windows), len(Z_EDGES) - 1
        return ResidualStack(
            calibration=calibration,
            detector=detector,
            physical_filter=physical_filter,
            unit=self.unit,
            binning=self.binning,
            shape=self.shape,
            exposures=np.array([one.exposure for one in frames], dtype=np.int64),
            mjd=np.array([one.mjd for one in frames], dtype=np.float64),
            scales=np.array(self._scales, dtype=np.float64),
            roles=tuple(one.role for one in frames),
            amplifiers=tuple(self.windows),
            images=self._images[: len(frames)],
            second_images=self._second[: len(frames)],
            histograms=np.reshape(self._histograms, (len(frames), n_amps, n_bins)).astype(np.int32),
            row_profiles=np.reshape(self._rows, (len(frames), n_amps, longest)).astype(np.float32),
            column_profiles=np.reshape(self._columns, (len(frames), n_amps, longest)).astype(np.float32),
            second_overscan=self.second_overscan,
        )


def _histogram(residual: Residual) -> NDArray[np.int32]:
    bins = len(Z_EDGES) - 1
    per_unit = np.float32(bins / (Z_EDGES[-1] - Z_EDGES[0]))
    place = (residual.z[residual.usable] - np.float32(Z_EDGES[0])) * per_unit
    # What lies beyond counts in the outermost bins.
    inside = np.clip(place, np.float32(0), np.float32(bins - 1)).astype(np.int32)
    return np.bincount(inside, minlength=bins).astype(np.int32)


def _profile(
    part: tuple[NDArray[np.float32], NDArray[np.bool_]], axis: int, longest: int
) -> NDArray[np.float32]:
    residual, usable = part
    total = np.where(usable, residual, np.float32(0)).sum(axis=axis, dtype=np.float64)
    count = np.count_nonzero(usable, axis=axis)
    out = np.full(longest, np.nan, dtype=np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        out[: len(total)] = total / count
    return out
