"""A night of flat pairs of many levels with a brighter-fatter effect, and its files offered to a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fiducial.frames.raw import RawFrame
from fiducial.kinds.inputs import Offered
from fiducial.simulation import Effects, NightPlan, NightTruth, Physics, Ramp
from fiducial.simulation.effects import BrighterFatter

TIMES = (0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5)
CHAIN = ["saturation", "overscan", "assembly", "nan"]


def ramp_plan(**physics: float) -> NightPlan:
    """Two flats of each time on one detector, in any order, without darks and cosmic rays."""
    return NightPlan(
        biases=0,
        darks=0,
        flats=0,
        science=0,
        filters=("g",),
        detectors=(0,),
        physics=Physics(
            cosmic_rays=0.0,
            dark_rate=0.0,
            hot_fraction=0.0,
            effects=Effects(brighter_fatter=BrighterFatter(a00=-2e-6)),
            **physics,
        ),
        ramp=Ramp(times=TIMES, rate=5000.0, order="shuffled"),
    )


@dataclass(frozen=True)
class Stored:
    """A file, opened when it is asked for."""

    path: Path

    def get(self) -> RawFrame:
        return RawFrame.open(self.path)


def flats_of(truth: NightTruth) -> list[Offered]:
    """The flats of a night, as a task takes them."""
    return [Offered(e.exposure, Stored(truth.folder / e.files[0])) for e in truth.of_type("flat")]
