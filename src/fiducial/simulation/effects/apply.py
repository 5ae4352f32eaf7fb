"""What the effects do to one exposure of one amplifier."""

from __future__ import annotations

import numpy as np

from fiducial.cameras.model import Amplifier
from fiducial.cameras.regions import Region
from fiducial.simulation.effects.banding import Banding, bands, shared
from fiducial.simulation.effects.bleeding import bleed
from fiducial.simulation.effects.brighter_fatter import displace
from fiducial.simulation.effects.dnl import convert
from fiducial.simulation.effects.geometry import in_readout_order
from fiducial.simulation.effects.settings import Effects
from fiducial.simulation.effects.traps import defer
from fiducial.simulation.effects.truth import EffectsTruth
from fiducial.simulation.electronics import readout_order, sections
from fiducial.simulation.randomness import generator


def collected(
    charge: np.ndarray, amp: Amplifier, number: int, effects: Effects, truth: EffectsTruth
) -> tuple[np.ndarray, np.ndarray | None]:
    """What becomes of charge until the amplifier has made a signal of it.

    Parameters
    ----------
    charge
        (ny, nx) float32, electrons in the detector's orientation.
    number
        Of the amplifier.

    Returns
    -------
    signal : (ny, nx) float32
        Electrons as the amplifier sees them.
    after : (n, nx) float32 or None
        What arrives in the parallel overscan, columns and rows as in the raw file; None: nothing.
    """
    if truth.a_matrix.size and charge.any():
        charge = displace(charge, truth.a_matrix[number])
    if truth.full_well.size or truth.traps.size:
        charge, after = _transported(charge, amp, number, effects, truth)
    else:
        after = None
    if (curve := truth.curve(number)) is not None:
        charge = curve.measured(charge).astype(np.float32)
        after = None if after is None else curve.measured(after).astype(np.float32)
    return charge, after


def _transported(
    charge: np.ndarray, amp: Amplifier, number: int, effects: Effects, truth: EffectsTruth
) -> tuple[np.ndarray, np.ndarray | None]:
    """Bleeding and traps, which know where the register is."""
    read = in_readout_order(charge, amp)
    after = None
    if truth.full_well.size:
        read = bleed(read, float(truth.full_well[number]))
    mine = truth.traps[truth.traps["amplifier"] == number]
    if len(mine) and effects.traps is not None:
        area = amp.parallel_overscan
        rows = 0 if area is None else area.y1 - area.y0
        read, after = defer(read, mine, effects.traps.release, rows)
        if amp.read_corner in ("LR", "UR"):
            after = after[:, ::-1]
        if amp.read_corner in ("UL", "UR"):
            after = after[::-1]
    return in_readout_order(read, amp), after


def banded(
    raw: np.ndarray,
    amplifiers: tuple[tuple[int, Amplifier], ...],
    banding: Banding,
    seed: int,
    detector: int,
    index: int,
) -> None:
    """Add banding to the amplifiers of one raw HDU (adu; it is changed: that is the purpose)."""
    height = 2 * len(raw) + 1  # rows in readout order may begin before the data
    common = bands(banding, height, generator(seed, "banding", detector, index))
    for number, amp in amplifiers:
        own = bands(banding, height, generator(seed, "own banding", detector, index, number))
        wave = shared(banding, common, own)
        for section in _sections(amp):
            rows, _ = readout_order(amp, section)
            raw[section.slices] += wave[rows + len(raw) // 2][:, None]


def converted(raw: np.ndarray, amp: Amplifier, edges: np.ndarray) -> None:
    """Have the amplifier's pixels of a raw HDU converted (adu; they are changed: that is the purpose)."""
    for section in _sections(amp):
        raw[section.slices] = convert(raw[section.slices], edges)


def _sections(amp: Amplifier) -> list[Region]:
    return [section for section, _, _ in sections(amp)]
