"""A frame by itself corrected in one pass, where its chain is the usual one.

The pixels are those that the corrections give one after the other, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.bias import BiasCorrection
from fiducial.corrections.dark import DarkCorrection
from fiducial.corrections.defects import DefectsCorrection
from fiducial.corrections.flat import NO_RESPONSE, FlatCorrection
from fiducial.corrections.memory import FrameMemory, FramePlanes, for_each, new_planes
from fiducial.corrections.nan import NanCorrection
from fiducial.corrections.raw_stage import RawStage
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import detector_window, plan_strips
from fiducial.corrections.variance import VarianceCorrection, read_variance, signal_factor
from fiducial.kernels import Detrended, Detrending, MasterPlanes, NanMark, Noise, detrend_rows, inverse_of
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.base import Correction
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import Cut, DetectorFrame
    from fiducial.corrections.overscan import LineLevels
    from fiducial.corrections.segment import Float32, Float64, Int32, World

    type Levels = tuple[LineLevels | None, LineLevels | None]

_ORDER = (BiasCorrection, VarianceCorrection, DarkCorrection, FlatCorrection, NanCorrection)


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedFrame:
    """A whole frame corrected.

    Attributes
    ----------
    image, variance : (ny, nx) float32
        The variance with that of the masters. NaN where no amplifier is, and without the correction
        ``variance`` everywhere.
    mask : (ny, nx) int32
        NO_DATA where no amplifier is.
    segments : list of Segment
        Whose image and mask are views of these.
    """

    image: Float32
    variance: Float32
    mask: Int32
    segments: list[Segment]


def correct_frame(
    chain: Chain, frame: DetectorFrame, *, threads: int = 1, memory: FrameMemory | None = None
) -> CorrectedFrame:
    """Correct a prepared frame as a whole: in one pass, or correction by correction if its chain is unusual.

    Parameters
    ----------
    chain
        What is done; it has prepared the frame.
    frame
        One frame that stands by itself.
    threads
        Threads to use; no pixel depends on it.
    memory
        Where the pixels go: valid until it is used again. None: to memory of their own.
    """
    (whole,) = plan_strips(frame.amplifiers)
    single = chain.single_pass
    if single is not None:
        cuts = frame.cuts(whole, None if memory is None else memory.rows(frame, whole))
        if all(map(single.stage.takes, cuts)):
            return single.frame(cuts, frame, memory, threads)
    planes = new_planes(frame) if memory is None else memory.planes(frame)
    frame.planes, frame.threads = planes, threads
    try:
        segments = chain.run_single(frame, whole)
        for_each(planes.add_up, segments, threads)
    finally:
        frame.planes = None
    return CorrectedFrame(planes.image, planes.variance, planes.mask, segments)


@dataclass(frozen=True, eq=False)
class SinglePass:
    """The corrections of a usual chain: raw stage, then bias, variance, dark, flat, nan, or some of them.

    Defects may stand anywhere among these but behind nan, which looks at their marks.
    """

    stage: RawStage
    bias: BiasCorrection | None = None
    variance: VarianceCorrection | None = None
    dark: DarkCorrection | None = None
    flat: FlatCorrection | None = None
    nan: NanCorrection | None = None
    defects: DefectsCorrection | None = None

    @classmethod
    def of(cls, corrections: Sequence[Correction]) -> SinglePass | None:
        """Find them in a chain; None where it does something else, or in another order."""
        stage, rest = RawStage.of(corrections)
        names = [one.name for one in rest]
        kinds = [type(one) for one in rest if not isinstance(one, DefectsCorrection)]
        if stage is None or kinds != [kind for kind in _ORDER if kind in kinds]:
            return None
        if {"defects", "nan"} <= set(names) and names.index("defects") > names.index("nan"):
            return None
        found: dict[str, Any] = {one.name: one for one in rest}
        return cls(stage, **found)

    def frame(
        self, cuts: Sequence[Cut], frame: DetectorFrame, memory: FrameMemory | None, threads: int
    ) -> CorrectedFrame:
        """Correct the pixels of all amplifiers, some at a time, or all threads at one if there are few."""
        noisy = self.variance is not None
        out = new_planes(frame) if memory is None else memory.planes(frame, variance=noisy)
        if not noisy and memory is None:
            out.variance.fill(np.nan)
        masters, each = self._masters, 1 if len(cuts) >= 2 * threads else threads
        found = for_each(lambda cut: self.segment(cut, frame, out, masters, each), cuts, threads // each)
        return CorrectedFrame(out.image, out.variance, out.mask, found)

    def segment(
        self, cut: Cut, frame: DetectorFrame, out: FramePlanes, masters: MasterPlanes, threads: int
    ) -> Segment:
        """Correct the pixels of one amplifier, to where they belong in a frame."""
        if self.stage.of_pixels:
            return self._behind(self.stage.segment(cut, frame), frame, out, masters, threads)
        amp = cut.amplifier
        overscan = self.stage.overscan
        levels = overscan.levels(cut, frame) if overscan else (None, None)
        window = detector_window(amp, *cut.rows)
        where = window.slices
        steps = self._steps(cut, levels, frame.facts.dark_time)
        planes = Detrended(out.image[where], out.variance[where] if steps.noise else None, out.mask[where])
        detrend_rows(cut.raw, steps, masters.within(where), planes, threads=threads)
        rows, columns = self._added(cut, levels)
        return Segment(
            amp,
            cut.rows,
            cut.raw,
            cut.overscan,
            planes.image,
            planes.mask,
            rows[::-1] if steps.flip_y else rows,
            columns[::-1] if steps.flip_x else columns,
            self._world,
            planes.variance,
            window=window,
            models={name: own.model for name, own in zip(("serial", "parallel"), levels, strict=True) if own},
        )

    def _behind(
        self,
        segment: Segment,
        frame: DetectorFrame,
        out: FramePlanes,
        whole_masters: MasterPlanes,
        threads: int,
    ) -> Segment:
        """What comes behind a raw stage that is more than the kernel does: its result is the raw image."""
        where, amp = segment.place.slices, segment.amplifier
        noise = None
        if self.variance is not None:
            noise = self._noise(amp, segment.row_variance, segment.column_variance)
        steps = Detrending(noise=noise, time=frame.facts.dark_time, nan=self._nan)
        planes = Detrended(out.image[where], out.variance[where] if noise else None, out.mask[where])
        masters = whole_masters.within(where)
        mask = segment.mask if masters.mask is None else segment.mask | masters.mask
        detrend_rows(segment.image, steps, replace(masters, mask=mask), planes, threads=threads)
        segment.image, segment.variance, segment.mask = planes.image, planes.variance, planes.mask
        return segment

    def _noise(self, amp: Amplifier, rows: Float64, columns: Float64) -> Noise:
        poisson = self.variance is not None and self.variance.config.poisson
        return Noise(
            (read_variance(amp, self._world) + rows).astype(np.float32),
            columns.astype(np.float32) if columns.any() else None,
            signal_factor(amp, self._world) if poisson else None,
        )

    @property
    def _nan(self) -> NanMark | None:
        return NanMark(int(Plane.UNMASKED_NAN), int(UNUSABLE)) if self.nan else None

    def _steps(self, cut: Cut, levels: Levels, time: float) -> Detrending:
        amp = cut.amplifier
        noise = None
        if self.variance is not None:
            noise = self._noise(amp, *self._added(cut, levels))
        row, column = (None if own is None else own.level.astype(np.float32) for own in levels)
        return Detrending(
            row_level=row,
            column_level=column,
            gain=amp.gain if self.stage.gain else 1.0,
            limits=self.stage.limits(amp.saturation),
            noise=noise,
            time=time,
            nan=self._nan,
            flip_x=amp.detector.flip_x,
            flip_y=amp.detector.flip_y,
        )

    def _added(self, cut: Cut, levels: Levels) -> tuple[Float64, Float64]:
        """Variance that the models add to rows and columns, in the order of the file."""
        square = cut.amplifier.gain**2 if self.stage.gain else 1.0
        rows, columns = (
            np.zeros(length) if own is None else own.variance * square
            for own, length in zip(levels, cut.raw.shape, strict=True)
        )
        return rows, columns

    @property
    def _world(self) -> World:
        return "electron" if self.stage.gain else "adu"

    @cached_property
    def _masters(self) -> MasterPlanes:
        bias, dark, flat = (None if one is None else one.found for one in (self.bias, self.dark, self.flat))
        inverse = None
        masks = [master.mask for master in (bias, dark, flat) if master is not None]
        if self.flat is not None:
            inverse = inverse_of(_native(self.flat.found.image), self.flat.config.minimum)
            masks.append(np.where(np.isnan(inverse), NO_RESPONSE, np.int32(0)))
        if self.defects is not None:
            masks.append(self.defects.mask)
        noisy = self.variance is not None
        return MasterPlanes(
            bias=_native(bias.image) if bias else None,
            dark=_native(dark.image) if dark else None,
            inverse_flat=inverse,
            bias_variance=_native(bias.variance) if bias and noisy else None,
            dark_variance=_native(dark.variance) if dark and noisy else None,
            flat_variance=_native(flat.variance) if flat and noisy else None,
            mask=np.bitwise_or.reduce(masks).astype(np.int32) if masks else None,
        )


def _native(plane: Float32) -> Float32:
    return np.ascontiguousarray(plane, np.float32)
