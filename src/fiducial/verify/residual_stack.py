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
    second_overscan
        Method of the second overscan model; empty: there is none.
    offered
        Most frames that will come: with many the images are binned, so that their memory is bounded.
    """

    unit: str
    shape: tuple[int, int]
    windows: Mapping[str, Region]
    second_overscan: str = ""
    offered: int = 1
    _identities: list[FrameIdentity] = field(default_factory=list)
    _scales: list[float] = field(default_factory=list)
    _images: list[NDArray[np.float32]] = field(default_factory=list)
    _second: list[NDArray[np.float32]] = field(default_factory=list)
    _histograms: list[NDArray[np.int32]] = field(default_factory=list)
    _rows: list[NDArray[np.float32]] = field(default_factory=list)
    _columns: list[NDArray[np.float32]] = field(default_factory=list)

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
        self._identities.append(identity)
        self._scales.append(scale)
        own = {name: (one.residual, one.usable) for name, one in residuals.items()}
        self._images.append(self._binned(own))
        if second is not None:
            self._second.append(self._binned(second))
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
        """Everything taken so far; the gatherer is empty afterwards."""
        frames = self._identities
        binned = tuple(-(-side // self.binning) for side in self.shape)
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
            images=_stacked(self._images, binned, np.float32),
            second_images=_stacked(self._second, binned, np.float32),
            histograms=_stacked(self._histograms, (n_amps, n_bins), np.int32),
            row_profiles=_stacked(self._rows, (n_amps, longest), np.float32),
            column_profiles=_stacked(self._columns, (n_amps, longest), np.float32),
            second_overscan=self.second_overscan,
        )


def _stacked[T: np.generic](arrays: list[NDArray[T]], shape: tuple[int, ...], dtype: type[T]) -> NDArray[T]:
    """Stack arrays, giving each back as soon as it is copied: both at once would be twice the memory."""
    out = np.empty((len(arrays), *shape), dtype=dtype)
    arrays.reverse()
    for place in out:
        place[...] = arrays.pop()
    return out


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
