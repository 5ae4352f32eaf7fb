"""The facts of one raw file, as its headers tell them through the camera's rules."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

type StateValue = str | float | int | bool


class FrameFacts(BaseModel):
    """What is known of an exposure before its pixels are looked at.

    Times are TAI without a zone; durations are seconds, temperatures degrees Celsius. What the
    header does not say is None: unknown, not a default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: str
    exposure: int
    obs_id: str
    detectors: tuple[int, ...]  # whose pixels are in this file
    day_obs: int
    seq_num: int
    group: str
    begin: datetime
    end: datetime
    exposure_time: float
    dark_time: float
    frame_type: str  # "unknown" where no rule holds
    filter: str
    reason: str | None = None
    target: str | None = None
    program: str | None = None
    temperature: float | None = None
    temperature_set: float | None = None
    binning: tuple[int, int] | None = None
    detector_serial: str | None = None
    ra: float | None = None
    dec: float | None = None
    zenith_angle: float | None = None
    photodiode: float | None = None  # charge of the light in this exposure, in the camera's own unit
    state: dict[str, StateValue | None] = {}  # None: the header does not say
