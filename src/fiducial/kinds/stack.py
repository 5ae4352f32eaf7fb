"""Stacks: frames corrected and combined strip by strip into a master, nothing kept on disk between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fiducial.algorithms.combine import Combined
from fiducial.kinds.engine import Batch, Means, Run, batches, prepare, with_usable_frames
from fiducial.kinds.raw_batches import RawBatch, raw_batches, raw_stage_of
from fiducial.products.masks import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.base import Weights
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.products.metadata import AsideNote


class Combiner(Protocol):
    """How the frames of one kind are combined."""

    extra_bytes: int  # working memory for each pixel of each frame, beside values and flags

    def prepare(self, frames: Sequence[DetectorFrame], chain: Chain) -> None:
        """Learn which frames there are; called again when one was set aside."""
        ...

    def offsets(self, amplifier: Amplifier) -> NDArray[np.float64] | None:
        """(n,) levels to take off each frame of an amplifier; None: none."""
        ...

    def combine(self, batch: Batch, threads: int) -> Combined:
        """Combine a batch."""
        ...

    @property
    def combine_raw(self) -> Callable[[RawBatch, int], Combined] | None:
        """Combine a batch of raw pixels; None where frames are to be corrected first."""
        ...

    def weights(self, amplifier: Amplifier) -> Weights:
        """How the frames added up, as far as errors that they share care."""
        ...


@dataclass(slots=True, eq=False)
class Stacked:
    """A master's planes, assembled, and the frames behind it.

    ``image`` and ``variance`` are NaN, and ``mask`` has NO_DATA and BAD, where no frame was usable.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    mask: NDArray[np.int32]
    frames: list[DetectorFrame]
    aside: list[AsideNote] = field(default_factory=list)


def stack_frames(
    frames: Sequence[DetectorFrame],
    chain: Chain,
    combiner: Combiner,
    means: Means,
    *,
    aside: Sequence[AsideNote] = (),
) -> Stacked:
    """Correct and combine frames; each pixel of each frame is read once.

    Parameters
    ----------
    frames
        By exposure id.
    chain
        The corrections.
    combiner
        How the corrected frames become one.
    means
        What may be used.
    aside
        Frames that were set aside before.

    Returns
    -------
    Stacked
        Its variance holds that of the masters in the chain, as far as the frames share it.

    Raises
    ------
    NothingToDo
        Too few frames are left.
    CalibrationMismatch
        No frame fits the masters.
    """

    def work(left: list[DetectorFrame], out: list[AsideNote], run: Run) -> Stacked:
        prepare(left, chain, means.memory, run)
        combiner.prepare(left, chain)
        result = _nothing_yet(chain.context.camera.layout(chain.context.detector).shape, left, out)
        stage = raw_stage_of(chain, left)
        if stage is not None and (combine_raw := combiner.combine_raw) is not None:
            for raw in raw_batches(left, stage, means, run):
                combined = _turned(combine_raw(raw, means.threads), raw)
                _write(result, raw, raw.turned(raw.noted), combined, chain, combiner)
            return result
        for batch in batches(left, chain, combiner.offsets, combiner.extra_bytes, means, run):
            _write(result, batch, batch.noted, combiner.combine(batch, means.threads), chain, combiner)
        return result

    return with_usable_frames(frames, aside, means, work)


def _nothing_yet(shape: tuple[int, int], frames: list[DetectorFrame], aside: list[AsideNote]) -> Stacked:
    return Stacked(
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.int32(Plane.NO_DATA | Plane.BAD), np.int32),
        frames,
        aside,
    )


def _turned(combined: Combined, batch: RawBatch) -> Combined:
    return Combined(
        batch.turned(combined.image),
        batch.turned(combined.variance),
        batch.turned(combined.used),
        batch.turned(combined.clipped),
    )


def _write(
    result: Stacked,
    batch: Batch | RawBatch,
    noted: NDArray[np.int32],
    combined: Combined,
    chain: Chain,
    combiner: Combiner,
) -> None:
    where = batch.window.slices
    result.image[where] = combined.image
    shared = chain.share(combined.image, batch.window, combiner.weights(batch.amplifier))
    result.variance[where] = combined.variance if shared is None else combined.variance + shared
    mask = noted & np.int32(Plane.SUSPECT)
    mask[combined.clipped > 0] |= np.int32(Plane.CLIPPED)
    empty = combined.used == 0
    if empty.any():
        mask[empty] |= np.int32(Plane.NO_DATA | Plane.BAD) | (noted[empty] & np.int32(Plane.SAT))
        result.variance[where][empty] = np.nan
    result.mask[where] = mask
