"""What the effects of one detector really are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from fiducial.simulation.effects.hot_columns import HOT_COLUMN
from fiducial.simulation.effects.nonlinearity import Curve
from fiducial.simulation.effects.traps import TRAP
from fiducial.simulation.effects.vampires import VAMPIRE


@dataclass(frozen=True, slots=True, eq=False)
class EffectsTruth:
    """The truth of one detector's effects; arrays are empty where an effect is off.

    Amplifiers count in the order of the camera file; ``nonlinearity`` has a row of the numbers of a
    `Curve` for each, ``a_matrix`` one quadrant (n_amplifier, i, j) in 1/electron, ``full_well`` electrons
    at which columns bleed, ``dnl`` the edges of each converter's codes. ``hot_columns``, ``traps`` and
    ``vampires`` are tables with places on the detector.
    """

    nonlinearity: np.ndarray
    a_matrix: np.ndarray
    full_well: np.ndarray
    dnl: np.ndarray
    hot_columns: np.ndarray
    traps: np.ndarray
    vampires: np.ndarray

    @classmethod
    def none(cls) -> Self:
        """The truth of a detector without effects."""
        return cls(
            np.zeros((0, 5)),
            np.zeros((0, 0, 0)),
            np.zeros(0),
            np.zeros((0, 0), np.float32),
            np.zeros(0, HOT_COLUMN),
            np.zeros(0, TRAP),
            np.zeros(0, VAMPIRE),
        )

    def curve(self, amplifier: int) -> Curve | None:
        """The non-linearity of an amplifier; None if it is linear."""
        if not len(self.nonlinearity):
            return None
        return Curve(*(float(value) for value in self.nonlinearity[amplifier]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name, as they are stored."""
        return {f"effect_{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, stored: dict[str, np.ndarray]) -> Self:
        """Read back what `arrays` gave; what is not there is an effect that is off."""
        none = cls.none()
        names = [field.name for field in fields(cls)]
        return cls(**{name: stored.get(f"effect_{name}", getattr(none, name)) for name in names})
