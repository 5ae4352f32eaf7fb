"""What real detectors do to charge and numbers beyond the ideal, each with known truth and off by default."""

from fiducial.simulation.effects.banding import Banding
from fiducial.simulation.effects.bleeding import Bleeding
from fiducial.simulation.effects.brighter_fatter import BrighterFatter
from fiducial.simulation.effects.dnl import DifferentialNonLinearity
from fiducial.simulation.effects.gain_drift import GainDrift
from fiducial.simulation.effects.hot_columns import HotColumns
from fiducial.simulation.effects.nonlinearity import Curve, NonLinearity
from fiducial.simulation.effects.offsets import AmplifierOffsets
from fiducial.simulation.effects.settings import Effects
from fiducial.simulation.effects.traps import Traps
from fiducial.simulation.effects.truth import EffectsTruth
from fiducial.simulation.effects.vampires import Vampires

__all__ = [
    "AmplifierOffsets",
    "Banding",
    "Bleeding",
    "BrighterFatter",
    "Curve",
    "DifferentialNonLinearity",
    "Effects",
    "EffectsTruth",
    "GainDrift",
    "HotColumns",
    "NonLinearity",
    "Traps",
    "Vampires",
]
