"""What corrections with a master have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsst.pex.config import Config, Field

from fiducial.corrections.base import Context, Correction
from fiducial.corrections.masters import Master
from fiducial.errors import ConfigurationError

if TYPE_CHECKING:
    from fiducial.corrections.frame import DetectorFrame


class MasterConfig(Config):
    """Settings of a correction that needs a master."""

    matchState = Field[bool](
        default=True, doc="Refuse a master made in another camera state than the frame's."
    )


class MasterCorrection(Correction):
    """A correction by a master of its name.

    Raises
    ------
    ConfigurationError
        The chain names the correction, and no master was given.
    CalibrationMismatch
        The master is of another detector, shape or unit.
    """

    ConfigClass = MasterConfig

    def __init__(self, config: Any, context: Context) -> None:
        super().__init__(config, context)
        kind = self.master or self.name
        if kind not in context.masters:
            raise ConfigurationError(
                f"the chain has the correction {self.name!r}, but there is no master {kind}",
                hint=f"Certify a {kind}, give the collection that holds one, "
                f"or leave {self.name} out of the chain.",
            )
        self.found: Master = context.masters[kind]
        self.found.require_fit(context)

    def check(self, frame: DetectorFrame) -> None:
        """Refuse a frame of another camera state than the master's."""
        if self.config.matchState:
            self.found.require_state(frame, self.name)

    def notes(self) -> dict[str, str | int | float | bool]:
        """The master's content hash."""
        return {"HASH": self.found.content_hash}
