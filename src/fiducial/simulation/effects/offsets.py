"""Amplifier offsets: pedestals of image pixels that the overscan does not share."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.simulation.randomness import generator
from fiducial.simulation.settings import Strict


class AmplifierOffsets(Strict):
    """Offsets in adu; biases have none but the jitter, so that a master bias does not take them away."""

    lit: float = Field(default=2.0, ge=0)  # sigma between amplifiers, the same in all exposures with light
    jitter: float = Field(default=0.0, ge=0)  # sigma, anew for each amplifier and exposure


def offsets(
    settings: AmplifierOffsets, amplifiers: int, index: int, lit: bool, seed: int, detector: int
) -> tuple[float, ...]:
    """Offset of each amplifier in one exposure, adu."""
    fixed = generator(seed, "amplifier offset", detector).standard_normal(amplifiers)
    moving = generator(seed, "amplifier jitter", detector, index).standard_normal(amplifiers)
    total = settings.lit * fixed * float(lit) + settings.jitter * moving
    return tuple(float(offset) for offset in np.asarray(total))
