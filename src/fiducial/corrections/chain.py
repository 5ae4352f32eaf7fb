"""The chain: corrections in the order that a list of their names gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fiducial.corrections.base import Context, Correction, Weights
from fiducial.corrections.memory import for_each
from fiducial.corrections.places import require_order, stage_of
from fiducial.corrections.raw_stage import RawStage
from fiducial.corrections.registry import CORRECTIONS
from fiducial.corrections.segment import Segment
from fiducial.corrections.single_pass import SinglePass
from fiducial.corrections.strips import readout_rows
from fiducial.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fiducial.cameras.model import Camera
    from fiducial.cameras.regions import Region
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.masters import Master
    from fiducial.corrections.segment import Float32, Planes, World
    from fiducial.corrections.strips import Strip


class Chain:
    """Corrections in order, for one detector.

    Parameters
    ----------
    corrections
        In the order in which they are applied.
    context
        What they were built for.
    """

    def __init__(self, corrections: Sequence[Correction], context: Context) -> None:
        self.corrections = tuple(corrections)
        self.context = context
        self._raw_stage, self._rest = RawStage.of(self.corrections)

    @property
    def names(self) -> tuple[str, ...]:
        """The corrections' names."""
        return tuple(correction.name for correction in self.corrections)

    @property
    def world(self) -> World:
        """The unit of what comes out."""
        return self.context.world

    @property
    def raw_stage(self) -> tuple[RawStage | None, tuple[Correction, ...]]:
        """What is done to raw pixels in one pass, None where that is unusual, and what is done after it."""
        return self._raw_stage, self._rest

    @property
    def whole_frame(self) -> bool:
        """Whether preparing a frame reads pixels that its strips read again."""
        return any(correction.whole_frame for correction in self.corrections)

    @cached_property
    def single_pass(self) -> SinglePass | None:
        """All of it in one pass, where it is what nearly every chain is."""
        return SinglePass.of(self.corrections)

    def prepare(self, frame: DetectorFrame, *, threads: int = 1) -> None:
        """Check that the frame and the masters belong together, and fit what needs the whole frame.

        Raises
        ------
        CalibrationMismatch, FrameError
            They do not, or the frame cannot be read.
        """
        for correction in self.corrections:
            correction.check(frame)
        frame.threads = threads
        for correction in self.corrections:
            correction.prepare(frame)

    def run(self, frame: DetectorFrame, strip: Strip, out: Sequence[Planes] | None = None) -> list[Segment]:
        """Read a strip of a prepared frame and correct it; masters' variances are left to `share`.

        ``out``, for each amplifier, is memory that image and mask may be in: a correction that makes arrays
        of its own leaves it unused.
        """
        self._require_whole(frame, strip)
        cuts = frame.cuts(strip)
        stage = self._raw_stage
        if stage is not None and all(map(stage.takes, cuts)):
            places: Sequence[Planes | None] = out or [None] * len(cuts)
            segments = [stage.segment(cut, frame, place) for cut, place in zip(cuts, places, strict=True)]
            left = self._rest
        else:
            segments, left = [Segment.of_raw(cut) for cut in cuts], self.corrections
        for correction in left:
            correction.apply(segments, frame)
        return segments

    def run_single(self, frame: DetectorFrame, strip: Strip) -> list[Segment]:
        """The same for a frame that stands by itself: masters' variances are filled in as well.

        Of a whole frame the pixels lie in its ``planes``, and several of its ``threads`` work on them.
        """
        self._require_whole(frame, strip)
        planes, cuts = frame.planes, frame.cuts(strip)
        segments = for_each(
            lambda cut: Segment.of_raw(cut, None if planes is None else planes.of_file(cut.amplifier)),
            cuts,
            frame.threads,
        )
        for alone, group in groupby(self.corrections, key=_looks_at_one_segment):
            run = partial(self._run, tuple(group), frame)
            if alone:
                for_each(run, [[segment] for segment in segments], frame.threads)
            else:
                run(segments)
        return segments

    def _run(
        self, corrections: Sequence[Correction], frame: DetectorFrame, segments: Sequence[Segment]
    ) -> None:
        """Apply some corrections to some segments."""
        weights = Weights(1.0, frame.facts.dark_time)
        for correction in corrections:
            correction.apply(segments, frame)
            for segment in segments:
                if segment.window is None:
                    continue
                if frame.planes is not None:
                    frame.planes.take_in(segment)
                segment.shared_variance = correction.share(
                    segment.shared_variance, segment.image, segment.window, weights
                )

    def _require_whole(self, frame: DetectorFrame, strip: Strip) -> None:
        if strip.first > 0 or strip.last < readout_rows(frame.amplifiers):
            _refuse_strips([one.name for one in self.corrections if one.whole_detector])

    def share(self, image: Float32, window: Region, weights: Weights) -> Float32 | None:
        """Variance that the masters give to a result of many frames; None without masters.

        Parameters
        ----------
        image
            The result, (ny, nx).
        window
            Where it is on the detector.
        weights
            How the frames were added up.
        """
        variance = None
        for correction in self.corrections:
            variance = correction.share(variance, image, window, weights)
        return variance

    def notes(self) -> dict[str, str | int | float | bool]:
        """``{CORRECTION} {KEY}``: what provenance says of the corrections."""
        return {
            f"{correction.name.upper()} {key}": value
            for correction in self.corrections
            for key, value in correction.notes().items()
        }


def _looks_at_one_segment(correction: Correction) -> bool:
    return type(correction).apply is Correction.apply


def world_of(names: Sequence[str]) -> World:
    """The unit that a chain ends in: electron if it has the gain."""
    return "electron" if "gain" in names else "adu"


def masters_of(names: Sequence[str], config: Any = None) -> tuple[str, ...]:
    """The kinds of masters that a chain needs, in its order.

    Parameters
    ----------
    names
        The corrections in order.
    config
        Their settings, as of `build_chain`; None: as they are made.
    """
    needed = {
        kind: None
        for name in names
        if name in CORRECTIONS
        for kind in CORRECTIONS[name].masters(None if config is None else getattr(config, name))
    }
    return tuple(needed)


def require_valid(names: Sequence[str]) -> None:
    """Refuse a chain that cannot work.

    Raises
    ------
    ConfigurationError
        A name that no correction has, one that stands twice, no assembly, a correction on the wrong
        side of it, or before what it belongs behind (`fiducial.corrections.places`).
    """
    unknown = [name for name in names if name not in CORRECTIONS]
    if unknown:
        raise ConfigurationError(
            f"no correction is called {', '.join(unknown)}", hint=f"There are {', '.join(CORRECTIONS)}."
        )
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise ConfigurationError(f"the chain names {', '.join(twice)} twice", hint="Name each once.")
    if "assembly" not in names:
        raise ConfigurationError(
            "the chain has no assembly", hint="Put it where amplifiers become a detector."
        )
    middle = list(names).index("assembly")
    for place, name in enumerate(names):
        stage = stage_of(name, CORRECTIONS[name])
        if place < middle and stage == "detector":
            raise ConfigurationError(
                f"{name} stands before assembly, and works on assembled detectors", hint="Move it behind."
            )
        if place > middle and stage == "raw":
            raise ConfigurationError(
                f"{name} stands after assembly, and works on raw amplifiers", hint="Move it before."
            )
    require_order(names, CORRECTIONS)


def require_strips(names: Sequence[str]) -> None:
    """Refuse a chain for stacks whose pixels would depend on how high the strips of a stack are.

    Raises
    ------
    ConfigurationError
        A correction needs the whole detector.
    """
    _refuse_strips([name for name in names if CORRECTIONS[name].whole_detector])


def _refuse_strips(whole: Sequence[str]) -> None:
    if whole:
        raise ConfigurationError(
            f"{', '.join(whole)} needs the whole detector, and frames are stacked in strips",
            hint="Leave it out of this chain; it works where single frames are detrended.",
        )


def build_chain(
    names: Sequence[str],
    config: Any,
    *,
    camera: Camera,
    detector: int,
    masters: Mapping[str, Master] | None = None,
) -> Chain:
    """Build the chain for one detector.

    Parameters
    ----------
    names
        The corrections in order.
    config
        A `~fiducial.corrections.registry.CorrectionsConfig` with their settings.
    camera, detector
        What they are for.
    masters
        By kind; those that the chain does not need are passed over.

    Raises
    ------
    ConfigurationError
        The chain cannot work (`require_valid`), or a master is missing.
    CalibrationMismatch
        A master is of another detector, shape or unit.
    """
    require_valid(names)
    context = Context(camera, detector, world_of(names), dict(masters or {}))
    return Chain([CORRECTIONS[name](getattr(config, name), context) for name in names], context)
