"""Gain, read noise and saturation of drafted amplifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fiducial.cameras.draft_frames import DraftFrame, Notebook
from fiducial.cameras.draft_layout import DraftAmplifier
from fiducial.cameras.draft_noise import flat_pair_gain, pair_sigma, read_noise
from fiducial.cameras.draft_types import Types

USUAL_GAIN, USUAL_NOISE = 1.0, 5.0  # electron / adu, electron: where nothing can be measured
_PAIRS = 8  # at most, of flats and of biases each
_ALIKE = 0.05  # two flats of a pair differ in level by less than this fraction


def draft_values(
    amplifiers: Sequence[DraftAmplifier],
    frames: Sequence[DraftFrame],
    types: Types,
    layout: str,
    notebook: Notebook,
) -> list[dict[str, Any]]:
    """The amplifiers as a camera file has them, with what was measured in pairs of frames."""
    quiet = list(_pairs(types.frames.get("bias") or types.frames.get("dark", [])))[:_PAIRS]
    flats = list(_pairs(types.frames.get("flat", [])))
    full = _saturation(frames)
    notebook.note(
        f"layouts.{layout}.amplifiers.saturation", f"{full:g}", "the largest value that the pixels can have"
    )
    out = []
    for amplifier in amplifiers:
        key = f"layouts.{layout}.amplifiers[{amplifier.name}]"
        noise = read_noise([(_data(a, amplifier), _data(b, amplifier)) for a, b in quiet])
        gain = _gain(amplifier, flats, types, noise, full)
        if gain is None:
            notebook.note(f"{key}.gain", USUAL_GAIN, "no pair of flats to measure it on", sure=False)
        else:
            reason = f"+- {gain[1]:.3f} from {_count(gain[2], 'pair')} of flats, blocks of 16 x 16 pixels"
            notebook.note(f"{key}.gain", f"{gain[0]:.3f}", reason)
        value = USUAL_GAIN if gain is None else gain[0]
        if noise is None:
            notebook.note(f"{key}.read_noise", USUAL_NOISE, "no pair of biases or darks", sure=False)
        else:
            reason = f"electron; {noise:.3f} adu in {_count(len(quiet), 'pair')} of frames without light"
            notebook.note(f"{key}.read_noise", f"{noise * value:.3f}", reason, sure=gain is not None)
        electrons = USUAL_NOISE if noise is None else noise * value
        out.append(_as_content(amplifier, round(value, 3), round(electrons, 3), full))
    return out


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def noise_of(frames: Sequence[DraftFrame]) -> float:
    """Noise of one pixel (adu): of two frames, or of one from neighbours in a row."""
    pairs = list(_pairs(frames))
    if pairs:
        return pair_sigma(pairs[0][0].pixels, pairs[0][1].pixels)
    pixels = frames[0].pixels
    return pair_sigma(pixels[:, 1:], pixels[:, :-1])


def _as_content(amplifier: DraftAmplifier, gain: float, noise: float, full: float) -> dict[str, Any]:
    content: dict[str, Any] = {"name": amplifier.name, "hdu": amplifier.hdu}
    for name in ("data", "detector", "serial_overscan", "parallel_overscan"):
        content[name] = getattr(amplifier, name)
    return content | {
        "read_corner": amplifier.read_corner,
        "gain": gain,
        "read_noise": max(noise, 1e-3),  # blank pixels have none, and a camera file wants some
        "saturation": full,
    }


def _data(frame: DraftFrame, amplifier: DraftAmplifier) -> np.ndarray:
    return frame.hdus[amplifier.index][2][amplifier.data.slices]


def _pairs(frames: Sequence[DraftFrame]) -> Iterator[tuple[DraftFrame, DraftFrame]]:
    """Neighbours in time of one detector, with one exposure time and nearly one level; none twice."""
    ordered = sorted(frames, key=lambda f: (f.detector, f.begin or 0.0, f.file))
    i = 0
    while i + 1 < len(ordered):
        one, other = ordered[i], ordered[i + 1]
        same = one.detector == other.detector and one.exposure_time == other.exposure_time
        if same and abs(one.level - other.level) <= _ALIKE * max(one.level, 1.0):
            yield one, other
            i += 2
        else:
            i += 1


def _gain(
    amplifier: DraftAmplifier,
    flats: Sequence[tuple[DraftFrame, DraftFrame]],
    types: Types,
    noise: float | None,
    full: float,
) -> tuple[float, float, int] | None:
    """Gain, its statistical error, and the number of pairs."""
    found = []
    for one, other in flats:
        first, second = _data(one, amplifier), _data(other, amplifier)
        if max(first.max(), second.max()) >= full:
            continue
        bias = _bias(one, amplifier, types)
        if (value := flat_pair_gain(first - bias, second - bias, noise or 0.0)) is not None:
            found.append(value)
        if len(found) == _PAIRS:
            break
    if not found:
        return None
    gains, errors = np.array(found).T
    return float(gains.mean()), float(np.sqrt((errors**2).sum()) / len(errors)), len(found)


def _bias(flat: DraftFrame, amplifier: DraftAmplifier, types: Types) -> float:
    """The level without light: of the overscan, else of the frame without light that is nearest in time."""
    if amplifier.serial_overscan is not None:
        return float(np.median(flat.hdus[amplifier.index][2][amplifier.serial_overscan.slices]))
    dark = [
        f for f in types.frames.get("bias") or types.frames.get("dark", []) if f.detector == flat.detector
    ]
    if not dark:
        return 0.0
    nearest = min(dark, key=lambda f: abs((f.begin or 0.0) - (flat.begin or 0.0)))
    return float(np.median(_data(nearest, amplifier)))


def _saturation(frames: Sequence[DraftFrame]) -> float:
    """What the type of the pixels can hold; of wider types the power of two above all values."""
    kind = frames[0].pixels.dtype
    if kind.kind in "iu" and kind.itemsize <= 2:
        return float(np.iinfo(kind).max)
    largest = max(float(np.max(frame.pixels)) for frame in frames)
    return float(2 ** max(16, int(np.ceil(np.log2(max(largest, 1.0) + 1)))) - 1)
