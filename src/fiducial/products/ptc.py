"""Photon transfer of a detector: the pairs of flats, what each says of every amplifier, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import ClassVar, Self

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from fiducial.products import ptc_tables as tables
from fiducial.products.base import KIND, SCHEMA
from fiducial.products.content import hash_of
from fiducial.products.metadata import AsideNote, Scalar
from fiducial.products.metadata_table import (
    aside_table,
    is_short,
    metadata_table,
    read_aside,
    read_metadata,
)

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FlatPairs:
    """The pairs of flats.

    Parameters
    ----------
    first, second
        Shape (n,): exposure ids, the earlier one first.
    first_time, second_time
        Exposure times, s.
    first_photodiode, second_photodiode
        Charge of the light in the camera's own unit; NaN where there is none.
    first_mjd, second_mjd
        When they began, TAI.
    physical_filter
        Of each pair.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_time: Floats
    second_time: Floats
    first_photodiode: Floats
    second_photodiode: Floats
    first_mjd: Floats
    second_mjd: Floats
    physical_filter: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, eq=False)
class TransferFit:
    """What a fit says of one amplifier; numbers that it does not give are NaN.

    Matrices have shape (lags, lags), rows first; a fit of variances has only [0, 0].

    Parameters
    ----------
    model
        ``exponential``, ``polynomial`` or ``covariance``.
    determined, reason
        Whether anything follows, and why not.
    gain, gain_error, gain_bootstrap
        Electrons per adu; standard error, and that from resampled pairs.
    noise, noise_error
        Read noise, electrons.
    noise_constrained
        Whether the pairs alone give it to 10 per cent; if not, that of the overscan took part.
    a, a_error, a_bootstrap
        1/electron; of a polynomial [0, 0] is its second coefficient.
    b, b_error
        1/electron
    noise_matrix, noise_matrix_error
        electron^2
    parameters
        Shape (p,): of the curve of variances, as fitted; empty for covariances.
    curve
        Shape (n, lags, lags): covariances that the fit expects of each pair, adu^2.
    chi2, freedom
        Of the fit.
    rolloff, rolloff_error
        Level where 1 per cent of the variance is missing, adu; NaN where it was not looked for or not found.
    rolloff_width, rolloff_width_error
        Over which the missing share grows by e, adu.
    """

    model: str
    determined: bool
    reason: str
    gain: float
    gain_error: float
    gain_bootstrap: float
    noise: float
    noise_error: float
    noise_constrained: bool
    a: Floats
    a_error: Floats
    a_bootstrap: Floats
    b: Floats
    b_error: Floats
    noise_matrix: Floats
    noise_matrix_error: Floats
    parameters: Floats
    curve: Floats
    chi2: float
    freedom: int
    rolloff: float = nan
    rolloff_error: float = nan
    rolloff_width: float = nan
    rolloff_width_error: float = nan


@dataclass(frozen=True, eq=False)
class AmplifierTransfer:
    """Photon transfer of one amplifier.

    Parameters
    ----------
    name
        Of the amplifier.
    mean, first_mean, second_mean
        Shape (n,): mean signal of each pair and of its flats, adu; NaN for a pair that says nothing.
    covariances
        Shape (n, lags, lags): adu^2.
    counts
        The same shape: pairs of pixels in each.
    noise_weight
        Shape (n,): how much more the noise without light counts.
    kept, outlier
        Shape (n,): which pairs the fit used, and which up to the turn-off are outliers.
    reasons
        Of each pair: why it says nothing; empty where it does.
    read_noise, read_noise_error
        Of the overscan, adu.
    turnoff, turnoff_error, turnoff_found
        Mean of the highest pair that follows the curve, adu; whether pairs above leave it.
    fit
        What follows.
    tied_gain, tied_gain_error
        Electrons per adu: the gain whose ratio to the other amplifiers' is that of the levels of flats; NaN
        where gains were not tied.
    """

    name: str
    mean: Floats
    first_mean: Floats
    second_mean: Floats
    covariances: Floats
    counts: NDArray[np.int64]
    noise_weight: Floats
    kept: Flags
    outlier: Flags
    reasons: tuple[str, ...]
    read_noise: float
    read_noise_error: float
    turnoff: float
    turnoff_error: float
    turnoff_found: bool
    fit: TransferFit
    tied_gain: float = nan
    tied_gain_error: float = nan


@dataclass(frozen=True, eq=False)
class PhotonTransferCurve:
    """Photon transfer of all amplifiers of one detector.

    Parameters
    ----------
    detector
        Id of the detector.
    lags
        Rows and columns of the matrices: the largest lag and one.
    pairs
        Of flats.
    amplifiers
        In the order of the camera file.
    aside
        Flats that are in no pair, and why.
    metadata
        Scalars, as in the headers of masters (`fiducial.products.metadata`).
    """

    detector: int
    lags: int
    pairs: FlatPairs
    amplifiers: tuple[AmplifierTransfer, ...]
    aside: tuple[AsideNote, ...] = ()
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    kind: ClassVar[str] = "ptc"
    schema: ClassVar[int] = 2

    def amplifier(self, name: str) -> AmplifierTransfer | None:
        """The amplifier of this name; None if it has none."""
        return next((one for one in self.amplifiers if one.name == name), None)

    def content_hash(self) -> str:
        """SHA-256 over everything but what tells of the run: equal for equal content."""
        return hash_of(self)

    def to_hdus(self) -> fits.HDUList:
        """The FITS HDUs: tables of pairs, amplifiers, points (one a pair and amplifier), what is left out."""
        primary = fits.PrimaryHDU()
        header = primary.header
        header[KIND] = (self.kind, "kind of product")
        header[SCHEMA] = (self.schema, "version of its layout")
        header["DETECTOR"] = (self.detector, "id of the detector")
        header["FIDLAGS"] = (self.lags, "rows and columns of the matrices")
        for key, value in self.metadata.items():
            if key not in header and is_short(key, value):
                header[f"HIERARCH {key}"] = value
        return fits.HDUList(
            [
                primary,
                tables.pairs_table(vars(self.pairs)),
                tables.amplifiers_table([vars(one) | vars(one.fit) for one in self.amplifiers], self.lags),
                tables.points_table([vars(one) | vars(one.fit) for one in self.amplifiers], self.lags),
                aside_table(self.aside),
                metadata_table(self.metadata),
            ]
        )

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
        lags = int(header["FIDLAGS"])
        pairs = FlatPairs(**tables.read_pairs(hdus["PAIRS"].data))
        return cls(
            detector=int(header["DETECTOR"]),
            lags=lags,
            pairs=pairs,
            amplifiers=tuple(
                AmplifierTransfer(**own, fit=TransferFit(**fit))
                for own, fit in tables.read_amplifiers(
                    hdus["AMPLIFIERS"].data, hdus["POINTS"].data, lags, len(pairs)
                )
            ),
            aside=read_aside(hdus["ASIDE"].data),
            metadata=read_metadata(hdus["METADATA"].data),
        )
