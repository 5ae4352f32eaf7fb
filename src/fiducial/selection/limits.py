"""How much a frame may differ from its set before it is set aside: limits as data, each with its reason."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fiducial.errors import ConfigurationError

DEFAULTS = "limits.yaml"


class Limit(BaseModel):
    """A limit with two sides; a side that is None is not looked at, and the reason says why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float | None = None
    high: float | None = None
    reason: str

    @model_validator(mode="after")
    def _sides(self) -> Limit:
        if self.low is None and self.high is None:
            raise ValueError("a limit has a low or a high side")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        return self

    def broken(self, value: float) -> float | None:
        """Return the side that a value is beyond; None if it is within, or not a number."""
        if self.low is not None and value < self.low:
            return self.low
        if self.high is not None and value > self.high:
            return self.high
        return None


class TwoSided(Limit):
    """A limit of which both sides count."""

    low: float
    high: float


class LowSide(Limit):
    """A limit of which only the low side counts."""

    low: float


class HighSide(Limit):
    """A limit of which only the high side counts."""

    high: float


class ContentLimits(BaseModel):
    """The limits on a frame's content; what each means, and why it is what it is, stands in its reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    idle: HighSide
    scatter: TwoSided
    level: TwoSided
    raw_level: TwoSided
    first_level: TwoSided
    dark_signal: TwoSided
    noise: TwoSided
    flat_noise: TwoSided
    dead: LowSide
    saturated: HighSide
    ramp_saturated: HighSide
    light: LowSide
    dim: LowSide
    illumination: TwoSided
    rate: TwoSided
    verifying_light: TwoSided
    amplifier_ratio: TwoSided
    bias_time: HighSide


def limits_from_yaml(text: str, source: str) -> ContentLimits:
    """Read limits.

    Parameters
    ----------
    text
        YAML: name of the limit to its low and high side and reason.
    source
        Name of the file, for messages.

    Raises
    ------
    ConfigurationError
        If the text is not YAML, a limit is missing or unknown, or its sides make no sense.
    """
    try:
        return ContentLimits.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(f"{source}: {where}: {first['msg']}") from error


@cache
def default_limits() -> ContentLimits:
    """Return the limits that come with the package."""
    text = files("fiducial.selection").joinpath(DEFAULTS).read_text(encoding="utf-8")
    return limits_from_yaml(text, DEFAULTS)
