"""A ramp: pairs of flats at many exposure times, for photon transfer and linearity."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fiducial.simulation.randomness import generator
from fiducial.simulation.settings import Strict


class Ramp(Strict):
    """Which flats a ramp takes, and what a photodiode says of their light.

    The photodiode's charge goes into the header where the camera's rules know a keyword for it.
    """

    times: tuple[float, ...] = Field(min_length=1)  # s; two flats of each
    rate: float = Field(default=5000.0, gt=0)  # electron / s / pixel at the lamp's nominal brightness
    order: Literal["rising", "shuffled"] = "rising"  # of the pairs; a drift then looks like a curve, or not
    shutter: float = Field(default=0.0, gt=-1.0, lt=1.0)  # s of light beyond the header's exposure time
    photodiode: float = Field(default=1e-6, gt=0)  # its charge for each electron / pixel at the nominal rate
    photodiode_noise: float = Field(default=5e-4, ge=0)  # relative


def ramp_times(ramp: Ramp) -> tuple[float, ...]:
    """Exposure times in the order of the night: the two flats of a pair follow each other."""
    times = list(ramp.times)
    if ramp.order == "shuffled":  # the same for every seed: a plan says what is taken
        times = [times[k] for k in generator(0, "ramp").permutation(len(times))]
    return tuple(time for time in times for _ in range(2))


def photodiode_charge(ramp: Ramp, electrons: float, seed: int, index: int) -> float:
    """What the photodiode collects while pixels of mean response collect so many electrons.

    It is rounded to nine digits: a header holds no more.
    """
    noise = float(generator(seed, "photodiode", index).standard_normal())
    return float(f"{ramp.photodiode * electrons * (1.0 + ramp.photodiode_noise * noise):.8e}")
