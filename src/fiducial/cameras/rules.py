"""How the headers of a camera become facts: the part of its file that reads keywords."""

from __future__ import annotations

import re
import string
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FactRule(Strict):
    """How one fact is found: from keywords, a template of keywords, or a constant.

    Keywords are tried in order; one that is missing, undefined or empty is passed over, and so is one
    that the pattern does not fit. Three names are not keywords: ``$FILENAME`` and ``$FOLDER`` (the
    file's name and that of its folder) and ``$LEVEL`` (the median of the raw pixels, adu; read only
    where a rule asks for it). In a camera file a bare string stands for ``{key: ...}``.
    """

    key: str | tuple[str, ...] | None = None
    template: str | None = None  # "{FILTER}~{GRATING}", or with formats: "{SEQNUM:05d}"
    value: str | int | float | None = None
    pattern: str | None = None  # a regular expression; its first group is the value
    replace: dict[str, str] | None = None  # regular expression -> text, after the pattern
    unit: str | None = None  # of the number, where not the fact's own; of a time: mjd, jd or unix
    scale: Literal["utc", "tai"] | None = None  # of a time; None: TIMESYS says it, or UTC
    map: dict[str, str | int | float] | None = None  # value as in the header (* allowed) -> fact; or as is
    default: str | int | float | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_keyword(cls, data: Any) -> Any:
        return {"key": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_source(self) -> FactRule:
        sources = sum(source is not None for source in (self.key, self.template, self.value))
        if sources != 1 and not (sources == 0 and self.default is not None):
            raise ValueError("a fact has exactly one of key, template and value")
        return self

    @model_validator(mode="after")
    def _can_be_read(self) -> FactRule:
        for expression in (self.pattern or "", *(self.replace or ())):
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is not a regular expression: {error}") from None
        try:
            list(string.Formatter().parse(self.template or ""))
        except ValueError as error:
            raise ValueError(f"{self.template!r} is not a template like '{{FILTER}}': {error}") from None
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The keywords tried, in order."""
        if self.key is None:
            return ()
        return (self.key,) if isinstance(self.key, str) else self.key


class FrameTypeRule(Strict):
    """Frames are of this type when every condition holds; the first rule that holds decides.

    A condition is a pattern for text (``Bias*``, or several: ``Bias*|Zero*``; case does not matter), a
    number or truth value for equality, a comparison (``"> 0"``, ``"<= 0.5"``), ``present`` or ``absent``.
    """

    type: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,15}$")
    when: dict[str, str | int | float | bool] = {}


class StateRule(Strict):
    """A keyword that belongs to the camera's state: two frames of one set agree on it."""

    tolerance: float | None = Field(default=None, gt=0)  # None: equal


class HeaderRules(Strict):
    """How the headers of a camera become the facts of an exposure.

    With ``translator`` (a name that ``astro-metadata-translator`` knows) every fact that has no
    rule here comes from that translator.
    """

    translator: str | None = None
    recognise: dict[str, str | int | float | bool]  # conditions, all needed: "this frame is ours"
    hdu: int | str | None = None  # whose header counts beside the primary one; None: first image's
    frame_types: tuple[FrameTypeRule, ...] = ()
    detector: FactRule = FactRule(value=0)  # a detector's id or name; ignored where files hold several
    detector_serial: FactRule | None = None
    exposure_id: FactRule | None = None  # None: day_obs * 100000 + seq_num; 1000000 if no rule for seq_num
    exposure_offset: FactRule | None = None  # added to the id, where several sources count from 1
    obs_id: FactRule | None = None  # None: the file's name without its ending
    day_obs: FactRule | None = None  # YYYYMMDD; None: from begin, the day ends day_offset later
    day_offset: float = 12.0  # hours after midnight UTC at which the next observing day begins
    seq_num: FactRule | None = None  # None: tenths of a second since that day began
    group: FactRule | None = None  # None: obs_id
    begin: FactRule | None = None
    end: FactRule | None = None  # None: begin + exposure time
    exposure_time: FactRule | None = None  # s
    dark_time: FactRule | None = None  # s; None, or shorter than the exposure: exposure_time
    filter: FactRule = FactRule(value="none")  # "unknown" where the header does not say
    reason: FactRule | None = None
    target: FactRule | None = None
    program: FactRule | None = None
    temperature: FactRule | None = None  # degree Celsius, measured
    temperature_set: FactRule | None = None
    photodiode: FactRule | None = None  # charge that a photodiode beside the lamp collected, in any unit
    binning: FactRule | None = None  # "1 1", "2x2", or a number
    ra: FactRule | None = None  # degree; unit hourangle: hours. Numbers or 12:34:56.7
    dec: FactRule | None = None  # degree
    zenith_angle: FactRule | None = None  # degree
    altitude: FactRule | None = None  # degree above the horizon: 90 - zenith angle
    state: dict[str, StateRule] = {}
