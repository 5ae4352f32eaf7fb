"""Noise check: amplifiers whose overscan is noisier, or quieter, than they should be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from lsst.pex.config import ChoiceField, Config, RangeField

from fiducial.algorithms.noise_limits import NoiseVerdict, judge_noise
from fiducial.algorithms.overscan import fit_overscan
from fiducial.corrections.base import Correction
from fiducial.corrections.frame import as_float
from fiducial.corrections.memory import for_each
from fiducial.errors import AlgorithmError, FrameError
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.cameras.regions import Region
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment

_LOG = logging.getLogger(__name__)


class NoiseCheckConfig(Config):
    """Settings of the noise check."""

    low = RangeField(
        dtype=float, default=0.5, min=0.0, doc="Least noise, as a fraction of the read noise expected."
    )
    high = RangeField(dtype=float, default=2.0, min=0.0, doc="Largest noise, in units of the read noise.")
    outside = ChoiceField[str](
        doc="What becomes of an amplifier whose noise is beyond these.",
        default="warn",
        allowed={
            "warn": "A warning, and a line in the header.",
            "bad": "All its pixels are marked BAD as well.",
            "refuse": "The frame is refused.",
        },
        optional=False,
    )


class NoiseCheckCorrection(Correction):
    """Hold the noise of each amplifier's serial overscan against the read noise that it should have.

    That is the read noise that the master bias has measured, else the camera file's. Noise is that of
    pixels about their row's median; beyond a limit is what is beyond it by three times its error. An
    overscan without a finite pixel counts as too quiet; an amplifier without overscan is not judged.
    The header has ``FID AMP {name} NOISE RATIO`` and ``NOISE CHECK`` (ok, low, high).

    Raises
    ------
    FrameError
        Of a frame with such an amplifier, if ``outside`` is ``refuse``.
    """

    name = "noise_check"
    stage = "raw"
    whole_frame = True
    ConfigClass = NoiseCheckConfig

    def prepare(self, frame: DetectorFrame) -> None:
        """Measure and judge the whole overscan of each amplifier."""
        wrong = []
        areas = [(amp, amp.serial_overscan) for amp in frame.amplifiers if amp.serial_overscan is not None]
        verdicts = for_each(lambda pair: self._judge(frame, *pair), areas, frame.threads)
        for (amp, _), verdict in zip(areas, verdicts, strict=True):
            if np.isfinite(verdict.ratio):
                frame.notes[f"FID AMP {amp.name} NOISE RATIO"] = verdict.ratio
            frame.notes[f"FID AMP {amp.name} NOISE CHECK"] = verdict.outcome
            if verdict.outcome in ("low", "high"):
                wrong.append((amp.name, f"{verdict.ratio:.3g} times the read noise expected"))
        if not wrong:
            return
        says = "; ".join(f"the overscan noise of amplifier {name} is {reason}" for name, reason in wrong)
        if self.config.outside == "refuse":
            raise FrameError(
                f"exposure {frame.exposure}: {says}",
                hint="Look at the amplifier, or set corrections.noise_check.outside to warn or bad.",
            )
        _LOG.warning("exposure %d: %s", frame.exposure, says)
        if self.config.outside == "bad":
            frame.bad_amplifiers |= dict(wrong)

    def _judge(self, frame: DetectorFrame, amp: Amplifier, area: Region) -> NoiseVerdict:
        own = self.context.camera.defaults.overscan
        pixels = as_float(frame.read(amp, area), amp.saturation)
        try:
            model = fit_overscan(
                pixels,
                method="median_per_row",
                order=0,
                skip_leading=own.skip_leading,
                skip_trailing=own.skip_trailing,
                first_column_left=amp.read_corner[1] == "L",
            )
        except AlgorithmError:
            return NoiseVerdict(0.0, 0.0, "low")
        freedom = (model.used - 1) * area.shape[0]
        limits = {"low": float(self.config.low), "high": float(self.config.high)}
        return judge_noise(model.noise, freedom, amp.read_noise / amp.gain, **limits)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Mark the pixels of amplifiers that are out of bounds, if that is wanted."""
        if segment.amplifier.name in frame.bad_amplifiers:
            segment.mask |= np.int32(Plane.BAD)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The limits in force."""
        return {
            "LOW": float(self.config.low),
            "HIGH": float(self.config.high),
            "OUTSIDE": str(self.config.outside),
        }
