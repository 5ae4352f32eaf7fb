"""What a camera is: detectors, amplifiers, regions, frame types and camera state, one YAML file each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiducial.cameras.draft import Draft, DraftInput, Evidence, draft_camera
    from fiducial.cameras.facts import FrameFacts
    from fiducial.cameras.load import camera_from_yaml, camera_to_yaml, known_cameras, load_camera
    from fiducial.cameras.model import Amplifier, Camera, Detector, Layout
    from fiducial.cameras.regions import Region
    from fiducial.cameras.state import state_differences
    from fiducial.cameras.translation import recognises, translate

__all__ = [
    "Amplifier",
    "Camera",
    "Detector",
    "Draft",
    "DraftInput",
    "Evidence",
    "FrameFacts",
    "Layout",
    "Region",
    "camera_from_yaml",
    "camera_to_yaml",
    "draft_camera",
    "known_cameras",
    "load_camera",
    "recognises",
    "state_differences",
    "translate",
]

# Each costs what it needs, and no more: reading pixels takes a region, not the model of a camera.
_ROOMS = {
    "draft": ("Draft", "DraftInput", "Evidence", "draft_camera"),
    "facts": ("FrameFacts",),
    "load": ("camera_from_yaml", "camera_to_yaml", "known_cameras", "load_camera"),
    "model": ("Amplifier", "Camera", "Detector", "Layout"),
    "regions": ("Region",),
    "state": ("state_differences",),
    "translation": ("recognises", "translate"),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
