"""What a camera is: detectors, amplifiers, regions, frame types and camera state, one YAML file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.load import camera_from_yaml, camera_to_yaml, known_cameras, load_camera
from fiducial.cameras.model import Amplifier, Camera, Detector, Layout
from fiducial.cameras.regions import Region
from fiducial.cameras.state import state_differences
from fiducial.cameras.translate import recognises, translate

if TYPE_CHECKING:
    from fiducial.cameras.draft import Draft, DraftInput, Evidence, draft_camera

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

_DRAFTING = ("Draft", "DraftInput", "Evidence", "draft_camera")


def __getattr__(name: str) -> Any:
    # Drafting needs numpy; a command that only loads a camera does not pay for it.
    if name in _DRAFTING:
        from fiducial.cameras import draft

        return getattr(draft, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
