"""What pairs of flats say of each amplifier: two frames are in memory at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.local_background import surroundings
from fiducial.algorithms.overscan import BY_ROW
from fiducial.algorithms.pair_covariances import PairCovariances, pair_covariances
from fiducial.corrections.memory import FrameMemory, for_each
from fiducial.errors import CalibrationMismatch
from fiducial.kinds.setting_aside import FrameFailed
from fiducial.kinds.whole_frames import corrected_whole, segment_of, silent_amplifiers
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.segment import Segment
    from fiducial.corrections.single_pass import CorrectedFrame

_LOG = logging.getLogger(__name__)
_LEAST_BLOCKS = 3  # along each side of an amplifier, of the light's blocks

type FramePair = tuple[DetectorFrame, DetectorFrame]


@dataclass(frozen=True, slots=True)
class PairLimits:
    """How a pair is measured, and what it has to hold.

    ``max_lag`` and ``kappa`` are those of `pair_covariances`; ``illumination`` the side of the blocks of
    light, 0 for none; ``most_saturated`` and ``most_change`` shares beyond which a pair says nothing.
    """

    max_lag: int
    kappa: float = 5.0
    illumination: int = 0
    most_saturated: float = 0.1
    most_change: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPairs:
    """What pairs say.

    Attributes
    ----------
    pairs
        Those that could be read.
    points
        For each of them one of each amplifier, in the layout's order.
    noise : (frames, amplifiers) float64
        Of one overscan pixel, adu; NaN without overscan.
    aside
        Frames that could not be read, and their partners.
    """

    pairs: tuple[FramePair, ...]
    points: tuple[tuple[PairCovariances, ...], ...]
    noise: NDArray[np.float64]
    aside: tuple[AsideNote, ...]


def measure_pairs(
    pairs: Sequence[FramePair], chain: Chain, limits: PairLimits, *, threads: int = 1
) -> MeasuredPairs:
    """Correct and measure pairs, one after the other.

    Parameters
    ----------
    pairs
        Opened frames; their pixels are read here.
    chain
        The corrections, which end in adu.
    limits
        How.
    threads
        Threads to use; the result does not depend on it.

    Raises
    ------
    CalibrationMismatch
        No pair could be measured since the frames do not fit the masters.
    """
    done: list[FramePair] = []
    points: list[tuple[PairCovariances, ...]] = []
    noise: list[NDArray[np.float64]] = []
    aside: list[AsideNote] = []
    mismatch = None
    memory = FrameMemory(), FrameMemory()
    for pair in pairs:
        try:
            found = [
                corrected_whole(frame, chain, threads, own) for frame, own in zip(pair, memory, strict=True)
            ]
        except FrameFailed as failure:
            aside += _notes(pair, failure)
            if isinstance(failure.__cause__, CalibrationMismatch):
                mismatch = failure.__cause__
            continue
        points.append(_points(pair[0].amplifiers, found, chain, limits, threads))
        if silent := silent_amplifiers(pair[0].amplifiers, [point.reason for point in points[-1]]):
            _LOG.warning("exposures %d and %d say %s", *(frame.exposure for frame in pair), silent)
        noise += [_noises(pair[0].amplifiers, one) for one in found]
        done.append(pair)
    if not done and mismatch is not None:
        raise mismatch
    width = len(chain.context.camera.amplifiers(chain.context.detector))
    return MeasuredPairs(
        tuple(done), tuple(points), np.array(noise, np.float64).reshape(-1, width), tuple(aside)
    )


def _notes(pair: FramePair, failure: FrameFailed) -> list[AsideNote]:
    """The frame that failed, and its partner."""
    bad = failure.frame
    partner = pair[1] if bad is pair[0] else pair[0]
    _LOG.warning("exposures %d and %d are set aside: %s", bad.exposure, partner.exposure, failure.reason)
    return [
        AsideNote(bad.exposure, failure.reason),
        AsideNote(partner.exposure, f"its partner, exposure {bad.exposure}, could not be used"),
    ]


def _points(
    amplifiers: Sequence[Amplifier],
    frames: Sequence[CorrectedFrame],
    chain: Chain,
    limits: PairLimits,
    threads: int,
) -> tuple[PairCovariances, ...]:
    """What the frames say of each amplifier: some at a time, or all threads at one if there are few."""
    each = 1 if len(amplifiers) >= 2 * threads else threads
    return tuple(for_each(lambda amp: _point(amp, frames, chain, limits, each), amplifiers, threads // each))


def _point(
    amp: Amplifier, frames: Sequence[CorrectedFrame], chain: Chain, limits: PairLimits, threads: int
) -> PairCovariances:
    where = amp.detector.slices
    one, other = (frame.image[where] for frame in frames)
    masks = frames[0].mask[where] | frames[1].mask[where]
    usable = (masks & np.int32(UNUSABLE)) == 0
    light = _light(one, other, usable, limits.illumination) if limits.illumination else None
    point = pair_covariances(
        one,
        other,
        usable,
        max_lag=limits.max_lag,
        kappa=limits.kappa,
        illumination=light,
        threads=threads,
    )
    segments = [segment_of(frame, amp) for frame in frames]
    point = _without_overscan(point, segments, str(chain.notes().get("OVERSCAN METHOD", "none")))
    saturated = float(np.mean((masks & np.int32(Plane.SAT)) != 0))
    return _judged(point, saturated, limits)


def _light(
    one: NDArray[np.float32], other: NDArray[np.float32], usable: NDArray[np.bool_], block: int
) -> NDArray[np.float32] | None:
    """The smooth part of the pair's light; None where there is none to divide by."""
    found = surroundings(0.5 * (one + other), usable, block, least=_LEAST_BLOCKS)
    if found is None or not np.any(found.level > 0):
        return None
    return found.level


def _without_overscan(
    point: PairCovariances, segments: Sequence[Segment | None], method: str
) -> PairCovariances:
    """Take off what the overscan's own noise adds: each row's level is an error common to that row.

    It adds its variance to the covariances of all pixels of a row, and that of a column's likewise.
    A level that all rows have in common goes with the mean of the difference.
    """
    known = [segment for segment in segments if segment is not None]
    if method not in BY_ROW or not point.determined or not known:
        return point
    covariances = point.covariances.copy()
    covariances[0, :] -= float(np.mean([segment.row_variance.mean() for segment in known]))
    covariances[:, 0] -= float(np.mean([segment.column_variance.mean() for segment in known]))
    return replace(point, covariances=covariances)


def _judged(point: PairCovariances, saturated: float, limits: PairLimits) -> PairCovariances:
    """Say why a pair says nothing."""
    if saturated > limits.most_saturated:
        return replace(point, determined=False, reason=f"{saturated:.0%} of its pixels are saturated")
    if not point.determined:
        return point
    change = abs(point.first - point.second)
    noise = np.sqrt(2.0 * max(float(point.covariances[0, 0]), 0.0) / point.number)
    if change > limits.most_change * abs(point.mean) and change > 10.0 * noise:
        return replace(
            point,
            determined=False,
            reason=f"its flats differ: {point.first:.6g} and {point.second:.6g} adu, the lamp changed",
        )
    return point


def _noises(amplifiers: Sequence[Amplifier], frame: CorrectedFrame) -> NDArray[np.float64]:
    """Noise of an overscan pixel of each amplifier, adu."""
    found = np.full(len(amplifiers), np.nan)
    for index, amp in enumerate(amplifiers):
        segment = segment_of(frame, amp)
        model = segment.models.get("serial") if segment is not None else None
        if model is not None:
            found[index] = model.noise
    return found
