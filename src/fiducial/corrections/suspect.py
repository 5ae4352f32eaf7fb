"""Suspect: signals above an amplifier's turn-off are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import ChoiceField, Config, DictField, RangeField

from fiducial.corrections.base import Context, Correction
from fiducial.errors import ConfigurationError
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class SuspectConfig(Config):
    """Settings of the turn-off masks."""

    turnoff = RangeField(
        dtype=float,
        doc="Turn-off of amplifiers that turnoffs does not name; default: those have none.",
        optional=True,
        default=None,
        min=0.0,
    )
    turnoffs: Any = DictField(
        keytype=str, itemtype=float, default={}, doc="Turn-off of each amplifier, by its name."
    )
    unit = ChoiceField[str](
        doc="Unit of the turn-offs.",
        default="adu",
        allowed={"adu": "adu above bias", "electron": "electrons"},
        optional=False,
    )


class SuspectCorrection(Correction):
    """Mark signals above the turn-off of their amplifier as SUSPECT, where variance stops to follow the mean.

    The signal is that above bias, before linearity. What is saturated keeps its SAT; the fraction of the
    saturation from which the correction saturation marks SUSPECT is another setting (1: none).

    Raises
    ------
    ConfigurationError
        No turn-off is set, or one for an amplifier that the camera does not have.
    """

    name = "suspect"
    stage = "raw"
    after = ("overscan",)
    before = ("linearity",)
    ConfigClass = SuspectConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        names = {amp.name for layout in context.camera.layouts.values() for amp in layout.amplifiers}
        if unknown := sorted(set(config.turnoffs) - names):
            raise ConfigurationError(
                f"turnoffs name {', '.join(unknown)}, and {context.camera.name} has no such amplifier",
                hint=f"There are {', '.join(sorted(names))}.",
            )
        if config.turnoff is None and not config.turnoffs:
            raise ConfigurationError(
                "the chain has the correction 'suspect', but no turn-off is set",
                hint="Set turnoff, or turnoffs by amplifier, or leave suspect out of the chain.",
            )
        found = {
            amp.name: config.turnoffs.get(amp.name, config.turnoff)
            for amp in context.camera.amplifiers(context.detector)
        }
        self.turnoffs: dict[str, float] = {
            name: float(value) for name, value in found.items() if value is not None
        }

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Set the bit."""
        amp = segment.amplifier
        level = self.turnoffs.get(amp.name)
        if level is None:
            return
        if segment.world != self.config.unit:
            level *= amp.gain if segment.world == "electron" else 1.0 / amp.gain
        beyond = segment.image > np.float32(level)
        if beyond.any():
            segment.mask[beyond] |= np.int32(Plane.SUSPECT)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The turn-offs in force."""
        return {"UNIT": str(self.config.unit), **self.turnoffs}
