"""Interpolation: masked pixels filled in from those around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import Config, Field, ListField, RangeField

from fiducial.algorithms.interpolate import Filled, interpolate_lines, wander_of
from fiducial.corrections.base import Context, Correction
from fiducial.corrections.memory import for_each_band
from fiducial.corrections.whole import WholeDetector, flagged
from fiducial.errors import ConfigurationError
from fiducial.products.masks import UNUSABLE, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Float32, Segment

_LEAST = 1e-20


class InterpolateConfig(Config):
    """Settings of the interpolation."""

    planes = ListField[str](
        doc="Mask planes whose pixels are filled in.",
        default=["BAD", "SAT", "NO_DATA", "CR", "UNMASKED_NAN"],
    )
    longest = RangeField(
        dtype=int, default=20, min=1, doc="Longest gap in a row or column that is filled, pixels."
    )
    process = Field[bool](default=False, doc="Fill small groups of pixels by a Gaussian process.")
    processPixels = RangeField(dtype=int, default=25, min=1, doc="Largest of such groups, pixels.")
    processLength = RangeField(
        dtype=float, default=2.0, min=0.1, doc="Length of correlation of the Gaussian process, pixels."
    )


class InterpolateCorrection(Correction):
    """Fill masked pixels in, linearly along the row or the column, whichever has the shorter gap.

    They get INTRP and keep the planes that they have, so what counts as unusable is still passed over. Their
    variance is that of the difference to what they would have measured: more than that of their neighbours,
    and the more the farther these are. What lies in long gaps, as a whole amplifier, is left as it is.
    """

    name = "interpolate"
    whole_detector = True
    ConfigClass = InterpolateConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        if unknown := [name for name in config.planes if name not in Plane.__members__]:
            raise ConfigurationError(
                f"interpolate.planes names {', '.join(unknown)}, which is no mask plane",
                hint=f"There are {', '.join(Plane.__members__)}.",
            )
        self._wanted = np.int32(reduce(or_, (Plane[name] for name in config.planes), Plane(0)))

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Fill the pixels of all amplifiers together: gaps end behind the seams between them."""
        whole = WholeDetector.of(segments, frame)
        wanted = flagged(whole.mask, self._wanted, frame.threads)
        if not wanted.any():
            return
        whole.add_up(segments, frame)
        noisy = all(segment.variance is not None for segment in segments)
        usable = self._usable(whole, noisy, frame.threads)
        variance = whole.variance if noisy else _noise_of(whole, usable)
        if self.config.process:
            from fiducial.algorithms.interpolate_process import interpolate_process  # long to import

            length, most = float(self.config.processLength), int(self.config.processPixels)
            small = interpolate_process(whole.image, variance, wanted, usable, length=length, most=most)
            _fill(whole, small)
            wanted[small.y, small.x] = False
        lines = interpolate_lines(whole.image, variance, wanted, usable, longest=int(self.config.longest))
        _fill(whole, lines)
        whole.give_back(segments, frame)

    def _usable(self, whole: WholeDetector, noisy: bool, threads: int) -> NDArray[np.bool_]:
        """Which pixels others can be filled from."""
        usable = np.empty(whole.mask.shape, np.bool_)
        passed_over = np.int32(UNUSABLE) | self._wanted

        def look(rows: slice) -> None:
            np.equal(whole.mask[rows] & passed_over, 0, out=usable[rows])
            usable[rows] &= np.isfinite(whole.image[rows])
            if noisy:
                usable[rows] &= np.isfinite(whole.variance[rows])

        for_each_band(look, len(usable), threads)
        return usable

    def notes(self) -> dict[str, str | int | float | bool]:
        """The planes, the longest gap, and whether a Gaussian process is used."""
        return {
            "PLANES": ",".join(self.config.planes),
            "LONGEST": int(self.config.longest),
            "PROCESS": bool(self.config.process),
        }


def _noise_of(whole: WholeDetector, usable: NDArray[np.bool_]) -> Float32:
    """Half the variance of neighbours' differences, for frames without the correction ``variance``."""
    half = 0.5 * wander_of(whole.image, np.zeros_like(whole.image), usable)
    return np.full_like(whole.image, max(half, _LEAST))


def _fill(whole: WholeDetector, filled: Filled) -> None:
    where = filled.y, filled.x
    whole.image[where], whole.variance[where] = filled.value, filled.variance
    whole.mask[where] |= np.int32(Plane.INTRP)
