"""Strips of a detector: the same span of readout rows of every amplifier, and where it is in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fiducial.cameras.model import Amplifier
from fiducial.cameras.regions import Region

BLOCK = 64
"""Strips start at multiples of this many readout rows (unless memory is too short for it), so that what is
fitted within such a block, an overscan row by row, does not depend on how high the strips are."""


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Raw rows ``y0 <= y < y1`` of one HDU, and the amplifiers (by index) whose data lie there."""

    hdu: int | str | None
    y0: int
    y1: int
    amplifiers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """Readout rows ``first <= row < last`` of a detector: what all amplifiers read at the same time."""

    first: int
    last: int
    spans: tuple[RowSpan, ...]


def readout_rows(amplifiers: Sequence[Amplifier]) -> int:
    """Rows of the tallest amplifier."""
    return max(amp.data.shape[0] for amp in amplifiers)


def plan_strips(amplifiers: Sequence[Amplifier], height: int | None = None) -> tuple[Strip, ...]:
    """Cut a detector into strips.

    Parameters
    ----------
    amplifiers
        Of one detector.
    height
        Readout rows of a strip, at least one; None: one strip, the whole detector. Above `BLOCK` it is
        rounded down to a multiple of it, below to a power of two.

    Returns
    -------
    tuple of Strip
        In readout order; every data pixel of every amplifier lies in exactly one.
    """
    rows = readout_rows(amplifiers)
    step = rows if height is None else _round(height)
    return tuple(strip_at(amplifiers, first, min(first + step, rows)) for first in range(0, rows, step))


def strip_at(amplifiers: Sequence[Amplifier], first: int, last: int) -> Strip:
    """The strip of readout rows ``first`` to ``last``."""
    return Strip(first, last, _spans(amplifiers, first, last))


def _round(height: int) -> int:
    return height // BLOCK * BLOCK if height >= BLOCK else 1 << max(0, height.bit_length() - 1)


def _spans(amplifiers: Sequence[Amplifier], first: int, last: int) -> tuple[RowSpan, ...]:
    groups: dict[tuple[str, int, int], tuple[int | str | None, list[int]]] = {}
    for index, amp in enumerate(amplifiers):
        y0, y1 = raw_rows(amp, first, last)
        if y0 < y1:
            groups.setdefault((repr(amp.hdu), y0, y1), (amp.hdu, []))[1].append(index)
    return tuple(RowSpan(hdu, y0, y1, tuple(found)) for (_, y0, y1), (hdu, found) in groups.items())


def raw_rows(amp: Amplifier, first: int, last: int) -> tuple[int, int]:
    """Rows of the raw HDU that an amplifier reads as its readout rows ``first`` to ``last``."""
    height = amp.data.shape[0]
    first, last = min(first, height), min(last, height)
    if amp.read_corner[0] == "L":
        return amp.data.y0 + first, amp.data.y0 + last
    return amp.data.y1 - last, amp.data.y1 - first


def detector_window(amp: Amplifier, y0: int, y1: int) -> Region:
    """Where raw rows ``y0 <= y < y1`` of an amplifier's data go on the detector (flips not kept)."""
    low, high = y0 - amp.data.y0, y1 - amp.data.y0
    place = amp.detector
    if place.flip_y:
        return Region(place.x0, place.x1, place.y1 - high, place.y1 - low)
    return Region(place.x0, place.x1, place.y0 + low, place.y0 + high)


def strip_windows(amplifiers: Sequence[Amplifier], strip: Strip) -> list[tuple[Amplifier, Region]]:
    """The amplifiers that have rows in a strip, in their order, and where those go on the detector."""
    rows = {index: span for span in strip.spans for index in span.amplifiers}
    return [(amplifiers[i], detector_window(amplifiers[i], rows[i].y0, rows[i].y1)) for i in sorted(rows)]


def columns_needed(amplifiers: Sequence[Amplifier], width: int) -> tuple[int, int]:
    """Columns to read for some amplifiers of an HDU: whole rows unless little of them is needed."""
    sections = [s for amp in amplifiers for s in (amp.data, amp.serial_overscan) if s is not None]
    x0, x1 = min(s.x0 for s in sections), max(s.x1 for s in sections)
    return (0, width) if 2 * (x1 - x0) > width else (x0, x1)
