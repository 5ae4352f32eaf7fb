"""Which effects a simulated camera has: each is off unless it is given its settings."""

from __future__ import annotations

from fiducial.simulation.effects.banding import Banding
from fiducial.simulation.effects.bleeding import Bleeding
from fiducial.simulation.effects.brighter_fatter import BrighterFatter
from fiducial.simulation.effects.dnl import DifferentialNonLinearity
from fiducial.simulation.effects.gain_drift import GainDrift
from fiducial.simulation.effects.hot_columns import HotColumns
from fiducial.simulation.effects.nonlinearity import NonLinearity
from fiducial.simulation.effects.offsets import AmplifierOffsets
from fiducial.simulation.effects.traps import Traps
from fiducial.simulation.effects.vampires import Vampires
from fiducial.simulation.settings import Strict


class Effects(Strict):
    """The effects in the order in which they touch charge, signal and numbers; None: off."""

    vampires: Vampires | None = None  # light
    hot_columns: HotColumns | None = None  # dark current
    brighter_fatter: BrighterFatter | None = None  # charge while it is collected
    bleeding: Bleeding | None = None  # charge above the full well
    traps: Traps | None = None  # charge on its way to the register
    nonlinearity: NonLinearity | None = None  # signal of the output amplifier
    gain_drift: GainDrift | None = None
    amplifier_offsets: AmplifierOffsets | None = None  # of the video level
    banding: Banding | None = None
    dnl: DifferentialNonLinearity | None = None  # of the analogue to digital converter
