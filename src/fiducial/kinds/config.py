"""The settings that all stacks share."""

from typing import Any

from lsst.pex.config import Config, ConfigField, ListField, RangeField

from fiducial.cameras.model import Camera
from fiducial.corrections.chain import require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.kinds.budget import MEGABYTE, STRIPS
from fiducial.kinds.engine import Means


class ChainConfig(Config):
    """A chain of corrections, and the settings of each."""

    chain = ListField[str](
        doc="The corrections, in order. With 'gain' the work is in electrons, else in adu."
    )
    corrections: Any = ConfigField(doc="The settings of each correction.", dtype=CorrectionsConfig)

    def validate(self) -> None:
        """Refuse a chain that cannot work."""
        super().validate()
        require_valid(list(self.chain))


class StackConfig(ChainConfig):
    """Settings of a stack."""

    kappa = RangeField(dtype=float, doc="Limit of rejection, in sigmas.", default=3.0, min=1.0)
    iterations = RangeField(dtype=int, doc="Most rounds of rejection; 0 rejects nothing.", default=3, min=0)
    minimumFrames = RangeField(
        dtype=int,
        doc="Fewer usable frames than this make no product; default: what the camera's selection needs.",
        optional=True,
        default=None,
        min=1,
    )
    memory = RangeField(
        dtype=float, doc="Megabytes that the frames of a strip may take.", default=STRIPS / MEGABYTE, min=1.0
    )

    def means(self, threads: int, what: str, camera: Camera, kind: str) -> Means:
        """What a stack may use, and how many frames it needs."""
        base = kind.removesuffix("Bootstrap")
        minimum = self.minimumFrames or camera.defaults.selection_of(base).minimum
        return Means(int(minimum), self.memory * MEGABYTE, threads, what)
