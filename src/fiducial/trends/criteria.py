"""How much of a camera may change before it matters: the limits and how a user's file goes over them."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from fiducial.errors import ConfigurationError
from fiducial.trends.readings import UNITS, Reading
from fiducial.verify.criteria.model import Strict


class ChangeLimit(Strict):
    """The limit of one quantity: the largest of the amounts given."""

    relative: float | None = Field(default=None, ge=0)  # of the certified value
    absolute: float | None = Field(default=None, ge=0)  # in the quantity's own unit
    share: float | None = Field(default=None, ge=0)  # of the amplifier's pixels

    @model_validator(mode="after")
    def _says_something(self) -> ChangeLimit:
        if self.relative is None and self.absolute is None and self.share is None:
            raise ValueError("a limit is given by relative, absolute or share")
        return self

    def amount(self, reference: Reading) -> float:
        """The limit in the unit of the quantity."""
        amounts = (
            (self.relative or 0.0) * abs(reference.value),
            self.absolute or 0.0,
            (self.share or 0.0) * (reference.pixels if math.isfinite(reference.pixels) else 0.0),
        )
        return max(amounts)


class TrendCriteria(Strict):
    """Everything that the words depend on beside the readings."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: Literal[1] = Field(alias="schema")
    false_alarm: float = Field(gt=0, lt=1)
    false_discovery: float = Field(gt=0, lt=1)
    quantities: dict[str, ChangeLimit]

    @model_validator(mode="after")
    def _known(self) -> TrendCriteria:
        if unknown := set(self.quantities) - set(UNITS):
            raise ValueError(f"no quantity {', '.join(sorted(unknown))}; there are {', '.join(UNITS)}")
        return self

    def limit(self, quantity: str) -> ChangeLimit | None:
        """The limit of a quantity; None where it is only shown. One reason of defects has that of all."""
        return self.quantities.get(quantity.split(" ")[0])


def load_trend_criteria(path: str | Path = "") -> TrendCriteria:
    """The default limits, with those of a file over them.

    Raises
    ------
    ConfigurationError
        Naming the file and the key, where it is missing, is not YAML or has a key that is not known.
    """
    default: dict[str, Any] = yaml.safe_load(
        files("fiducial.trends").joinpath("criteria.yaml").read_text("utf-8")
    )
    if not path:
        return TrendCriteria.model_validate(default)
    try:
        own = yaml.safe_load(Path(path).read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"limits {path}: {error}", hint="Give the path of a YAML file.") from error
    if not isinstance(own, dict) or not isinstance(own.get("quantities", {}), dict):
        raise ConfigurationError(f"limits {path}: a mapping is needed", hint=_HINT)
    merged = default | own
    merged["quantities"] = default["quantities"] | own.get("quantities", {})
    try:
        return TrendCriteria.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "quantities"
        raise ConfigurationError(f"limits {path}: {key}: {first['msg']}", hint=_HINT) from error


_HINT = "See fiducial/trends/criteria.yaml for the keys."
