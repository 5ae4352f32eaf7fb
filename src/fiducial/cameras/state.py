"""Whether two frames were taken in the same state of the camera."""

from __future__ import annotations

from collections.abc import Mapping

from fiducial.cameras.facts import FrameFacts, StateValue
from fiducial.cameras.model import Camera


def state_differences(
    camera: Camera, a: FrameFacts, b: FrameFacts
) -> dict[str, tuple[StateValue, StateValue]]:
    """The state keywords in which two frames differ, each with both values.

    A keyword that one of the two does not have is unknown, and unknown never differs. Numbers agree
    within the tolerance of the camera's rule, text without regard to case and outer blanks.
    """
    return differing_keys(camera, a.state, b.state)


def differing_keys(
    camera: Camera, a: Mapping[str, StateValue | None], b: Mapping[str, StateValue | None]
) -> dict[str, tuple[StateValue, StateValue]]:
    """The same of two camera states by themselves."""
    different: dict[str, tuple[StateValue, StateValue]] = {}
    for key, rule in camera.headers.state.items():
        one, other = a.get(key), b.get(key)
        if one is None or other is None:
            continue
        if not _same(one, other, rule.tolerance):
            different[key] = (one, other)
    return different


def _same(one: StateValue, other: StateValue, tolerance: float | None) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return str(one).strip().lower() == str(other).strip().lower()
    return abs(one - other) <= (tolerance or 0.0)
