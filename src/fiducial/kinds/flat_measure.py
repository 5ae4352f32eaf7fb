"""Mean levels of flats over exactly the same pixels in every exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fiducial.kinds.engine import Means, Run, batches, prepare, with_usable_frames
from fiducial.kinds.levels import sampled_rows
from fiducial.kinds.setting_aside import naming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.products.metadata import AsideNote

MOST_SATURATED = 0.5
"""An amplifier with a larger share of saturated pixels has no level in that exposure: it would take those
pixels from all others."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredLevels:
    """Levels of exposures.

    Attributes
    ----------
    frames, aside
        The exposures, and those that were set aside.
    amplifiers : tuple of str
        Names.
    level : (n_exposure, n_amplifier) float64
        Mean over the pixels that are usable in all exposures; NaN where there is none.
    pixels : (n_amplifier,) int64
        How many those are.
    """

    frames: tuple[DetectorFrame, ...]
    aside: tuple[AsideNote, ...]
    amplifiers: tuple[str, ...]
    level: NDArray[np.float64]
    pixels: NDArray[np.int64]


def measure_levels(
    frames: Sequence[DetectorFrame], chain: Chain, means: Means, *, aside: Sequence[AsideNote] = ()
) -> MeasuredLevels:
    """Measure the level of each exposure on each amplifier.

    A plain mean over the same pixels of all exposures: ratios of exposures are then free of the
    scene. What a cosmic ray adds to the mean of an amplifier is far below its photon noise.

    Parameters
    ----------
    frames
        By exposure id.
    chain
        The corrections.
    means
        What may be used.
    aside
        Frames that were set aside before.

    Raises
    ------
    NothingToDo
        Too few frames are left.
    """

    def work(left: list[DetectorFrame], out: list[AsideNote], run: Run) -> MeasuredLevels:
        prepare(left, chain, means.memory, run)
        names = tuple(amp.name for amp in left[0].amplifiers)
        counts = _countable(left, names, run)
        total, pixels = np.zeros(counts.shape), np.zeros(len(names), np.int64)
        for batch in batches(left, chain, lambda _: None, 0, means, run):
            a = names.index(batch.amplifier.name)
            if not counts[:, a].any():
                continue
            common = batch.usable[counts[:, a]].all(axis=0)
            pixels[a] += int(np.count_nonzero(common))
            for k in np.flatnonzero(counts[:, a]):
                total[k, a] += float(np.sum(batch.stack[k], where=common, dtype=np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            level = np.where(counts, total / pixels, np.nan)
        return MeasuredLevels(tuple(left), tuple(out), names, level, pixels)

    return with_usable_frames(frames, aside, means, work)


def _countable(frames: Sequence[DetectorFrame], names: tuple[str, ...], run: Run) -> NDArray[np.bool_]:
    """(n_exposure, n_amplifier): whether most raw pixels of a sample are below saturation."""
    saturated, total = np.zeros((len(frames), len(names))), np.zeros((len(frames), len(names)))

    def one(k: int) -> None:
        with naming(frames[k]):
            for strip in sampled_rows(frames[k])[::2]:
                for cut in frames[k].cuts(strip):
                    a = names.index(cut.amplifier.name)
                    saturated[k, a] += np.count_nonzero(cut.raw >= cut.amplifier.saturation)
                    total[k, a] += cut.raw.size

    run(one, len(frames))
    return saturated <= MOST_SATURATED * total
