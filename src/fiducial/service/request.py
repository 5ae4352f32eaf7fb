"""What a user asks for when calibrations are planned or made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fiducial.cameras import Camera
    from fiducial.cameras.model import SelectionDefaults


@dataclass(frozen=True)
class Request:
    """Which frames, under which names, and with which settings.

    Everything has a default; ``night`` None means all nights.
    """

    night: int | None = None
    instrument: str | None = None
    ticket: str | None = None  # what the work is filed under
    tag: str = "nightly"
    rerun: str | None = None
    physical_filter: str | None = None
    state: dict[str, str | float] = field(default_factory=dict)
    detectors: tuple[int, ...] = ()
    where: str = ""
    skip_first: int | None = None
    wanted: int | None = None
    minimum: int | None = None
    world: Literal["electron", "adu"] = "electron"
    overrides: tuple[str, ...] = ()  # "task:field=value", as pipetask takes them with -c
    processes: int = 1
    threads: int = 2

    def ticket_for(self, day: int) -> str:
        """Name what the work is filed under: the ticket, or the night."""
        return self.ticket or f"night-{day}"

    def settings_for(self, camera: Camera, kind: str) -> SelectionDefaults:
        """Take the camera's way of choosing frames, with what the user wants otherwise."""
        from fiducial.selection import RAMPS, ramp_settings

        wishes = {"skip_first": self.skip_first, "wanted": self.wanted, "minimum": self.minimum}
        own = ramp_settings(camera, kind) if kind in RAMPS else camera.defaults.selection_of(kind)
        return own.model_copy(update={name: wish for name, wish in wishes.items() if wish is not None})
