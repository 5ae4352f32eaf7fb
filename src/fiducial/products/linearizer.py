"""The linearizer: what has to be added to the signal of each amplifier, with what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from fiducial.products.base import KIND, SCHEMA
from fiducial.products.content import hash_of
from fiducial.products.metadata_table import is_short, metadata_table, read_metadata

_LEVELS = {
    "signal": "D",
    "error": "D",
    "abscissa": "D",
    "group": "J",
    "used": "L",
    "outlier": "L",
    "residual": "D",
}
_DTYPES = {"D": np.float64, "J": np.int32, "L": np.bool_}
_OWN = (
    KIND,
    SCHEMA,
    "FIDDET",
    "BUNIT",
    "ABSCISSA",
    "SIMPLE",
    "BITPIX",
    "NAXIS",
    "EXTEND",
    "CHECKSUM",
    "DATASUM",
)
_TEXTS, _NUMBERS = ("name", "reason", "model"), ("maximum", "reference", "stability", "chi2")


@dataclass(frozen=True, eq=False)
class AmplifierLinearity:
    """The correction of one amplifier.

    Parameters
    ----------
    name
        Of the amplifier.
    determined, reason
        Whether the data told the correction, and why not.
    model, parameters
        Kind and numbers of the correction (`fiducial.algorithms.linearity_packing` says which), for
        signals in the linearizer's unit.
    maximum
        Largest signal it was made for.
    reference
        Signal at which it is 0 by convention (0: its slope at 0 is).
    stability
        Relative scatter of the light about the abscissa.
    chi2, freedom
        Of the fit.
    signal, error, abscissa, group
        Shape (n,): the levels fitted, in the order of the linearizer's exposures.
    used, outlier, residual
        Shape (n,): which of them counted, and how far each is from proportional after correction.
    error_signal, error_correction
        Shape (k,): standard error of the correction at some signals.
    """

    name: str
    determined: bool
    reason: str
    model: str
    parameters: NDArray[np.float64]
    maximum: float
    reference: float
    stability: float
    chi2: float
    freedom: int
    signal: NDArray[np.float64]
    error: NDArray[np.float64]
    abscissa: NDArray[np.float64]
    group: NDArray[np.int32]
    used: NDArray[np.bool_]
    outlier: NDArray[np.bool_]
    residual: NDArray[np.float64]
    error_signal: NDArray[np.float64]
    error_correction: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linearizer:
    """Linearity of all amplifiers of one detector.

    Parameters
    ----------
    detector
        Id of the detector.
    unit
        Of signals and corrections: ``adu`` or ``electron``.
    abscissa
        What stood for the light: ``exposure_time``, ``photodiode``, or another name.
    exposures
        Shape (n,): id of each level's (first) exposure.
    amplifiers
        In the order of the camera file.
    metadata
        Scalars, as in the headers of masters (`fiducial.products.metadata`).
    """

    detector: int
    unit: str
    abscissa: str
    exposures: NDArray[np.int64]
    amplifiers: tuple[AmplifierLinearity, ...]
    metadata: dict[str, str | int | float | bool] = field(default_factory=dict)

    kind: ClassVar[str] = "linearizer"
    schema: ClassVar[int] = 2

    def amplifier(self, name: str) -> AmplifierLinearity | None:
        """The amplifier of this name; None if it has none."""
        return next((one for one in self.amplifiers if one.name == name), None)

    def content_hash(self) -> str:
        """SHA-256 over everything but what tells of the run: equal for equal content."""
        return hash_of(self)

    def to_hdus(self) -> fits.HDUList:
        """The FITS HDUs: a header of scalars, tables of amplifiers, of levels, of errors, of all metadata."""
        primary = fits.PrimaryHDU()
        header = primary.header
        header[KIND] = (self.kind, "kind of product")
        header[SCHEMA] = (self.schema, "version of its layout")
        header["FIDDET"] = (self.detector, "id of the detector")
        header["BUNIT"] = (self.unit, "of signals and corrections")
        header["ABSCISSA"] = (self.abscissa, "what stood for the light")
        for key, value in self.metadata.items():
            if key not in header and is_short(key, value):
                header[f"HIERARCH {key}"] = value
        tables = [_amplifiers(self), _levels(self), _errors(self), metadata_table(self.metadata)]
        return fits.HDUList([primary, *tables])

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
        table, levels, errors = (hdus[name].data for name in ("AMPLIFIERS", "LEVELS", "ERRORS"))
        exposures = np.asarray(hdus["LEVELS"].data["exposure"], np.int64)
        count = len(exposures) // max(1, len(table))
        return cls(
            detector=int(header["FIDDET"]),
            unit=header["BUNIT"],
            abscissa=header["ABSCISSA"],
            exposures=exposures[:count],
            amplifiers=tuple(_read(row, levels, errors) for row in table),
            metadata=_metadata(hdus),
        )


def _metadata(hdus: fits.HDUList) -> dict[str, Any]:
    """All of it; layout 1 had it in the header alone."""
    if "METADATA" in hdus:
        return dict(read_metadata(hdus["METADATA"].data))
    return {key: value for key, value in hdus[0].header.items() if key not in _OWN}


def _amplifiers(product: Linearizer) -> fits.BinTableHDU:
    every = product.amplifiers
    columns = []
    for name in _TEXTS:
        texts = [getattr(one, name) for one in every]
        width = max([len(text) for text in texts], default=0) or 1
        columns.append(fits.Column(name, f"{width}A", array=np.array(texts, dtype=f"S{width}")))
    for name in _NUMBERS:
        unit = product.unit if name in ("maximum", "reference") else None
        columns.append(fits.Column(name, "D", unit=unit, array=[getattr(one, name) for one in every]))
    columns.append(fits.Column("freedom", "J", array=[one.freedom for one in every]))
    columns.append(fits.Column("determined", "L", array=[one.determined for one in every]))
    numbers = np.empty(len(every), dtype=object)
    numbers[:] = [one.parameters for one in every]
    columns.append(fits.Column("parameters", "PD()", array=numbers))
    return fits.BinTableHDU.from_columns(columns, name="AMPLIFIERS")


def _levels(product: Linearizer) -> fits.BinTableHDU:
    every = product.amplifiers
    columns = [
        _names(product, [len(product.exposures)] * len(every)),
        fits.Column("exposure", "K", array=np.tile(product.exposures, len(every))),
    ]
    for name, form in _LEVELS.items():
        unit = product.unit if name in ("signal", "error") else None
        values = [np.asarray(getattr(one, name), _DTYPES[form]) for one in every]
        array = np.concatenate(values) if values else np.zeros(0, _DTYPES[form])
        columns.append(fits.Column(name, form, unit=unit, array=array))
    return fits.BinTableHDU.from_columns(columns, name="LEVELS")


def _errors(product: Linearizer) -> fits.BinTableHDU:
    every = product.amplifiers
    columns = [_names(product, [len(one.error_signal) for one in every])]
    for column, name in (("signal", "error_signal"), ("error", "error_correction")):
        values = [np.asarray(getattr(one, name), np.float64) for one in every]
        array = np.concatenate(values) if values else np.zeros(0)
        columns.append(fits.Column(column, "D", unit=product.unit, array=array))
    return fits.BinTableHDU.from_columns(columns, name="ERRORS")


def _names(product: Linearizer, rows: list[int]) -> fits.Column:
    """Whose each row of a table is."""
    names = [one.name for one in product.amplifiers]
    width = max([len(name) for name in names], default=0) or 1
    return fits.Column("amplifier", f"{width}A", array=np.repeat(np.array(names, dtype=f"S{width}"), rows))


def _read(row: Any, levels: Any, errors: Any) -> AmplifierLinearity:
    name = str(row["name"])
    mine, own = np.asarray(levels["amplifier"]) == name, np.asarray(errors["amplifier"]) == name
    values: dict[str, Any] = {number: float(row[number]) for number in _NUMBERS}
    values |= {column: np.asarray(levels[column][mine], _DTYPES[form]) for column, form in _LEVELS.items()}
    return AmplifierLinearity(
        name=name,
        determined=bool(row["determined"]),
        reason=str(row["reason"]),
        model=str(row["model"]),
        parameters=np.asarray(row["parameters"], np.float64),
        freedom=int(row["freedom"]),
        error_signal=np.asarray(errors["signal"][own], np.float64),
        error_correction=np.asarray(errors["error"][own], np.float64),
        **values,
    )
