"""Non-linearity of an output amplifier: a smooth curve whose inverse is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from fiducial.simulation.settings import Strict

_STEPS = 8  # of Newton's method; three reach float64 for the strongest curve that is allowed


class NonLinearity(Strict):
    """How far signals deviate; amplifiers scatter about it."""

    high: float = Field(default=0.02, ge=-0.1, le=0.1)  # lost at the full well, relative
    power: float = Field(default=2.0, ge=1, le=6)  # of the signal in that relative loss
    low: float = Field(default=0.0, ge=-0.2, le=0.2)  # lost of the smallest signals, relative
    low_scale: float = Field(default=1000.0, gt=0)  # electron, over which the low loss dies out
    full_well: float | None = Field(default=None, gt=0)  # electron; None: the amplifier's saturation
    scatter: float = Field(default=0.1, ge=0, le=1)  # relative, of both losses between amplifiers


@dataclass(frozen=True, slots=True)
class Curve:
    """The truth of one amplifier: ``true = m + high m (m / full_well)^power + low m exp(-m / low_scale)``.

    So the correction to add to a measured signal m is known exactly. Signals are electrons.
    """

    high: float
    power: float
    low: float
    low_scale: float
    full_well: float

    def correction(self, measured: np.ndarray) -> np.ndarray:
        """What has to be added to a measured signal; 0 where it is negative. float64."""
        m = np.maximum(np.asarray(measured, np.float64), 0.0)
        relative = self.high * (m / self.full_well) ** self.power
        if self.low:
            relative = relative + self.low * np.exp(-m / self.low_scale)
        correction: np.ndarray = m * relative
        return correction

    def slope(self, measured: np.ndarray) -> np.ndarray:
        """Derivative of the true signal by the measured one: float64."""
        m = np.maximum(np.asarray(measured, np.float64), 0.0)
        slope = 1.0 + (self.power + 1.0) * self.high * (m / self.full_well) ** self.power
        if self.low:
            slope = slope + self.low * (1.0 - m / self.low_scale) * np.exp(-m / self.low_scale)
        result: np.ndarray = slope
        return result

    def measured(self, true: np.ndarray) -> np.ndarray:
        """What the amplifier makes of a true signal, by Newton's method: float64; negative ones stay."""
        signal = np.asarray(true, np.float64)
        m = signal.copy()
        for _ in range(_STEPS):
            step = (m + self.correction(m) - signal) / self.slope(m)
            m -= step
            if step.size == 0 or float(np.abs(step).max()) < 1e-6:
                break
        return np.where(signal > 0, m, signal)


def draw_curve(settings: NonLinearity, saturation: float, rng: np.random.Generator) -> Curve:
    """The curve of one amplifier; ``saturation`` (electron) is its full well where none is given."""
    high, low = 1.0 + settings.scatter * np.clip(rng.standard_normal(2), -3.0, 3.0)
    full_well = settings.full_well if settings.full_well is not None else saturation
    return Curve(
        settings.high * float(high), settings.power, settings.low * float(low), settings.low_scale, full_well
    )
