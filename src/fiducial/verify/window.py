"""The residual of one amplifier in one frame, with all that the checks need of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.correlation import Correlation, correlation_of
from fiducial.verify.expected import OverscanError, ReadNoise

Z_LIMIT = 5.0
"""Where z is clipped. The residual itself never is."""

SAMPLE = 65_536
"""Pixels of which a median is taken: it is good to 0.005 sigma."""


@dataclass(frozen=True)
class Residual:
    """The residual r = F - E M of one amplifier and the sigma it should have.

    Parameters
    ----------
    residual
        Shape (ny, nx), in ``unit``; never clipped.
    sigma
        Shape (ny, nx), expected standard deviation of each pixel, the overscan model's and the master's
        noise included.
    usable
        Pixels that no mask excludes; the others may hold anything.
    unit
        ``electron`` or ``adu``.
    read_noise
        The one that ``sigma`` was made with.
    overscan
        What the overscan model added; None where the camera has no overscan.
    factor
        1 - f for a frame that is in the master, 1 + f for one that is not, f = E^2 V_M / V; it scales
        everything that frames have independently of each other.
    model
        E M, shape (ny, nx), where structure is relative to it (flats).
    """

    residual: NDArray[np.float32]
    sigma: NDArray[np.float32]
    usable: NDArray[np.bool_]
    unit: str
    read_noise: ReadNoise
    overscan: OverscanError | None = None
    factor: float = 1.0
    model: NDArray[np.float32] | None = None

    @cached_property
    def z(self) -> NDArray[np.float32]:
        """Residual in units of its expected sigma; 0 where it is not usable."""
        out = np.zeros(self.residual.shape, dtype=np.float32)
        np.divide(self.residual, self.sigma, out=out, where=self.usable)
        return out

    @cached_property
    def centre(self) -> float:
        """Median of z over usable pixels: clipping is about it, so that a shifted frame is not emptied."""
        # An odd stride sees every column of an image whose width is a power of two.
        sample = self.z.ravel()[:: (self.z.size // SAMPLE) | 1]
        chosen = sample[self.usable.ravel()[:: (self.z.size // SAMPLE) | 1]]
        if chosen.size == 0:
            chosen = self.z[self.usable]
        return float(np.median(chosen)) if chosen.size else 0.0

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """Usable pixels whose z is within 5 of the centre."""
        return self.usable & (np.abs(self.z - np.float32(self.centre)) <= Z_LIMIT)

    @cached_property
    def n_kept(self) -> int:
        """Number of pixels kept."""
        return int(np.count_nonzero(self.kept))

    @cached_property
    def limited(self) -> NDArray[np.float32]:
        """The residual with z brought to within 5 of the centre: strong structure stays, spikes do not."""
        z = np.clip(self.z - np.float32(self.centre), -Z_LIMIT, Z_LIMIT) + np.float32(self.centre)
        return np.where(self.usable, z * self.sigma, np.float32(0))

    @cached_property
    def correlation(self) -> Correlation:
        """How far neighbours are correlated."""
        return correlation_of(self.z, self.kept)

    @property
    def row_variance(self) -> float:
        """Variance that one row shares by its overscan, in the residual."""
        return self.overscan.row * self.factor if self.overscan else 0.0

    @property
    def smooth_variance(self) -> float:
        """Variance that changes slowly along the rows, by an overscan curve, in the residual."""
        return self.overscan.smooth * self.factor if self.overscan else 0.0

    @property
    def column_variance(self) -> float:
        """Variance that one column shares by its parallel overscan, in the residual."""
        return self.overscan.column * self.factor if self.overscan else 0.0

    @property
    def level_variance(self) -> float:
        """Variance of the overscan's level over the whole amplifier, in the residual."""
        return self.overscan.level * self.factor if self.overscan else 0.0


@dataclass(frozen=True)
class Previous:
    """The frame taken just before, of the same amplifier: for what pairs of frames tell.

    Parameters
    ----------
    signal, usable
        As in `Subject`.
    scale
        Its E.
    """

    signal: NDArray[np.float32]
    usable: NDArray[np.bool_]
    scale: float


@dataclass(frozen=True)
class References:
    """What an amplifier's measurements are held against.

    Parameters
    ----------
    certified
        The certified or nominal read noise, in the unit of the pixels.
    electrons_per_unit
        1 where pixels are in electrons, else the nominal gain.
    gain
        The nominal gain, electron/adu.
    known_defects
        Pixels known to be defective that no mask excludes.
    cosmic_ray_pixels
        Pixels expected to be hit.
    unknown_a00_signal
        Where a00 is unknown: the signal it acts on (`fiducial.verify.expected.photon_share`), else 0.
    no_read_noise
        Why the frame's noise has no reference but the certified value; empty where it has one.
    a00
        1/electron; None where it is unknown.
    """

    certified: ReadNoise
    electrons_per_unit: float = 1.0
    gain: float = 1.0
    known_defects: float = 0.0
    cosmic_ray_pixels: float = 0.0
    unknown_a00_signal: float = 0.0
    no_read_noise: str = ""
    a00: float | None = None


@dataclass(frozen=True)
class Subject:
    """One amplifier of one frame as the checks see it.

    Parameters
    ----------
    residual
        r and the sigma it should have.
    references
        What it is held against.
    signal
        F, the frame after the corrections that its kind needs, shape (ny, nx); for flats and pairs.
    master
        M, shape (ny, nx); for flats.
    scale
        E.
    previous
        The frame before, if there is one.
    """

    residual: Residual
    references: References
    signal: NDArray[np.float32]
    master: NDArray[np.float32]
    scale: float = 1.0
    previous: Previous | None = None
