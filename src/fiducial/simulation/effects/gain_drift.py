"""Gain drift: gains that follow the clock and the temperature, or jump."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.simulation.randomness import generator
from fiducial.simulation.settings import Strict


class GainDrift(Strict):
    """Relative changes of electron / adu, from the first exposure of the night."""

    per_hour: float = Field(default=1e-4, ge=-0.1, le=0.1)
    per_degree: float = Field(default=0.0, ge=-0.01, le=0.01)  # of the temperature's set point
    scatter: float = Field(default=0.1, ge=0)  # relative, of both between amplifiers
    jump: float = Field(default=0.0, ge=-0.2, le=0.2)  # as after a restart; amplifiers differ by its size
    jump_at: int | None = Field(default=None, ge=0)  # index in the night of the first exposure after it


def gain_scales(
    settings: GainDrift, amplifiers: int, index: int, hours: float, degrees: float, seed: int, detector: int
) -> tuple[float, ...]:
    """Gain of each amplifier relative to its truth in one exposure.

    ``hours`` are those since the first exposure; ``degrees`` the set point minus the first one.
    """
    z = generator(seed, "gain drift", detector).standard_normal((2, amplifiers))
    change = (settings.per_hour * hours + settings.per_degree * degrees) * (1.0 + settings.scatter * z[0])
    if settings.jump_at is not None and index >= settings.jump_at:
        change = change + settings.jump * z[1]
    return tuple(float(scale) for scale in np.exp(change))
