"""Saturation, overscan, gain and assembly in one pass: what nearly every frame needs, at the speed of memory.

Turn-off marks and the linearity between gain and assembly go with it: they look at single pixels, wherever
those stand.

The pixels are those that the corrections give one after the other, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.assembly import AssemblyCorrection
from fiducial.corrections.gain import GainCorrection
from fiducial.corrections.linearity import LinearityCorrection
from fiducial.corrections.overscan import LineLevels, OverscanCorrection
from fiducial.corrections.saturation import SaturationCorrection
from fiducial.corrections.segment import Float64, Planes, Segment
from fiducial.corrections.strips import detector_window
from fiducial.corrections.suspect import SuspectCorrection
from fiducial.kernels import RAW_TYPES, Limits, correct_rows
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.base import Correction
    from fiducial.corrections.frame import Cut, DetectorFrame

_ORDER = (OverscanCorrection, GainCorrection, SuspectCorrection, LinearityCorrection, AssemblyCorrection)


@dataclass(frozen=True, slots=True)
class RawStage:
    """The corrections before a chain's assembly, and it, done together."""

    saturation: SaturationCorrection | None
    overscan: OverscanCorrection | None
    gain: GainCorrection | None
    suspect: SuspectCorrection | None = None
    linearity: LinearityCorrection | None = None

    @classmethod
    def of(cls, corrections: Sequence[Correction]) -> tuple[RawStage | None, tuple[Correction, ...]]:
        """Take the raw stage out of a chain.

        Returns
        -------
        stage : RawStage or None
            None where the chain does something else before assembly, or in another order.
        rest : tuple of Correction
            What is left to do.
        """
        kinds = [type(one) for one in corrections]
        if AssemblyCorrection not in kinds:
            return None, tuple(corrections)
        end = kinds.index(AssemblyCorrection) + 1
        # Saturation looks at the raw pixels, wherever it stands.
        changing = [kind for kind in kinds[:end] if kind is not SaturationCorrection]
        if changing != [kind for kind in _ORDER if kind in changing]:
            return None, tuple(corrections)
        found: dict[type, Any] = dict(zip(kinds[:end], corrections, strict=False))
        stage = cls(
            found.get(SaturationCorrection),
            found.get(OverscanCorrection),
            found.get(GainCorrection),
            found.get(SuspectCorrection),
            found.get(LinearityCorrection),
        )
        return stage, tuple(corrections[end:])

    @property
    def of_pixels(self) -> bool:
        """Whether there is more to do than the kernel of raw rows does: something by signal."""
        return self.suspect is not None or self.linearity is not None

    def takes(self, cut: Cut) -> bool:
        """Whether the raw pixels are of a type that the kernel knows."""
        return cut.raw.dtype in RAW_TYPES

    def segment(self, cut: Cut, frame: DetectorFrame, out: Planes | None = None) -> Segment:
        """Correct the pixels of one amplifier within a strip; ``out`` is where they go."""
        amp = cut.amplifier
        serial, parallel = self.overscan.levels(cut, frame) if self.overscan else (None, None)
        gain = amp.gain if self.gain else 1.0
        place = amp.detector
        image, mask = correct_rows(
            cut.raw,
            None if serial is None else serial.level.astype(np.float32),
            None if parallel is None else parallel.level.astype(np.float32),
            gain,
            self.limits(amp.saturation),
            flip_x=place.flip_x,
            flip_y=place.flip_y,
            out=out,
        )
        ny, nx = image.shape
        segment = Segment(
            amp,
            cut.rows,
            cut.raw,
            cut.overscan,
            image,
            mask,
            _variance(serial, ny, gain, place.flip_y),
            _variance(parallel, nx, gain, place.flip_x),
            "electron" if self.gain else "adu",
            window=detector_window(amp, *cut.rows),
            models={n: m.model for n, m in (("serial", serial), ("parallel", parallel)) if m is not None},
        )
        for correction in (self.suspect, self.linearity):
            if correction is not None:
                correction.correct(segment, frame)
        return segment

    def limits(self, saturation: float) -> Limits:
        """From which raw values pixels are marked."""
        if self.saturation is None:
            return Limits()
        suspect = self.saturation.config.suspect * saturation
        return Limits(suspect, saturation, int(Plane.SUSPECT), int(Plane.SAT))


def _variance(levels: LineLevels | None, length: int, gain: float, flip: bool) -> Float64:
    variance = np.zeros(length) if levels is None else levels.variance * gain**2
    return variance[::-1] if flip else variance
