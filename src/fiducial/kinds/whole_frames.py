"""Frames corrected as a whole, one after the other: for what is measured on them and not stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fiducial.corrections.frame import WholeImages
from fiducial.corrections.single_pass import CorrectedFrame, correct_frame
from fiducial.kinds.setting_aside import naming

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.corrections.chain import Chain
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.corrections.memory import FrameMemory
    from fiducial.corrections.segment import Segment


def corrected_whole(
    frame: DetectorFrame, chain: Chain, threads: int = 1, memory: FrameMemory | None = None
) -> CorrectedFrame:
    """Read and correct a frame; nothing of its pixels is kept in it, and its ``memory`` is used again.

    Raises
    ------
    FrameFailed
        It cannot be read, or does not fit the masters.
    """
    with naming(frame):
        if frame.compressed and chain.whole_frame:  # else it would be decoded twice
            frame.pixels = WholeImages(frame.raw)
        try:
            chain.prepare(frame, threads=threads)
            return correct_frame(chain, frame, threads=threads, memory=memory)
        finally:
            frame.pixels = frame.raw


def segment_of(frame: CorrectedFrame, amp: Amplifier) -> Segment | None:
    """The segment of an amplifier; None where there is none."""
    return next((one for one in frame.segments if one.amplifier.name == amp.name), None)


def silent_amplifiers(amplifiers: Sequence[Amplifier], reasons: Sequence[str]) -> str:
    """For the log: amplifiers of which a measurement says nothing, and the first reason; empty for none."""
    silent = [(amp.name, reason) for amp, reason in zip(amplifiers, reasons, strict=True) if reason]
    if not silent:
        return ""
    name, reason = silent[0]
    if len(silent) == 1:
        return f"nothing of amplifier {name}: {reason}"
    return f"nothing of {len(silent)} amplifiers, the first {name}: {reason}"
