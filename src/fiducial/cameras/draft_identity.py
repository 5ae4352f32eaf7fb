"""Which camera it is, and which detectors it has: name, conditions to recognise it by, detector rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fiducial.cameras.draft_frames import DraftFrame, Notebook
from fiducial.cameras.draft_headers import keyword
from fiducial.cameras.source import as_text

NAMING = ("INSTRUME", "INSTRUMENT", "CAMERA", "CAM_ID", "DETNAM", "CAMNAME", "VERSION", "DETECTOR", "DSENSOR")
DETECTOR = ("CAM_ID", "DETECTOR", "CCDNUM", "CCDNAME", "DETNAM", "CCDSLOT", "CHIPID", "CHIP")
SENSOR = ("DSENSOR", "DETECTOR", "CCD_TYPE", "INSTRUME")
PIXEL_SIZE = ("XPIXSZ", "PIXSIZE1", "PIXSIZE", "PIXELSIZ")
USUAL_PIXEL = 15.0  # micrometre: that of most CCDs made for astronomy


@dataclass(frozen=True)
class DraftDetectors:
    """The detectors found, and the keyword that tells them apart (None: there is one)."""

    key: str | None
    names: tuple[str, ...]
    ids: tuple[int, ...]


def draft_detectors(frames: Sequence[DraftFrame], notebook: Notebook) -> DraftDetectors:
    """Tell detectors apart by a keyword with a few values; sets ``frame.detector``."""
    for pattern in DETECTOR:
        key = keyword(frames, (pattern,), lambda value: value is not None)
        if key is None:
            continue
        names = sorted({as_text(frame.get(key) or "") for frame in frames})
        if 1 < len(names) <= max(2, len(frames) // 2):
            for frame in frames:
                frame.detector = as_text(frame.get(key) or "")
            notebook.note("headers.detector", key, f"has {len(names)} values, one for each detector")
            notebook.note("detectors", ", ".join(names), f"the values of {key}; ids are their last digits")
            return DraftDetectors(key, tuple(names), _ids(names))
    return DraftDetectors(None, ("CCD",), (0,))


def _ids(names: Sequence[str]) -> tuple[int, ...]:
    digits = [re.search(r"(\d+)$", name) for name in names]
    numbers = [int(found[1]) for found in digits if found is not None]
    return tuple(numbers) if len(set(numbers)) == len(names) else tuple(range(len(names)))


def draft_identity(
    frames: Sequence[DraftFrame], detectors: DraftDetectors, notebook: Notebook
) -> tuple[str, dict[str, Any]]:
    """A name for the camera, and the conditions that its frames meet."""
    for pattern in NAMING:
        key = keyword(frames, (pattern,), lambda value: isinstance(value, str))
        if key is None:
            continue
        values = sorted({as_text(frame.get(key) or "") for frame in frames})
        common = _common_start(values)
        if len(values) > 1 and (key != detectors.key or len(common) < 2):
            continue
        condition = values[0] if len(values) == 1 else f"{common}*"
        name = _short_name(common)
        notebook.note("headers.recognise", f"{key}: {condition}", f"the same in all {len(frames)} frames")
        notebook.note("name", name, f"from {key}", sure=False)
        return name, {key: condition}
    notebook.note("headers.recognise", "SIMPLE: true", "no keyword names the camera", sure=False)
    notebook.note("name", "MyCamera", "no keyword names the camera", sure=False)
    return "MyCamera", {"SIMPLE": True}


def _common_start(values: Sequence[str]) -> str:
    """What all values begin with."""
    first, last = values[0], values[-1]  # sorted: these two differ most
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]


def _short_name(text: str) -> str:
    """The part of a name with letters and digits in it (STL-1001), else its first word."""
    words = text.split()
    models = [
        w for w in words if re.search(r"[A-Za-z]", w) and re.search(r"\d", w) and not re.match(r"\d", w)
    ]
    name = re.sub(r"[^A-Za-z0-9_]", "", (models or words or ["MyCamera"])[0])
    return name[:32] if name[:1].isalpha() else f"Camera{name}"[:32]


def draft_description(
    frames: Sequence[DraftFrame], shape: tuple[int, int], detectors: int, notebook: Notebook
) -> str:
    """The sensor's name where a keyword has it, and the size."""
    size = f"{shape[1]} x {shape[0]} pixels"
    for key in SENSOR:
        values = {frame.get(key) for frame in frames}
        if len(values) == 1 and isinstance(sensor := values.pop(), str):
            notebook.note("description", sensor, f"from {key}")
            return f"{sensor}, {size}"
    return f"{detectors} detectors of {size}" if detectors > 1 else f"One detector of {size}"


def draft_pixel_size(frames: Sequence[DraftFrame], layout: str, notebook: Notebook) -> float:
    """Micrometres, from a keyword; or what is usual."""
    for key in PIXEL_SIZE:
        value = frames[0].get(key)
        if isinstance(value, int | float) and 1 < value < 100:
            notebook.note(f"layouts.{layout}.pixel_size", value, f"from {key}")
            return float(value)
    notebook.note(
        f"layouts.{layout}.pixel_size", USUAL_PIXEL, "no keyword says it; this is usual", sure=False
    )
    return USUAL_PIXEL
