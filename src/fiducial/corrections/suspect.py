"""Suspect: signals above an amplifier's turn-off are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import ChoiceField, DictField, RangeField

from fiducial.corrections.base import Context, Correction
from fiducial.corrections.transfer_master import transfer_master, turnoffs_of
from fiducial.corrections.with_master import MasterConfig
from fiducial.errors import ConfigurationError
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.masters import Master
    from fiducial.corrections.segment import Segment


class SuspectConfig(MasterConfig):
    """Settings of the turn-off masks."""

    source = ChoiceField[str](
        doc="Where turn-offs are from.",
        default="settings",
        allowed={
            "settings": "From turnoff and turnoffs.",
            "ptc": "From photon transfer, of amplifiers whose turn-off it found; others as the settings say.",
        },
        optional=False,
    )
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
        doc="Unit of the turn-offs that are set.",
        default="adu",
        allowed={"adu": "adu above bias", "electron": "electrons"},
        optional=False,
    )


class SuspectCorrection(Correction):
    """Mark signals above the turn-off of their amplifier as SUSPECT, where variance stops to follow the mean.

    The signal is that above bias, before linearity. What is saturated keeps its SAT; the fraction of the
    saturation from which the correction saturation marks SUSPECT is another setting (1: none). Turn-offs of
    photon transfer on linearised flats are taken back to signals before linearity, where the chain has it.

    Raises
    ------
    ConfigurationError
        No turn-off is set, or one for an amplifier that the camera does not have; or photon transfer is to
        give them, and there is none.
    CalibrationMismatch
        Photon transfer is of another detector.
    """

    name = "suspect"
    stage = "raw"
    ConfigClass = SuspectConfig

    @classmethod
    def masters(cls, config: Any = None) -> tuple[str, ...]:
        """Photon transfer, if it gives the turn-offs."""
        return ("ptc",) if config is not None and config.source == "ptc" else ()

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        names = {amp.name for layout in context.camera.layouts.values() for amp in layout.amplifiers}
        if unknown := sorted(set(config.turnoffs) - names):
            raise ConfigurationError(
                f"turnoffs name {', '.join(unknown)}, and {context.camera.name} has no such amplifier",
                hint=f"There are {', '.join(sorted(names))}.",
            )
        self.found: Master | None = None
        if config.source == "ptc":
            self.found = transfer_master(context.masters, context, "suspect with source=ptc")
        elif config.turnoff is None and not config.turnoffs:
            raise ConfigurationError(
                "the chain has the correction 'suspect', but no turn-off is set",
                hint="Set turnoff, turnoffs by amplifier or source=ptc, or leave suspect out of the chain.",
            )
        measured = {} if self.found is None else turnoffs_of(self.found, context.masters.get("linearizer"))
        self.turnoffs: dict[str, float] = {}  # adu
        for amp in context.camera.amplifiers(context.detector):
            set_ = config.turnoffs.get(amp.name, config.turnoff)
            if amp.name in measured:
                self.turnoffs[amp.name] = measured[amp.name]
            elif set_ is not None:
                self.turnoffs[amp.name] = float(set_) / (amp.gain if config.unit == "electron" else 1.0)

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame of another camera state than that of photon transfer."""
        if self.found is not None and self.config.matchState:
            self.found.require_state(frame, self.name)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Set the bit."""
        amp = segment.amplifier
        level = self.turnoffs.get(amp.name)
        if level is None:
            return
        if segment.world == "electron":
            level *= amp.gain
        beyond = segment.image > np.float32(level)
        if beyond.any():
            segment.mask[beyond] |= np.int32(Plane.SUSPECT)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The turn-offs in force, adu, and the content hash of photon transfer if they are from there."""
        own: dict[str, str | int | float | bool] = {"SOURCE": str(self.config.source), "UNIT": "adu"}
        if self.found is not None:
            own["HASH"] = self.found.content_hash
        return own | self.turnoffs
