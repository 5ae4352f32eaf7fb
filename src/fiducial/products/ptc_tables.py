"""The tables that a photon transfer curve is stored in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from fiducial.products.metadata_table import texts_column

_PAIRS = {
    "first": "K",
    "second": "K",
    "first_time": "D",
    "second_time": "D",
    "first_photodiode": "D",
    "second_photodiode": "D",
    "first_mjd": "D",
    "second_mjd": "D",
}
_POINTS = {
    "mean": "D",
    "first_mean": "D",
    "second_mean": "D",
    "noise_weight": "D",
    "kept": "L",
    "outlier": "L",
}
_POINT_MATRICES = {"covariances": "D", "counts": "K"}
_NUMBERS = {
    "read_noise": "D",
    "read_noise_error": "D",
    "turnoff": "D",
    "turnoff_error": "D",
    "turnoff_found": "L",
}
_TIED = {"tied_gain": "D", "tied_gain_error": "D"}
_FIT_NUMBERS = {
    "determined": "L",
    "gain": "D",
    "gain_error": "D",
    "gain_bootstrap": "D",
    "noise": "D",
    "noise_error": "D",
    "noise_constrained": "L",
    "chi2": "D",
    "freedom": "J",
}
_ROLL_OFF = dict.fromkeys(("rolloff", "rolloff_error", "rolloff_width", "rolloff_width_error"), "D")
_FIT_TEXTS = ("model", "reason")
_FIT_MATRICES = ("a", "a_error", "a_bootstrap", "b", "b_error", "noise_matrix", "noise_matrix_error")
_DTYPES: dict[str, Any] = {"D": np.float64, "K": np.int64, "J": np.int32, "L": np.bool_}
_UNITS = (
    dict.fromkeys(("first_time", "second_time"), "s")
    | dict.fromkeys(("first_mjd", "second_mjd"), "d")
    | dict.fromkeys(("mean", "first_mean", "second_mean", "read_noise", "read_noise_error"), "adu")
    | dict.fromkeys(("turnoff", "turnoff_error", *_ROLL_OFF), "adu")
    | dict.fromkeys(("covariances", "curve"), "adu2")
)

_NO_UNIT = "FITS has no electron: gains are in electron/adu, noises in electron, matrices in 1/electron"

type Rows = Sequence[Mapping[str, Any]]
"""Amplifiers with their fits, by name of the value."""


def pairs_table(pairs: Mapping[str, Any]) -> fits.BinTableHDU:
    """A row a pair."""
    columns = [_column(name, form, pairs[name]) for name, form in _PAIRS.items()]
    return _table("PAIRS", [*columns, texts_column("physical_filter", pairs["physical_filter"])])


def read_pairs(table: Any) -> dict[str, Any]:
    """What `pairs_table` wrote."""
    found: dict[str, Any] = {name: _native(table[name], form) for name, form in _PAIRS.items()}
    return found | {"physical_filter": tuple(str(name) for name in table["physical_filter"])}


def amplifiers_table(every: Rows, lags: int) -> fits.BinTableHDU:
    """A row an amplifier: its numbers, and those of its fit."""
    columns = [texts_column("name", [one["name"] for one in every])]
    columns += [texts_column(name, [one[name] for one in every]) for name in _FIT_TEXTS]
    for name, form in (_NUMBERS | _TIED | _FIT_NUMBERS | _ROLL_OFF).items():
        columns.append(_column(name, form, [one[name] for one in every]))
    for name in _FIT_MATRICES:
        columns.append(_matrices(name, "D", _stacked([one[name][None] for one in every], lags), lags))
    numbers = np.empty(len(every), dtype=object)
    for index, one in enumerate(every):
        numbers[index] = np.asarray(one["parameters"], np.float64)
    columns.append(fits.Column("parameters", "PD()", array=numbers))
    table = _table("AMPLIFIERS", columns)
    table.header["COMMENT"] = _NO_UNIT
    return table


def points_table(every: Rows, lags: int) -> fits.BinTableHDU:
    """A row a pair and amplifier, amplifier by amplifier."""
    names = [one["name"] for one in every for _ in one["mean"]]
    columns = [texts_column("amplifier", names)]
    for name, form in _POINTS.items():
        values = [np.asarray(one[name], _DTYPES[form]) for one in every]
        columns.append(_column(name, form, np.concatenate(values) if values else []))
    for name, form in (_POINT_MATRICES | {"curve": "D"}).items():
        columns.append(_matrices(name, form, _stacked([one[name] for one in every], lags), lags))
    columns.append(texts_column("reason", [reason for one in every for reason in one["reasons"]]))
    return _table("POINTS", columns)


def read_amplifiers(
    table: Any, points: Any, lags: int, count: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The values of each amplifier and of its fit, as `amplifiers_table` and `points_table` wrote them."""
    cubes = {
        name: _native(points[name], form).reshape(-1, lags, lags)
        for name, form in (_POINT_MATRICES | {"curve": "D"}).items()
    }
    squares = {name: _native(table[name], "D").reshape(-1, lags, lags) for name in _FIT_MATRICES}
    numbers = {name: _native(table[name], form) for name, form in (_NUMBERS | _FIT_NUMBERS).items()}
    later = {  # which layout 1 does not have
        name: _native(table[name], form) if name in table.names else np.full(len(table), np.nan)
        for name, form in (_TIED | _ROLL_OFF).items()
    }
    for index, row in enumerate(table):
        here = slice(index * count, (index + 1) * count)
        own: dict[str, Any] = {"name": str(row["name"])}
        own |= {name: numbers[name][index].item() for name in _NUMBERS}
        own |= {name: later[name][index].item() for name in _TIED}
        own |= {name: _native(points[name][here], form) for name, form in _POINTS.items()}
        own |= {name: cubes[name][here] for name in _POINT_MATRICES}
        own["reasons"] = tuple(str(reason) for reason in points["reason"][here])
        fit: dict[str, Any] = {name: str(row[name]) for name in _FIT_TEXTS}
        fit |= {name: numbers[name][index].item() for name in _FIT_NUMBERS}
        fit |= {name: later[name][index].item() for name in _ROLL_OFF}
        fit |= {name: squares[name][index] for name in _FIT_MATRICES}
        fit |= {"parameters": np.asarray(row["parameters"], np.float64), "curve": cubes["curve"][here]}
        yield own, fit


def _table(name: str, columns: list[fits.Column]) -> fits.BinTableHDU:
    return fits.BinTableHDU.from_columns(columns, name=name)


def _column(name: str, form: str, values: Any) -> fits.Column:
    return fits.Column(name, form, unit=_UNITS.get(name), array=np.asarray(values, _DTYPES[form]))


def _matrices(name: str, form: str, values: NDArray[Any], lags: int) -> fits.Column:
    if lags == 1:
        return _column(name, form, values[:, 0, 0])
    return fits.Column(
        name,
        f"{lags**2}{form}",
        unit=_UNITS.get(name),
        dim=f"({lags},{lags})",
        array=np.asarray(values, _DTYPES[form]),
    )


def _stacked(values: list[NDArray[Any]], lags: int) -> NDArray[Any]:
    return np.concatenate([np.zeros((0, lags, lags), values[0].dtype if values else np.float64), *values])


def _native(values: Any, form: str) -> NDArray[Any]:
    return np.asarray(values, _DTYPES[form])
