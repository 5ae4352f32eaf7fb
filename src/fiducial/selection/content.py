"""What the frames of a set look like, as arrays: one row per exposure, one column per amplifier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.cameras.model import Camera
from fiducial.selection.exposures import Exposure

type Unit = tuple[int, str]  # detector, amplifier
type Array = NDArray[np.float64]

ROUNDING = 12**-0.5  # adu: standard deviation of what rounding to an integer adds to a median
_FIELDS = 4  # level, overscan, noise, saturated


@dataclass(frozen=True, slots=True)
class Finding:
    """A number that speaks against an exposure, and the limit that it broke."""

    exposure: int
    detector: int | None
    reason: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """The content of exposures, adu; NaN where nothing is known of that amplifier.

    Attributes
    ----------
    exposures
        The rows.
    units
        The columns: detector and amplifier.
    level, overscan, noise, saturated
        (n_exposure, n_unit), as in `fiducial.frames.records.AmplifierContent`.
    zero
        (n_exposure, n_unit), the level without light: the overscan, or the level of biases where
        there is none; NaN where neither is known.
    pixels
        (n_unit,), pixels in the data section of each amplifier.
    """

    exposures: tuple[Exposure, ...]
    units: tuple[Unit, ...]
    level: Array
    overscan: Array
    noise: Array
    saturated: Array
    zero: Array
    pixels: Array

    @property
    def corrected(self) -> Array:
        """Level above the overscan; without overscan the level itself."""
        return self.level - np.nan_to_num(self.overscan, nan=0.0)

    @property
    def signal(self) -> Array:
        """Level above the one without light; the level itself where that is not known."""
        return self.level - np.nan_to_num(self.zero, nan=0.0)

    def name(self, column: int) -> str:
        """Name a column in a message."""
        detector, amplifier = self.units[column]
        return f"detector {detector} amplifier {amplifier}"

    def rows(self, ids: Iterable[int]) -> NDArray[np.bool_]:
        """Return (n_exposure,), whether a row is one of these exposures."""
        wanted = frozenset(ids)
        return np.array([exposure.id in wanted for exposure in self.exposures], dtype=bool)


def content_of(exposures: Sequence[Exposure], camera: Camera, biases: Sequence[Exposure] = ()) -> Content:
    """Put the content of exposures into arrays.

    Parameters
    ----------
    exposures
        They may lack detectors.
    camera
        For the size of each amplifier.
    biases
        Where an amplifier has no overscan, the median of their levels stands for the level without light.
    """
    units, (level, overscan, noise, saturated) = _arrays(exposures)
    zero = overscan.copy()
    if biases and np.isnan(overscan).any():
        bias_units, (bias_level, *_) = _arrays(biases)
        known = dict(zip(bias_units, nanmedian(bias_level), strict=True))
        pedestal = np.array([known.get(unit, np.nan) for unit in units])
        zero = np.where(np.isnan(overscan), pedestal, overscan)
    pixels = _pixels(units, camera)
    return Content(tuple(exposures), units, level, overscan, noise, saturated, zero, pixels)


def expected_scatter(content: Content) -> Array:
    """Return the standard deviation (n_exposure, n_unit) that noise and rounding give a median level, adu.

    The median of n pixels of noise s scatters by 1.25 s / sqrt(n) (Gaussian noise); of whole numbers it
    is rounded, which adds at most `ROUNDING`.
    """
    return np.hypot(1.2533 * content.noise / np.sqrt(content.pixels), ROUNDING)


def robust_scatter(values: Array) -> Array:
    """Return 1.4826 times the median absolute deviation of each column; NaN is passed over."""
    return 1.4826 * nanmedian(np.abs(values - nanmedian(values)))


def nanmedian(values: Array, axis: int = 0) -> Array:
    """Return the median without NaN; NaN, and no warning, where nothing is left."""
    if values.shape[axis] == 0:
        return np.full(values.shape[1 - axis], np.nan)
    unknown = np.isnan(values)
    if not unknown.any():
        return np.median(values, axis=axis)
    empty = unknown.all(axis=axis)
    filled = np.where(np.expand_dims(empty, axis), 0.0, values)
    return np.where(empty, np.nan, np.nanmedian(filled, axis=axis))


def _arrays(exposures: Sequence[Exposure]) -> tuple[tuple[Unit, ...], Array]:
    columns: dict[Unit, int] = {}
    cells: list[tuple[int, int]] = []
    values: list[tuple[float, float, float, float]] = []
    for row, exposure in enumerate(exposures):
        for record in exposure.records:
            for amp in record.content:
                column = columns.setdefault((record.detector, amp.amplifier), len(columns))
                overscan = np.nan if amp.overscan is None else amp.overscan
                cells.append((row, column))
                values.append((amp.level, overscan, amp.noise, amp.saturated))
    arrays = np.full((_FIELDS, len(exposures), len(columns)), np.nan)
    if cells:
        rows, cols = np.array(cells).T
        arrays[:, rows, cols] = np.array(values, dtype=np.float64).T
    return tuple(columns), arrays


def _pixels(units: Sequence[Unit], camera: Camera) -> Array:
    sizes: dict[Unit, int] = {}
    for detector in sorted({detector for detector, _ in units}):
        for amp in camera.layout(detector).amplifiers:
            ny, nx = amp.data.shape
            sizes[detector, amp.name] = ny * nx
    return np.array([sizes[unit] for unit in units], dtype=np.float64)
