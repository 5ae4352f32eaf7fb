"""What kinds that are made from ramps need: flats of many exposure times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fiducial.algorithms.flat_pairing import Flat, Pairing, pair_flats
from fiducial.algorithms.ptc_curve import LEAST_LEVELS
from fiducial.cameras.model import Camera, SelectionDefaults
from fiducial.selection.exposures import Exposure


@dataclass(frozen=True, slots=True)
class RampNeeds:
    """What a kind needs of a ramp.

    ``what`` is its name in a sentence; ``pairs`` whether each flat needs a partner; ``levels`` how many
    exposure times it needs unless it is asked otherwise.
    """

    what: str
    pairs: bool
    levels: int


RAMPS = {
    # A spline takes a node for three levels: six are the fewest that leave one free between the ends.
    "linearizer": RampNeeds("linearity", pairs=False, levels=6),
    "ptc": RampNeeds("photon transfer", pairs=True, levels=LEAST_LEVELS),
}
"""The kinds, in the order in which they need each other."""


@dataclass(frozen=True, slots=True)
class PairingRule:
    """How flats are paired, as `fiducial.algorithms.flat_pairing.pair_flats` takes it."""

    method: Literal["time", "level", "order"] = "time"
    tolerance: float = 0.01
    most_separation: float | None = None

    def pair(self, exposures: list[Exposure]) -> Pairing:
        """Pair exposures of one camera state."""
        return pair_flats(
            [_flat_of(exposure) for exposure in exposures],
            self.method,
            tolerance=self.tolerance,
            most_separation=self.most_separation,
        )


def ramp_settings(camera: Camera, kind: str) -> SelectionDefaults:
    """How frames of a ramp are chosen: as the camera says for the kind, or else for its flats.

    ``wanted`` is the most flats of one exposure time, ``minimum`` the least number of exposure times.
    """
    known = camera.defaults.selection
    if (own := known.get(kind)) is not None and "minimum" in own.model_fields_set:
        return own
    settings = own if own is not None else camera.defaults.selection_of("flat")
    return settings.model_copy(update={"minimum": RAMPS[kind].levels})


def _flat_of(exposure: Exposure) -> Flat:
    """What pairing looks at; the level is the median of the detectors'."""
    levels = sorted(record.signal() for record in exposure.records if record.content)
    facts = exposure.facts
    return Flat(
        exposure.id,
        facts.exposure_time,
        facts.begin.timestamp(),
        facts.filter,
        levels[len(levels) // 2] if levels else float("nan"),
    )
