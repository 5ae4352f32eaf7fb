"""Vampire pixels: brighter than they ought to be in flats, at the cost of their neighbours."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from fiducial.cameras.model import Amplifier
from fiducial.simulation.settings import Strict


class Vampires(Strict):
    """Pixels that draw the charge of a disc around them."""

    count: int = Field(default=3, ge=0)  # per amplifier
    strength: float = Field(default=1.5, gt=0)  # what one gains, in units of its own light
    radius: int = Field(default=3, ge=1, le=30)  # pixels, of the disc that pays for it


VAMPIRE = np.dtype([("amplifier", "i4"), ("y", "i4"), ("x", "i4")])
"""One vampire pixel: where it is on the detector."""


def draw_vampires(settings: Vampires, amp: Amplifier, number: int, rng: np.random.Generator) -> np.ndarray:
    """The vampire pixels of one amplifier, none so near an edge that its disc would leave: `VAMPIRE`."""
    ny, nx = amp.detector.shape
    margin = settings.radius
    found = np.zeros(settings.count if min(ny, nx) > 2 * margin + 1 else 0, VAMPIRE)
    found["amplifier"] = number
    found["y"] = amp.detector.y0 + rng.integers(margin, max(margin + 1, ny - margin), len(found))
    found["x"] = amp.detector.x0 + rng.integers(margin, max(margin + 1, nx - margin), len(found))
    return found


def add_vampires(light: np.ndarray, vampires: np.ndarray, settings: Vampires) -> None:
    """Move light of a detector's response to its vampire pixels; it is changed: that is the purpose.

    Every pixel of the disc gives the same part of its light, at most all of it.
    """
    reach = settings.radius
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = (dy**2 + dx**2 <= reach**2) & ((dy != 0) | (dx != 0))
    part = min(1.0, settings.strength / int(disc.sum()))
    for one in vampires:
        y, x = int(one["y"]), int(one["x"])
        around = light[y - reach : y + reach + 1, x - reach : x + reach + 1]
        gained = part * float(around[disc].sum(dtype=np.float64))
        around[disc] *= np.float32(1.0 - part)
        light[y, x] += np.float32(gained)
