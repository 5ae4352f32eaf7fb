"""The settings that all stacks share."""

from typing import Any

from lsst.pex.config import ChoiceField, Config, ConfigField, ListField, RangeField

from fiducial.algorithms.combine_by import Rule
from fiducial.cameras.model import Camera
from fiducial.corrections.chain import masters_of, require_strips, require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.kinds.budget import MEGABYTE, STRIPS
from fiducial.kinds.engine import Means
from fiducial.products.metadata import COMBINE


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

    def masters(self) -> tuple[str, ...]:
        """The kinds of masters that are needed."""
        return masters_of(list(self.chain), self.corrections)


class StackConfig(ChainConfig):
    """Settings of a stack."""

    combine = ChoiceField[str](
        doc="How the frames of a pixel become one.",
        allowed={
            "clipped_mean": "The mean, after clipping about the median (darks: about the weighted mean).",
            "clipped_median": "The median, after the same clipping by the frames' own scatter.",
            "median": "The median of all frames.",
            "mean": "The mean of all frames.",
            "minmax": "The mean without the lowest and the highest values.",
        },
        default="clipped_mean",
    )
    rejectLowest = RangeField(
        dtype=int,
        doc="Of all frames' values of a pixel, how many of the lowest 'minmax' rejects.",
        default=1,
        min=0,
    )
    rejectHighest = RangeField(dtype=int, doc="How many of the highest 'minmax' rejects.", default=1, min=0)
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

    def validate(self) -> None:
        """Refuse a chain that cannot work on strips."""
        super().validate()
        require_strips(list(self.chain))

    def means(self, threads: int, what: str, camera: Camera, kind: str) -> Means:
        """What a stack may use, and how many frames it needs."""
        base = kind.removesuffix("Bootstrap")
        minimum = self.minimumFrames or camera.defaults.selection_of(base).minimum
        if self.combine == "minmax":
            minimum = max(minimum, self.rejectLowest + self.rejectHighest + 1)
        return Means(int(minimum), self.memory * MEGABYTE, threads, what)

    def rule(self) -> Rule:
        """How frames become one."""
        low, high = int(self.rejectLowest), int(self.rejectHighest)
        return Rule(str(self.combine), float(self.kappa), int(self.iterations), low, high)

    def notes(self) -> dict[str, str]:
        """What the product's header says of it."""
        return {COMBINE: str(self.combine)}
