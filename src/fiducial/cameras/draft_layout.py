"""Where amplifiers and overscans are: from the pixels of dark and lit frames, or from FITS sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fiducial.cameras.draft_frames import DraftFrame, Notebook, mean_image
from fiducial.cameras.draft_profiles import Span, columns_to_skip, read_first, runs, sees_light, steps
from fiducial.cameras.regions import Region

_NEAR = 4  # columns: a step so near to the edge of the light is that edge, its first column contaminated
_ALIKE = 2.0  # adu: bias levels as near as this may be those of one amplifier
_LEAST_OVERSCAN = 4  # columns; narrower ones hold deferred charge and not much else


@dataclass(frozen=True)
class DraftAmplifier:
    """One amplifier as it was found; regions in raw pixels."""

    name: str
    data: Region
    detector: Region
    serial_overscan: Region | None = None
    parallel_overscan: Region | None = None
    read_corner: str = "LL"
    hdu: str | int | None = None
    index: int = 0  # which image of a frame it is in


def layout_from_pixels(
    dark: Sequence[DraftFrame], lit: Sequence[DraftFrame], noise: float, notebook: Notebook
) -> tuple[list[DraftAmplifier], int]:
    """Amplifiers of a file with one image, and how many overscan columns to skip.

    Parameters
    ----------
    dark
        Frames without light, at least one.
    lit
        Flats; without them every pixel is taken for data.
    noise
        Of one pixel (adu).
    notebook
        Gets the evidence.
    """
    bias = mean_image(dark)
    ny, nx = bias.shape
    seeing = np.ones(nx, bool), np.ones(ny, bool)
    response = mean_image(lit) - bias if lit else np.zeros(bias.shape)
    there_is_light = bool(np.percentile(response, 90) > 10 * noise)
    if there_is_light:
        columns = sees_light(response, axis=0)
        seeing = _bridged(columns), _bridged(sees_light(response[:, columns], axis=1))
    else:
        notebook.note("layouts", "all pixels are data", "no flats, so overscan cannot be told", sure=False)
    column_parts = _parts(_profiles(bias, axis=0), seeing[0])
    row_parts = _parts(_profiles(bias, axis=1), seeing[1])
    found = _grid(column_parts, row_parts)
    amplifiers, skips = [], []
    for plain in found:
        amplifier = replace(plain, parallel_overscan=_parallel_overscan(plain, bias, seeing[1]))
        block = _overscan_of(amplifier, bias, seeing[0])
        if block is None:
            amplifiers.append(amplifier)
            continue
        complete, skip = _with_overscan(amplifier, block, bias, noise, len(dark), notebook)
        amplifiers.append(complete)
        skips.append(skip)
    _note_layout(amplifiers, there_is_light, notebook)
    return amplifiers, max(skips, default=0)


def _bridged(seeing: np.ndarray) -> np.ndarray:
    """The same with a few blind columns between seeing ones taken for dead ones, not for overscan."""
    out = seeing.copy()
    for span in runs(~seeing):
        if span.start > 0 and span.stop < len(seeing) and len(span) < _LEAST_OVERSCAN:
            out[span.index] = True
    return out


def _profiles(bias: np.ndarray, axis: int) -> list[np.ndarray]:
    """Profiles of both halves along the other axis: amplifiers need not differ all along it."""
    half = bias.shape[axis] // 2
    parts = (bias[:half], bias[half:]) if axis == 0 else (bias[:, :half], bias[:, half:])
    return [np.median(part, axis=axis) for part in parts]


def _parts(profiles: Sequence[np.ndarray], seeing: np.ndarray) -> list[Span]:
    """Stretches of data of one amplifier each: they see light, and the level does not step within."""
    cuts = sorted({cut for profile in profiles for cut in steps(profile)})
    merged = [cut for i, cut in enumerate(cuts) if i == 0 or cut - cuts[i - 1] > 2]
    parts = []
    for span in runs(seeing):
        inside = [cut for cut in merged if span.start + _NEAR < cut < span.stop - _NEAR]
        parts += [Span(a, b) for a, b in zip([span.start, *inside], [*inside, span.stop], strict=True)]
    return [part for part in parts if len(part) > 16] or [Span(0, len(seeing))]


def _grid(columns: Sequence[Span], rows: Sequence[Span]) -> list[DraftAmplifier]:
    """Amplifiers of a grid of columns and rows, assembled without gaps."""
    out = []
    y = 0
    for j, row in enumerate(rows):
        x = 0
        for i, column in enumerate(columns):
            data = Region(column.start, column.stop, row.start, row.stop)
            detector = Region(x, x + len(column), y, y + len(row))
            name = _name(i, len(columns), j, len(rows))
            corner = ("U" if len(rows) > 1 and j == len(rows) - 1 else "L") + (
                "R" if 2 * i >= len(columns) > 1 else "L"
            )
            out.append(DraftAmplifier(name, data, detector, read_corner=corner))
            x += len(column)
        y += len(row)
    return out


def _name(i: int, columns: int, j: int, rows: int) -> str:
    """A single amplifier is A, two are L and R (or B and T), four are BL, BR, TL, TR; more are counted."""
    if columns == rows == 1:
        return "A"
    if columns > 2 or rows > 2:
        return f"A{j * columns + i + 1:02d}"
    return ("BT"[j] if rows == 2 else "") + ("LR"[i] if columns == 2 else "")


def _overscan_of(amplifier: DraftAmplifier, bias: np.ndarray, seeing: np.ndarray) -> Span | None:
    """The blind columns whose level in dark frames is the amplifier's own, the widest if several."""
    rows = bias[amplifier.data.y0 : amplifier.data.y1]
    profile = np.median(rows, axis=0)
    own = float(np.median(profile[amplifier.data.x0 : amplifier.data.x1]))
    blocks = []
    for span in runs(~seeing):
        inside = [cut for cut in steps(profile) if span.start < cut < span.stop]
        blocks += [Span(a, b) for a, b in zip([span.start, *inside], [*inside, span.stop], strict=True)]
    blocks = [block for block in blocks if len(block) >= _LEAST_OVERSCAN]
    if not blocks:
        return None
    offset = {block: abs(float(np.median(profile[block.index])) - own) for block in blocks}
    nearest = min(offset.values())
    alike = [block for block in blocks if offset[block] <= nearest + _ALIKE]
    middle = 0.5 * (amplifier.data.x0 + amplifier.data.x1)
    return max(alike, key=lambda block: (len(block), -abs(0.5 * (block.start + block.stop) - middle)))


def _parallel_overscan(amplifier: DraftAmplifier, bias: np.ndarray, seeing: np.ndarray) -> Region | None:
    """The blind rows next to the amplifier whose level in dark frames is its own."""
    data = amplifier.data
    own = float(np.median(bias[data.slices]))
    for span in runs(~seeing):
        region = Region(data.x0, data.x1, span.start, span.stop)
        beside = span.start == data.y1 or span.stop == data.y0
        if (
            beside
            and len(span) >= _LEAST_OVERSCAN
            and abs(float(np.median(bias[region.slices])) - own) <= _ALIKE
        ):
            return region
    return None


def _with_overscan(
    amplifier: DraftAmplifier, block: Span, bias: np.ndarray, noise: float, frames: int, notebook: Notebook
) -> tuple[DraftAmplifier, int]:
    """The amplifier with its overscan, the corner it is read from, and the columns to skip."""
    rows = bias[amplifier.data.y0 : amplifier.data.y1, block.index]
    profile = rows.mean(axis=0)
    end, deviation = read_first(profile, noise)
    key = f"layouts.ccd.amplifiers[{amplifier.name}]"
    corner = amplifier.read_corner
    if end is not None:
        corner = corner[0] + end
        side = "first" if end == "L" else "last"
        reason = f"a row is read from there: the {side} column of its overscan is {deviation:+.1f} adu off"
        notebook.note(f"{key}.read_corner", corner, reason)
    else:
        notebook.note(f"{key}.read_corner", corner, "the outer corner; no column shows it", sure=False)
    level = float(np.median(profile))
    own = float(np.median(bias[amplifier.data.slices]))
    notebook.note(
        f"{key}.serial_overscan",
        f"columns {block.start + 1} to {block.stop}",
        f"do not see light; their level in dark frames is {level:.0f} adu, that of the data {own:.0f} adu",
    )
    overscan = Region(block.start, block.stop, amplifier.data.y0, amplifier.data.y1)
    ordered = profile[::-1] if corner[1] == "R" else profile
    skip = columns_to_skip(ordered, noise, noise / np.sqrt(rows.shape[0] * frames))
    return replace(amplifier, serial_overscan=overscan, read_corner=corner), skip


def _note_layout(amplifiers: Sequence[DraftAmplifier], lit: bool, notebook: Notebook) -> None:
    how = "respond to light" if lit else "are there"
    for amplifier in amplifiers:
        reason = f"these pixels {how}, and their bias level is one"
        notebook.note(f"layouts.ccd.amplifiers[{amplifier.name}].data", amplifier.data, reason)
