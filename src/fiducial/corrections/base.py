"""What a correction is: a small config, and what it does to the segments of a strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lsst.pex.config import Config

if TYPE_CHECKING:
    from fiducial.cameras.model import Camera
    from fiducial.cameras.regions import Region
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.masters import Master
    from fiducial.corrections.segment import Float32, Segment, World


@dataclass(frozen=True)
class Context:
    """What a chain is built for: one detector, its masters, and the unit that the chain ends in."""

    camera: Camera
    detector: int
    world: World
    masters: Mapping[str, Master] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weights:
    """How frames add up to a result ``sum(c_k frame_k)``, as far as an error common to all cares.

    ``total`` is sum(c_k), ``time`` is sum(c_k t_k) with the dark times t_k in s. One frame by itself
    has ``Weights(1, t)``.
    """

    total: float
    time: float


class Correction:
    """One step of the detrending chain.

    A subclass names itself, its config and its stage, and overrides `correct` (one segment) or
    `apply` (all segments of a strip at once, as crosstalk needs). It is built once for a detector
    and used by several threads: it keeps nothing of a frame in itself.

    Parameters
    ----------
    config
        Of the subclass's ``ConfigClass``.
    context
        What the chain is for.
    """

    name: ClassVar[str]
    stage: ClassVar[Literal["raw", "detector"]] = "detector"  # before or after assembly
    master: ClassVar[str | None] = None  # the calibration it needs, whatever its settings
    whole_frame: bool = False  # whether `prepare` reads pixels that strips read again
    whole_detector: ClassVar[bool] = False  # whether a pixel depends on others: it works on no strips
    after: ClassVar[tuple[str, ...]] = ()  # what it stands behind, beside what `places` says of its name
    before: ClassVar[tuple[str, ...]] = ()  # what it stands before
    ConfigClass: ClassVar[type[Config]] = Config

    @classmethod
    def masters(cls, config: Any = None) -> tuple[str, ...]:
        """The kinds of calibrations that it needs; ``config`` are its settings, None: as they are made."""
        return () if cls.master is None else (cls.master,)

    def __init__(self, config: Any, context: Context) -> None:
        self.config = config
        self.context = context

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame that this correction does not fit (`CalibrationMismatch` or `FrameError`)."""

    def prepare(self, frame: DetectorFrame) -> None:
        """Measure what needs more of a frame than a strip, and keep it in ``frame.models``."""

    def apply(self, segments: Sequence[Segment], frame: DetectorFrame) -> None:
        """Correct the segments of a strip, in place."""
        for segment in segments:
            self.correct(segment, frame)

    def correct(self, segment: Segment, frame: DetectorFrame) -> None:
        """Correct one segment, in place."""
        raise NotImplementedError(f"{type(self).__name__} overrides neither apply nor correct")

    def share(
        self, variance: Float32 | None, image: Float32, window: Region, weights: Weights
    ) -> Float32 | None:
        """Add the variance of this correction's master to that of a result.

        Parameters
        ----------
        variance
            Of the masters before this one, in the result; None: none.
        image
            The result, (ny, nx), after this correction.
        window
            Where it is on the detector.
        weights
            How frames were added up to the result.

        Returns
        -------
        (ny, nx) or None
            The variance that frames share, this master's included.
        """
        return variance

    def notes(self) -> dict[str, str | int | float | bool]:
        """What provenance says of it, beside its name."""
        return {}
