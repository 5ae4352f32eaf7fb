"""A camera file drafted from the headers and pixels of raw frames, every guess beside its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from fiducial.cameras.draft_frames import DraftFrame, DraftInput, Evidence, Notebook, usable_frames
from fiducial.cameras.draft_headers import draft_headers
from fiducial.cameras.draft_identity import (
    DraftDetectors,
    draft_description,
    draft_detectors,
    draft_identity,
    draft_pixel_size,
)
from fiducial.cameras.draft_layout import DraftAmplifier, layout_from_pixels
from fiducial.cameras.draft_sections import amplifier_from_sections, layout_from_sections
from fiducial.cameras.draft_types import Types, draft_types
from fiducial.cameras.draft_values import draft_values, noise_of
from fiducial.cameras.draft_yaml import yaml_with_evidence
from fiducial.cameras.model import Camera
from fiducial.errors import CameraError, NothingToDo

__all__ = ["Draft", "DraftInput", "Evidence", "draft_camera"]

LAYOUT = "ccd"


@dataclass(frozen=True)
class Draft:
    """A drafted camera, its file with the evidence as comments, and the evidence by itself."""

    camera: Camera
    yaml: str
    evidence: tuple[Evidence, ...]


def draft_camera(frames: Sequence[DraftInput]) -> Draft:
    """Draft a camera from raw frames.

    Biases, two flats of one level and a dark serve best. FITS sections are taken where they describe the
    amplifiers completely; otherwise amplifiers and overscans are found in the pixels: overscan does not
    respond to light, the bias level steps from one amplifier to the next. Read noise and gain come from
    pairs of frames, types from words in keywords and names where exposure time and level agree with them.

    Parameters
    ----------
    frames
        Raw frames of one camera, unbinned.

    Raises
    ------
    NothingToDo
        No frame has an image.
    HeaderError
        No keyword can be the exposure time.
    CameraError
        What was found makes no camera.
    """
    notebook = Notebook()
    usable = usable_frames(frames, notebook)
    if not usable:
        raise NothingToDo("no frame has an image to draft a camera from", hint="Give raw FITS frames.")
    detectors = draft_detectors(usable, notebook)
    name, recognise = draft_identity(usable, detectors, notebook)
    rules = draft_headers(usable, notebook, one_file_per_detector=detectors.key is not None)
    types = draft_types(usable, _keyword_of(rules["exposure_time"]), notebook)
    amplifiers, skip = _layout(usable, types, notebook)
    shape = (
        max(amplifier.detector.y1 for amplifier in amplifiers),
        max(amplifier.detector.x1 for amplifier in amplifiers),
    )
    content = {
        "name": name,
        "description": draft_description(usable, shape, len(detectors.ids), notebook),
        "layouts": {
            LAYOUT: {
                "raw_shape": list(usable[0].shape),
                "pixel_size": draft_pixel_size(usable, LAYOUT, notebook),
                "amplifiers": draft_values(amplifiers, usable, types, LAYOUT, notebook),
            }
        },
        "detectors": _detectors(detectors),
        "headers": {"recognise": recognise, "frame_types": types.rules, **_detector_rule(detectors), **rules},
        "defaults": {"overscan": _overscan(amplifiers, skip, notebook)} | _selection(types, notebook),
    }
    try:
        camera = Camera.model_validate(content)
    except ValidationError as error:
        raise CameraError(
            f"what was found makes no camera: {error.errors()[0]['msg']}",
            hint="Give frames of one camera, unbinned: biases, flats and darks.",
        ) from None
    return Draft(camera, yaml_with_evidence(camera, notebook.entries), tuple(notebook.entries))


def _keyword_of(rule: Any) -> str:
    return str(rule["key"]) if isinstance(rule, dict) else str(rule)


def _layout(
    frames: Sequence[DraftFrame], types: Types, notebook: Notebook
) -> tuple[list[DraftAmplifier], int]:
    if amplifiers := layout_from_sections(frames[0], notebook):
        return amplifiers, 0
    dark, lit = dark_and_lit(frames, types)
    amplifiers, skip = layout_from_pixels(dark, lit, noise_of(dark), notebook)
    if len(amplifiers) == 1:
        amplifiers = [amplifier_from_sections(frames[0], amplifiers[0], notebook)]
    return amplifiers, skip


def dark_and_lit(
    frames: Sequence[DraftFrame], types: Types
) -> tuple[Sequence[DraftFrame], Sequence[DraftFrame]]:
    """Frames without light and flats, of the one detector that has most flats."""
    flats = types.frames.get("flat", [])
    dark = types.frames.get("bias") or types.frames.get("dark") or []
    names = {frame.detector for frame in frames}
    best = max(
        sorted(names), key=lambda n: (sum(f.detector == n for f in flats), sum(f.detector == n for f in dark))
    )
    lit = [frame for frame in flats if frame.detector == best]
    chosen = [frame for frame in dark if frame.detector == best]
    if not chosen:
        lowest = min((f for f in frames if f.detector == best), key=lambda frame: frame.level)
        chosen = [lowest]
    usual = float(np.median([frame.level for frame in lit])) if lit else 0.0
    return chosen, [frame for frame in lit if frame.level < 1.5 * usual]


def _detectors(found: DraftDetectors) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": name, "layout": LAYOUT}
        for number, name in zip(found.ids, found.names, strict=True)
    ]


def _detector_rule(found: DraftDetectors) -> dict[str, Any]:
    return {"detector": found.key} if found.key is not None else {}


def _overscan(amplifiers: Sequence[DraftAmplifier], skip: int, notebook: Notebook) -> dict[str, Any]:
    if not any(amplifier.serial_overscan for amplifier in amplifiers):
        notebook.note("defaults.overscan.method", "none", "there is no overscan")
        return {"method": "none"}
    if skip:
        reason = "columns read first, until the level has settled to a tenth of the noise"
        notebook.note("defaults.overscan.skip_leading", skip, reason)
    return {"method": "median_per_row", "skip_leading": skip}


def _selection(types: Types, notebook: Notebook) -> dict[str, Any]:
    """Kinds whose sets are single pairs: neither can be left out."""
    chosen = {}
    for kind in ("bias", "dark", "flat"):
        sets: dict[tuple[str, float | None], int] = {}
        for frame in types.frames.get(kind, []):
            key = frame.detector, frame.exposure_time
            sets[key] = sets.get(key, 0) + 1
        if max(sets.values(), default=0) == 2:
            chosen[kind] = {"skip_first": 0, "minimum": 2}
            notebook.note(f"defaults.selection.{kind}", "pairs", "there are two in a set, and none to spare")
    return {"selection": chosen} if chosen else {}
