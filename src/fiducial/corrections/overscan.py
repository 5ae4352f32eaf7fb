"""Overscan: the level of the electronics at the time of each row, subtracted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import ChoiceField, Config, Field

from fiducial.algorithms.overscan import BY_ROW, METHODS, OverscanModel, fit_overscan, fit_overscan_rows
from fiducial.cameras.regions import Region
from fiducial.corrections.base import Context, Correction
from fiducial.corrections.frame import as_float
from fiducial.corrections.memory import for_each
from fiducial.corrections.strips import BLOCK
from fiducial.errors import AlgorithmError, ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.frame import Cut, DetectorFrame
    from fiducial.corrections.segment import Float64, Segment

CAMERA = "camera"
LOCAL = ("none", *BY_ROW)
"""Methods whose level in a row comes from that row alone."""


class OverscanConfig(Config):
    """Settings of the overscan; what is not set is the camera's own."""

    method = ChoiceField[str](
        doc="How the level is modelled.",
        default=CAMERA,
        allowed={CAMERA: "as the camera file says"} | {m: m.replace("_", " ") for m in METHODS},
    )
    order = Field[int](doc="Degree of a polynomial, number of groups of a spline.", optional=True)
    skipLeading = Field[int](doc="Columns left out next to the pixels, in readout order.", optional=True)
    skipTrailing = Field[int](doc="Columns left out that are read last.", optional=True)
    parallel = Field[bool](doc="Model the parallel overscan too.", optional=True)


@dataclass(frozen=True, slots=True, eq=False)
class LineLevels:
    """Level and added variance (adu) of the rows, or columns, of a strip, and the model they are from."""

    level: Float64
    variance: Float64
    model: OverscanModel


class OverscanCorrection(Correction):
    """Subtract a model of the serial overscan, and of the parallel overscan if wanted.

    Methods that take a row's level from that row work strip by strip; the others are fitted to the
    whole overscan of the amplifier before (`prepare`). Saturated overscan pixels are passed over.
    The parallel overscan (its serial level removed) is fitted by the same method, column by
    column. An amplifier without overscan keeps its level; one whose overscan is saturated altogether (or
    within a block of rows) has none there: its pixels become NaN, and the other amplifiers go on.
    """

    name = "overscan"
    stage = "raw"
    ConfigClass = OverscanConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        own = context.camera.defaults.overscan
        self.method: str = own.method if config.method == CAMERA else config.method
        self.order: int = own.order if config.order is None else config.order
        self.skip_leading: int = own.skip_leading if config.skipLeading is None else config.skipLeading
        self.skip_trailing: int = own.skip_trailing if config.skipTrailing is None else config.skipTrailing
        self.parallel: bool = own.parallel if config.parallel is None else config.parallel

        self.whole_frame = self.method not in LOCAL

    def prepare(self, frame: DetectorFrame) -> None:
        """Fit what needs the whole amplifier."""
        for models in for_each(lambda amp: self._models(frame, amp), frame.amplifiers, frame.threads):
            frame.models |= models

    def _models(self, frame: DetectorFrame, amp: Amplifier) -> dict[tuple[str, str], OverscanModel]:
        found = {}
        serial = None
        if amp.serial_overscan is not None and self.method not in LOCAL:
            pixels = as_float(frame.read(amp, amp.serial_overscan), amp.saturation)
            serial = found[amp.name, "serial"] = self._fit(pixels, amp.read_corner[1] == "L")
        if amp.parallel_overscan is not None and self.parallel and self.method != "none":
            found[amp.name, "parallel"] = self._fit_parallel(frame, amp, amp.parallel_overscan, serial)
        return found

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Subtract the level of each row, and of each column."""
        serial, parallel = self.levels(segment, frame)
        if serial is not None:
            segment.models["serial"] = serial.model
            segment.image -= serial.level.astype(np.float32)[:, np.newaxis]
            segment.row_variance = segment.row_variance + serial.variance
        if parallel is not None:
            segment.models["parallel"] = parallel.model
            segment.image -= parallel.level.astype(np.float32)
            segment.column_variance = segment.column_variance + parallel.variance

    def levels(self, cut: Cut | Segment, frame: DetectorFrame) -> tuple[LineLevels | None, LineLevels | None]:
        """Levels of a strip's rows by the serial overscan, and of its columns by the parallel overscan."""
        parallel = frame.models.get((cut.amplifier.name, "parallel"))
        return (
            self._serial(cut, frame),
            None if parallel is None else LineLevels(parallel.level, parallel.variance, parallel),
        )

    def notes(self) -> dict[str, str | int | float | bool]:
        """The settings in force."""
        return {
            "METHOD": self.method,
            "ORDER": self.order,
            "SKIP": f"{self.skip_leading},{self.skip_trailing}",
            "PARALLEL": self.parallel,
        }

    def _serial(self, cut: Cut | Segment, frame: DetectorFrame) -> LineLevels | None:
        amp = cut.amplifier
        if amp.serial_overscan is None or self.method == "none":
            return None
        if (whole := frame.models.get((amp.name, "serial"))) is not None:
            first, last = (y - amp.serial_overscan.y0 for y in cut.rows)
            rows = np.clip(np.arange(first, last), 0, len(whole.level) - 1)
            return LineLevels(whole.level[rows], whole.variance[rows], whole)
        pixels = cut.overscan
        if pixels is None:  # the section names other rows than the data's: take these columns all the same
            area = amp.serial_overscan
            pixels = frame.read(amp, Region(area.x0, area.x1, *cut.rows))
        return self._fit_blocks(cut, as_float(pixels, amp.saturation))

    def _fit_blocks(self, cut: Cut | Segment, pixels: Float64) -> LineLevels:
        """Fit blocks of readout rows one by one, so that the height of the strip does not matter."""
        bounds, first_left = _bounds(cut.amplifier, *cut.rows), cut.amplifier.read_corner[1] == "L"
        try:
            model = self._fit_rows(pixels, bounds, first_left)
        except AlgorithmError:  # some block has no pixel
            model = _joined([self._of_block(pixels[a:b], first_left) for a, b in pairwise(bounds.tolist())])
        return LineLevels(model.level, model.variance, model)

    def _of_block(self, pixels: Float64, first_left: bool) -> OverscanModel:
        try:
            return self._fit_rows(pixels, np.array([0, len(pixels)]), first_left)
        except AlgorithmError:
            return self._unknown(pixels)

    def _fit_rows(self, pixels: Float64, bounds: NDArray[np.int64], first_left: bool) -> OverscanModel:
        return fit_overscan_rows(
            pixels,
            bounds,
            method=self.method,
            skip_leading=self.skip_leading,
            skip_trailing=self.skip_trailing,
            first_column_left=first_left,
        )

    def _unknown(self, pixels: NDArray[Any]) -> OverscanModel:
        """No level, where no pixel tells one.

        Raises
        ------
        ConfigurationError
            All columns are skipped.
        """
        if pixels.shape[1] <= self.skip_leading + self.skip_trailing:
            raise ConfigurationError(
                f"the overscan has {pixels.shape[1]} columns, "
                f"and {self.skip_leading} + {self.skip_trailing} of them are skipped",
                hint="Lower skipLeading or skipTrailing.",
            )
        return OverscanModel(np.full(len(pixels), np.nan), np.zeros(len(pixels)), np.nan, 0)

    def _fit_parallel(
        self, frame: DetectorFrame, amp: Amplifier, area: Region, whole: OverscanModel | None
    ) -> OverscanModel:
        pixels = as_float(frame.read(amp, area), amp.saturation)
        if amp.serial_overscan is not None:
            if whole is not None:
                rows = np.arange(area.y0, area.y1) - amp.serial_overscan.y0
                level = whole.level[np.clip(rows, 0, len(whole.level) - 1)]
            else:  # the corner: serial overscan columns of the parallel overscan rows
                corner = Region(amp.serial_overscan.x0, amp.serial_overscan.x1, area.y0, area.y1)
                level = self._fit(
                    as_float(frame.read(amp, corner), amp.saturation), amp.read_corner[1] == "L"
                ).level
            pixels -= level[:, np.newaxis]
        return self._fit(pixels.T, amp.read_corner[0] == "L")

    def _fit(self, pixels: NDArray[Any], first_column_left: bool) -> OverscanModel:
        try:
            return fit_overscan(
                pixels,
                method=self.method,
                order=self.order,
                skip_leading=self.skip_leading,
                skip_trailing=self.skip_trailing,
                first_column_left=first_column_left,
            )
        except AlgorithmError:
            if np.isfinite(pixels).all():  # it is the settings that do not fit
                raise
            return self._unknown(pixels)


def _joined(blocks: Sequence[OverscanModel]) -> OverscanModel:
    """Blocks of rows one above the other; noise and number of pixels are those of blocks that have some."""
    noises = [block.noise for block in blocks if np.isfinite(block.noise)]
    return OverscanModel(
        np.concatenate([block.level for block in blocks]),
        np.concatenate([block.variance for block in blocks]),
        float(np.median(noises)) if noises else np.nan,
        next((block.used for block in blocks if block.used), 0),
    )


def _bounds(amp: Amplifier, y0: int, y1: int) -> NDArray[np.int64]:
    """Where blocks of `BLOCK` readout rows begin and end, counted from raw row ``y0``; the last is ``y1``."""
    height = amp.data.shape[0]
    steps = np.append(np.arange(0, height, BLOCK), height)
    edges = amp.data.y0 + steps if amp.read_corner[0] == "L" else amp.data.y1 - steps
    inside = edges[(edges > y0) & (edges < y1)]
    return np.sort(np.concatenate(([y0], inside, [y1]))).astype(np.int64) - y0
