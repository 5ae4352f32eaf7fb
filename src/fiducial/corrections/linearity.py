"""Linearity: signals made proportional to light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pex.config import ChoiceField, Field

from fiducial.algorithms.linearity_models import apply_linearity
from fiducial.corrections.base import Context, Correction
from fiducial.corrections.linearity_product import models_of
from fiducial.corrections.with_master import MasterConfig
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment


class LinearityConfig(MasterConfig):
    """Settings of the linearity correction."""

    undetermined = ChoiceField[str](
        doc="What becomes of an amplifier whose correction the linearizer does not know.",
        default="suspect",
        allowed={
            "suspect": "Left as it is, and marked SUSPECT.",
            "bad": "Marked BAD.",
            "refuse": "The linearizer is refused.",
        },
        optional=False,
    )
    markBeyond = Field[bool](
        default=True, doc="Mark signals beyond the largest that the correction was made for as SUSPECT."
    )


class LinearityCorrection(Correction):
    """Add the linearizer's correction to every pixel of an amplifier.

    It stands behind the overscan, before or behind the gain; a linearizer in adu serves chains in electrons
    by the camera's gains, and the other way round.

    Raises
    ------
    ConfigurationError
        The chain names the correction, and no linearizer was given.
    CalibrationMismatch
        The linearizer is of another detector, lacks an amplifier, or cannot be read.
    """

    name = "linearity"
    stage = "raw"
    master = "linearizer"
    ConfigClass = LinearityConfig

    def __init__(self, config: Any, context: Context) -> None:
        from fiducial.products.linearizer import Linearizer  # long to import

        super().__init__(config, context)
        if self.master not in context.masters:
            raise ConfigurationError(
                "the chain has the correction 'linearity', but there is no linearizer",
                hint="Certify a linearizer, give the collection that holds one, "
                "or leave linearity out of the chain.",
            )
        self.found = context.masters["linearizer"]
        product: Any = self.found.product
        if not isinstance(product, Linearizer):
            raise self._mismatch(f"is a {type(product).__name__}, not a linearizer")
        self.product = product
        self.found.require_detector(context)
        try:
            self.models = models_of(product)
        except ValueError as error:
            raise self._mismatch(f"cannot be used: {error}") from error
        self._require_amplifiers(context.camera.amplifiers(context.detector))

    def _require_amplifiers(self, amplifiers: tuple[Amplifier, ...]) -> None:
        names = [amp.name for amp in amplifiers]
        if missing := [name for name in names if name not in self.models]:
            raise self._mismatch(f"lacks amplifier {', '.join(missing)}")
        unknown = [name for name in names if self.models[name] is None]
        if unknown and self.config.undetermined == "refuse":
            reasons = "; ".join(
                f"{name}: {getattr(self.product.amplifier(name), 'reason', '')}" for name in unknown
            )
            raise self._mismatch(f"does not know all amplifiers ({reasons})")

    def _mismatch(self, what: str) -> CalibrationMismatch:
        return CalibrationMismatch(
            f"the linearizer {self.found.dataset}".rstrip() + f" {what}",
            hint="Make a linearizer of this detector, or leave linearity out of the chain.",
        )

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame of another camera state than the linearizer's."""
        if self.config.matchState:
            self.found.require_state(frame, self.name)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Add it; noise is not rescaled: the signal's variance is that of the corrected signal."""
        model = self.models[segment.amplifier.name]
        if model is None:
            plane = Plane.BAD if self.config.undetermined == "bad" else Plane.SUSPECT
            segment.mask |= np.int32(plane)
            return
        unit = self._unit(segment)
        if self.config.markBeyond and np.isfinite(model.maximum):
            beyond = segment.image > np.float32(model.maximum * unit)
            if beyond.any():
                segment.mask[beyond] |= np.int32(Plane.SUSPECT)
        if unit == 1.0:
            segment.image[...] = apply_linearity(model, segment.image)
        else:
            corrected = apply_linearity(model, segment.image / np.float32(unit))
            np.multiply(corrected, np.float32(unit), out=segment.image)

    def _unit(self, segment: Segment) -> float:
        """The linearizer's unit in that of the segment."""
        if segment.world == self.product.unit:
            return 1.0
        gain = segment.amplifier.gain
        return gain if segment.world == "electron" else 1.0 / gain

    def notes(self) -> dict[str, str | int | float | bool]:
        """The linearizer's content hash, and how many amplifiers it knows."""
        known = sum(model is not None for model in self.models.values())
        return {"HASH": self.product.content_hash(), "KNOWN": known}
