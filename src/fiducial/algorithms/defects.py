"""Defects of a detector, from its combined biases, darks and flats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fiducial.algorithms.arrays import Flags, Float32, Int32
from fiducial.algorithms.defects_blobs import find_blobs, find_unlit, find_vampires
from fiducial.algorithms.defects_columns import intermittent_columns, off_columns, saturated_columns
from fiducial.algorithms.defects_model import (
    REPORTED,
    Blob,
    Defects,
    Limit,
    MasterPlanes,
    Reason,
    Settings,
    Window,
)
from fiducial.algorithms.local_background import surroundings
from fiducial.errors import AlgorithmError

_PIXELS = int(Reason.HOT | Reason.COLD | Reason.BRIGHT | Reason.BIAS)  # found one by one


def find_defects(
    masters: Sequence[MasterPlanes], windows: Sequence[Window], settings: Settings | None = None
) -> Defects:
    """Find the defects of a detector; what any master shows is one.

    Each amplifier of each master is held against its own surroundings (`surroundings`); a pixel is a
    defect if it deviates by more than a limit in physical units and by more than some sigmas of the
    local noise (`Limit`). Then columns, vampires and blobs are looked for, amplifiers without
    pixels are named and masked, edges and midlines are added.

    Parameters
    ----------
    masters : sequence of MasterPlanes
        Any number of each kind, one at least; all of one shape.
    windows : sequence of Window
        The amplifiers.
    settings : Settings, optional

    Returns
    -------
    Defects

    Raises
    ------
    AlgorithmError
        There is no master, or none has a usable pixel.
    ValueError
        Shapes differ.
    """
    settings = settings or Settings()
    if not masters:
        raise AlgorithmError("no master to look for defects in", hint="give a dark or a flat at least")
    shape = masters[0].image.shape
    if different := [master.name for master in masters if master.image.shape != shape]:
        raise ValueError(f"{', '.join(different)}: not of the shape {shape} of {masters[0].name}")
    notes: list[str] = []
    usable = [_usable(master) for master in masters]
    alive = [bool(pixels.any()) for pixels in usable]
    for master, lives in zip(masters, alive, strict=True):
        if not lives:
            notes.append(f"{master.name} has no usable pixel: it was left out")
    if not any(alive):
        raise AlgorithmError(
            f"no usable pixel in {', '.join(master.name for master in masters)}",
            hint="look at the masters and at what their verification says",
        )
    reasons = np.zeros(shape, np.int32)
    blobs: list[Blob] = []
    for master, pixels, lives in zip(masters, usable, alive, strict=True):
        if lives:
            blobs += _of_master(master, pixels, windows, settings, reasons, notes)
    _join_columns(reasons, windows, settings)
    _add_edges(reasons, windows, settings)
    return Defects(reasons, count_reasons(reasons, windows), tuple(blobs), tuple(notes))


def count_reasons(reasons: Int32, windows: Sequence[Window]) -> dict[str, dict[str, int]]:
    """Count the pixels of each reason on each amplifier, and under ``any`` those that are defects."""
    out = {}
    for window in windows:
        own = reasons[window.slices]
        counts = {
            reason.name.lower(): int(np.count_nonzero(own & int(reason)))
            for reason in Reason
            if reason.name is not None
        }
        out[window.name] = counts | {"any": int(np.count_nonzero(own & ~int(REPORTED)))}
    return out


def _usable(master: MasterPlanes) -> Flags:
    usable = np.isfinite(master.image)
    return usable if master.unusable is None else usable & ~master.unusable


def _of_master(
    master: MasterPlanes,
    usable: Flags,
    windows: Sequence[Window],
    settings: Settings,
    reasons: Int32,
    notes: list[str],
) -> list[Blob]:
    """Look through a master, amplifier by amplifier; ``reasons`` and ``notes`` are added to."""
    medians = {
        w.name: float(np.median(master.image[w.slices][usable[w.slices]])) if usable[w.slices].any() else 0.0
        for w in windows
    }
    typical = float(np.median(list(medians.values())))
    blobs: list[Blob] = []
    for window in windows:
        where = window.slices
        own, good = reasons[where], usable[where]
        saturated = np.zeros(good.shape, dtype=bool) if master.saturated is None else master.saturated[where]
        missing = 1.0 - float((good | saturated).mean())
        unlit = master.kind == "flat" and medians[window.name] <= max(settings.dark_flat * typical, 0.0)
        if missing > settings.dead or unlit:
            why = (
                f"a median of {medians[window.name]:.3g}, the detector {typical:.3g}"
                if missing <= settings.dead
                else f"no usable value in {100 * missing:.0f} % of its pixels"
            )
            notes.append(f"amplifier {window.name} is dead: in {master.name} it has {why}")
            own |= int(Reason.DEAD_AMPLIFIER)
            continue
        own[~good & ~saturated] |= int(Reason.NO_DATA)
        own[saturated] |= int(_HIGH[master.kind])
        own[saturated_columns(saturated, settings.columns)] |= int(Reason.SATURATED_COLUMN)
        shadows = _of_amplifier(master, window, good, windows, settings, own)
        blobs += [replace(blob, x=blob.x + window.x0, y=blob.y + window.y0) for blob in shadows]
    return blobs


_HIGH = {"dark": Reason.HOT, "flat": Reason.BRIGHT, "bias": Reason.BIAS}


def _of_amplifier(
    master: MasterPlanes,
    window: Window,
    usable: Flags,
    windows: Sequence[Window],
    settings: Settings,
    own: Int32,
) -> list[Blob]:
    image = np.asarray(master.image[window.slices], dtype=np.float32)
    variance = None if master.variance is None else master.variance[window.slices]
    around = surroundings(image, usable, settings.block, variance=variance)
    if around is None:
        return []
    deviation: Float32 = image - around.level
    sigma: Float32 = around.sigma
    if master.kind == "flat":
        level = np.maximum(around.level, np.finfo(np.float32).tiny)
        deviation /= level
        sigma /= level
    if settings.midline == "level":
        _level_rows(deviation, usable, _midline_rows(window, windows, settings))
    high, low = _limits(master.kind, settings)
    if high is not None:
        own[usable & _beyond(deviation, sigma, high)] |= int(_HIGH[master.kind])
    if low is not None:
        below = usable & _beyond(-deviation, sigma, low)
        if master.kind == "flat":
            unlit = find_unlit(below, settings.block**2 // 4)
            own[unlit] |= int(Reason.UNLIT)
            below, usable = below & ~unlit, usable & ~unlit
        own[below] |= int(Reason.COLD if master.kind == "flat" else Reason.BIAS)
    parts = off_columns(deviation, sigma, usable, settings.columns, low=low, high=high)
    own[parts] |= int(Reason.COLUMN)
    if master.kind != "flat":
        return []
    vampires = find_vampires(deviation, sigma, usable, settings.bright, settings.blobs)
    own[vampires] |= int(Reason.VAMPIRE)
    blobs, dust, rough = find_blobs(image, usable & (own == 0), settings.blobs, master.name)
    own[dust] |= int(Reason.DUST)
    own[rough] |= int(Reason.BLOB)
    return blobs


def _limits(kind: str, settings: Settings) -> tuple[Limit | None, Limit | None]:
    """Limits of deviations upwards and downwards."""
    match kind:
        case "dark":
            return settings.dark, None
        case "bias":
            return settings.bias, settings.bias
    return settings.bright, settings.cold


def _beyond(deviation: Float32, sigma: Float32, limit: Limit) -> Flags:
    beyond: Flags = deviation > np.maximum(np.float32(limit.value), np.float32(limit.sigmas) * sigma)
    return beyond


def _midline_rows(window: Window, windows: Sequence[Window], settings: Settings) -> list[int]:
    """Rows of an amplifier's array that meet another amplifier above or below."""
    height, count = window.y1 - window.y0, settings.midline_rows
    beside = [w for w in windows if w.x0 < window.x1 and window.x0 < w.x1]
    rows: list[int] = []
    if any(w.y1 == window.y0 for w in beside):
        rows += range(min(count, height))
    if any(w.y0 == window.y1 for w in beside):
        rows += range(max(0, height - count), height)
    return rows


def _level_rows(deviation: Float32, usable: Flags, rows: Sequence[int]) -> None:
    """Take out of each row what its usable pixels have in common, in place."""
    for row in rows:
        kept = deviation[row][usable[row]]
        if kept.size:
            deviation[row] -= np.median(kept)


def _join_columns(reasons: Int32, windows: Sequence[Window], settings: Settings) -> None:
    for window in windows:
        own = reasons[window.slices]
        if np.any(own & int(Reason.DEAD_AMPLIFIER)):
            continue
        joined, whole = intermittent_columns(
            (own & (_PIXELS | int(Reason.COLUMN | Reason.NO_DATA))) != 0, settings.columns
        )
        all_bad = int(Reason.COLUMN | Reason.SATURATED_COLUMN)
        own[joined & ((own & all_bad) == 0)] |= int(Reason.INTERMITTENT)
        own[whole] |= int(Reason.COLUMN)


def _add_edges(reasons: Int32, windows: Sequence[Window], settings: Settings) -> None:
    left, right, bottom, top = settings.edges
    ny, nx = reasons.shape
    edge = int(Reason.EDGE)
    reasons[:, :left] |= edge
    reasons[:, max(0, nx - right) :] |= edge
    reasons[:bottom] |= edge
    reasons[max(0, ny - top) :] |= edge
    if settings.midline == "mask":
        for window in windows:
            own = reasons[window.slices]
            own[_midline_rows(window, windows, settings)] |= int(Reason.MIDLINE)
