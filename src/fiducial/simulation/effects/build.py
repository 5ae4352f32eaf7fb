"""The effects of one detector, drawn from a seed."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from fiducial.cameras.model import Amplifier
from fiducial.simulation.effects.brighter_fatter import a_matrix
from fiducial.simulation.effects.dnl import draw_edges
from fiducial.simulation.effects.hot_columns import HOT_COLUMN, draw_hot_columns
from fiducial.simulation.effects.nonlinearity import draw_curve
from fiducial.simulation.effects.settings import Effects
from fiducial.simulation.effects.traps import TRAP, draw_traps
from fiducial.simulation.effects.truth import EffectsTruth
from fiducial.simulation.effects.vampires import VAMPIRE, draw_vampires
from fiducial.simulation.randomness import generator

_BELOW_SATURATION = 0.9


def build_effects(
    effects: Effects, amplifiers: tuple[Amplifier, ...], wells: tuple[float, ...], seed: int, detector: int
) -> EffectsTruth:
    """Draw the truth of a detector's effects.

    Parameters
    ----------
    effects
        Which there are.
    amplifiers
        Of the camera file.
    wells
        Electrons at which each amplifier saturates.
    seed, detector
        What the random numbers depend on.
    """
    none = EffectsTruth.none()
    each = list(enumerate(amplifiers))
    curves, matrices, full, edges = none.nonlinearity, none.a_matrix, none.full_well, none.dnl
    hot, traps, vampires = [none.hot_columns], [none.traps], [none.vampires]
    if (line := effects.nonlinearity) is not None:
        drawn = [draw_curve(line, wells[n], generator(seed, "linearity", detector, n)) for n, _ in each]
        curves = np.array([astuple(curve) for curve in drawn])
    if (fatter := effects.brighter_fatter) is not None:
        z = [generator(seed, "brighter-fatter", detector, n).standard_normal() for n, _ in each]
        strength = np.exp(fatter.scatter * np.array(z))
        matrices = strength[:, None, None] * a_matrix(fatter)
    if (bleeding := effects.bleeding) is not None:
        full = np.array([bleeding.full_well or _BELOW_SATURATION * well for well in wells])
    if (dnl := effects.dnl) is not None:
        edges = np.stack([draw_edges(dnl, generator(seed, "dnl", detector, n)) for n, _ in each])
    for n, amp in each:
        if effects.hot_columns is not None:
            rng = generator(seed, "hot columns", detector, n)
            hot.append(draw_hot_columns(effects.hot_columns, amp, n, rng))
        if effects.traps is not None:
            traps.append(draw_traps(effects.traps, amp, n, generator(seed, "traps", detector, n)))
        if effects.vampires is not None:
            rng = generator(seed, "vampires", detector, n)
            vampires.append(draw_vampires(effects.vampires, amp, n, rng))
    return EffectsTruth(
        curves,
        matrices,
        full,
        edges,
        np.concatenate(hot, dtype=HOT_COLUMN),
        np.concatenate(traps, dtype=TRAP),
        np.concatenate(vampires, dtype=VAMPIRE),
    )
