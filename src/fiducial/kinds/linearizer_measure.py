"""Levels of flats on each amplifier: one frame is in memory at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from fiducial.algorithms.fixed_pattern import variance_without_pattern
from fiducial.algorithms.light_level import LightLevel, light_level
from fiducial.algorithms.overscan import BY_ROW
from fiducial.corrections.memory import FrameMemory
from fiducial.errors import CalibrationMismatch
from fiducial.kinds.setting_aside import FrameFailed, naming
from fiducial.kinds.whole_frames import corrected_whole, segment_of, silent_amplifiers
from fiducial.products.masks import UNUSABLE, Plane
from fiducial.products.metadata import AsideNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.single_pass import CorrectedFrame

_LOG = logging.getLogger(__name__)
_PASSING = Plane.SAT | Plane.CR
"""What may be in one frame and not in another: such pixels stand in by the level around them."""


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """How a level is measured: limit of rejection, and the share of saturated pixels that it stands."""

    kappa: float = 5.0
    most_saturated: float = 0.005


@dataclass(frozen=True, slots=True)
class _Measured:
    """The level of an amplifier in one frame, what its overscan adds to the error, or why there is none."""

    level: LightLevel
    overscan: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FrameLevels:
    """Levels of frames.

    Attributes
    ----------
    frames
        Those that have a level on one amplifier at least, by exposure id.
    signals, errors : (frames, amplifiers) float64
        adu above bias; NaN where an amplifier has no level. Pixels' unequal response, which all frames have
        in common, is in no error where frames are enough to tell it.
    reasons : tuple of tuples of str
        Why it has none; empty where it has.
    aside
        Other frames.
    """

    frames: tuple[DetectorFrame, ...]
    signals: NDArray[np.float64]
    errors: NDArray[np.float64]
    reasons: tuple[tuple[str, ...], ...]
    aside: tuple[AsideNote, ...]


def measure_frames(
    frames: Sequence[DetectorFrame],
    chain: Chain,
    limits: LevelLimits,
    *,
    check: Callable[[DetectorFrame], None] = lambda _: None,
    threads: int = 1,
) -> FrameLevels:
    """Correct and measure frames, one after the other.

    Parameters
    ----------
    frames
        Opened frames; their pixels are read here.
    chain
        The corrections, which end in adu.
    limits
        How.
    check
        Raises an error about a frame that cannot be used.
    threads
        Threads to use; the result does not depend on it.

    Raises
    ------
    CalibrationMismatch
        No frame could be measured since they do not fit the masters.
    """
    done: list[DetectorFrame] = []
    rows: list[list[_Measured]] = []
    aside: list[AsideNote] = []
    mismatch, memory = None, FrameMemory()
    for frame in sorted(frames, key=lambda one: one.exposure):
        try:
            with naming(frame):
                check(frame)
            levels = _levels(frame, chain, limits, threads, memory)
        except FrameFailed as failure:
            _LOG.warning("exposure %d is set aside: %s", frame.exposure, failure.reason)
            aside.append(AsideNote(frame.exposure, failure.reason))
            if isinstance(failure.__cause__, CalibrationMismatch):
                mismatch = failure.__cause__
            continue
        if all(one.reason for one in levels):
            reason = f"no amplifier has a level, the first because {levels[0].reason}"
            _LOG.warning("exposure %d is set aside: %s", frame.exposure, reason)
            aside.append(AsideNote(frame.exposure, reason))
            continue
        if silent := silent_amplifiers(frame.amplifiers, [one.reason for one in levels]):
            _LOG.warning("exposure %d says %s", frame.exposure, silent)
        done.append(frame)
        rows.append(levels)
    if not done and mismatch is not None:
        raise mismatch
    width = len(chain.context.camera.amplifiers(chain.context.detector))
    signals = np.array([[one.level.mean for one in row] for row in rows], np.float64).reshape(-1, width)
    return FrameLevels(
        tuple(done),
        signals,
        _errors(signals, rows),
        tuple(tuple(one.reason for one in row) for row in rows),
        tuple(aside),
    )


def _errors(signals: NDArray[np.float64], rows: Sequence[Sequence[_Measured]]) -> NDArray[np.float64]:
    errors = np.full(signals.shape, nan)
    for index in range(signals.shape[1]):
        own = [row[index] for row in rows]
        pixels = np.array([max(1, one.level.pixels) for one in own], np.float64)
        scatter = np.array([one.level.error for one in own], np.float64) ** 2 * pixels
        noise = variance_without_pattern(signals[:, index], scatter)
        errors[:, index] = np.hypot(np.sqrt(noise / pixels), [one.overscan for one in own])
    return errors


def _levels(
    frame: DetectorFrame, chain: Chain, limits: LevelLimits, threads: int, memory: FrameMemory
) -> list[_Measured]:
    corrected = corrected_whole(frame, chain, threads, memory)
    by_row = str(chain.notes().get("OVERSCAN METHOD", "none")) in BY_ROW

    def one(amp: Amplifier) -> _Measured:
        return _level(amp, corrected, limits, by_row=by_row)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        return list(pool.map(one, frame.amplifiers))


def _level(amp: Amplifier, frame: CorrectedFrame, limits: LevelLimits, *, by_row: bool) -> _Measured:
    """A level, or the reason why there is none."""
    image, mask = frame.image[amp.detector.slices], frame.mask[amp.detector.slices]
    counted = (mask & np.int32(UNUSABLE & ~_PASSING)) == 0
    number = int(np.count_nonzero(counted))
    nothing = LightLevel(nan, nan, 0)
    if not number:
        return _Measured(nothing, reason="no pixel can be used")
    saturated = np.count_nonzero(mask[counted] & np.int32(Plane.SAT)) / number
    if saturated > limits.most_saturated:
        return _Measured(nothing, reason=f"{100 * saturated:.3g}% of its pixels are saturated")
    level = light_level(image, counted, (mask & np.int32(_PASSING)) == 0, kappa=limits.kappa)
    if not np.isfinite(level.mean) or not np.isfinite(level.error):
        return _Measured(nothing, reason="too few pixels can be used")
    return _Measured(level, _overscan_error(amp, frame, by_row))


def _overscan_error(amp: Amplifier, frame: CorrectedFrame, by_row: bool) -> float:
    """What the overscan's own noise adds: a level of each row, or one that all rows have in common."""
    segment = segment_of(frame, amp)
    if segment is None:
        return 0.0
    rows, columns = segment.row_variance, segment.column_variance
    share = (1.0 / len(rows), 1.0 / len(columns)) if by_row else (1.0, 1.0)
    return float(np.sqrt(share[0] * rows.mean() + share[1] * columns.mean()))
