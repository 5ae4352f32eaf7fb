"""The settings that all stacks share."""

from typing import Any

from lsst.pex.config import Config, ConfigField, ListField, RangeField

from fiducial.corrections.chain import require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.kinds.budget import MEGABYTE, STRIPS


class ChainConfig(Config):
    """A chain of corrections, and the settings of each."""

    chain = ListField[str](doc="The corrections, in order. With 'gain' the work is in electrons, else in adu.")
    corrections = ConfigField[Any](doc="The settings of each correction.", dtype=CorrectionsConfig)

    def validate(self) -> None:
        """Refuse a chain that cannot work."""
        super().validate()
        require_valid(list(self.chain))


class StackConfig(ChainConfig):
    """Settings of a stack."""

    kappa = RangeField[float](doc="Limit of rejection, in sigmas.", default=3.0, min=1.0)
    iterations = RangeField[int](doc="Most rounds of rejection; 0 rejects nothing.", default=3, min=0)
    minimumFrames = RangeField[int](doc="Fewer usable frames than this make no product.", default=3, min=1)
    memory = RangeField[float](
        doc="Megabytes that the frames of a strip may take.", default=STRIPS / MEGABYTE, min=1.0
    )
