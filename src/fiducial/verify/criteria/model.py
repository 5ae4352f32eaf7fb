"""The model of a criteria file, and how the default, a camera's and a user's file are merged."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fiducial.errors import ConfigurationError


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(Strict):
    """The limit of one test: the largest of the amounts given.

    A test that has no limit is measured and shown.
    """

    absolute: float | None = Field(default=None, ge=0)  # in the value's own unit
    low: float | None = None  # beside absolute: the lower end, where it is not minus the upper one
    read_noise: float | None = Field(default=None, ge=0)  # times the read noise
    electrons: float | None = Field(default=None, ge=0)
    poisson: bool = False  # the upper limit of a count whose expectation the measurement carries
    significance: bool = False  # the strongest of many z: warns, never fails
    without_overscan: Limit | None = None  # instead, for cameras without one
    sided: Literal["two", "upper"] = "two"
    counts: bool = True  # in the verdict

    @model_validator(mode="after")
    def _says_something(self) -> Limit:
        amounts = (self.absolute, self.read_noise, self.electrons)
        ways = sum([any(amount is not None for amount in amounts), self.poisson, self.significance])
        if ways != 1:
            raise ValueError(
                "a limit is given by absolute, read_noise and electrons, or by poisson, or by significance"
            )
        if self.low is not None and (
            self.absolute is None or self.sided != "two" or self.low > self.absolute
        ):
            raise ValueError("low is the lower end of a range whose upper end is absolute")
        return self


class ExpectedOutliers(Strict):
    """How many pixels beyond 5 sigma a good frame has, beside the Gaussian tail."""

    cosmic_rays_per_cm2_s: float = Field(ge=0)
    pixels_per_cosmic_ray: float = Field(ge=1)
    readout_time: float = Field(ge=0)  # s
    defect_fraction: float = Field(ge=0, lt=1)

    def cosmic_ray_pixels(self, area: float, exposure_time: float) -> float:
        """Pixels hit in an area (cm^2) during an exposure (s) and its readout."""
        seconds = max(0.0, exposure_time) + self.readout_time
        return self.cosmic_rays_per_cm2_s * self.pixels_per_cosmic_ray * area * seconds


class Criteria(Strict):
    """Everything that a verdict depends on beside the measurements."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: Literal[1] = Field(alias="schema")
    false_alarm: float = Field(gt=0, lt=1)
    false_discovery: float = Field(gt=0, lt=1)
    largest_a00: float = Field(ge=0)
    expected_outliers: ExpectedOutliers
    tests: dict[Literal["bias", "dark", "flat", "defects", "ptc", "linearizer"], dict[str, Limit]]

    def limit(self, kind: str, test: str) -> Limit | None:
        """The limit of a test; None where it is only shown."""
        for known, limits in self.tests.items():
            if known == kind:
                return limits.get(test)
        return None


def load_criteria(camera: str = "", path: str | Path = "") -> Criteria:
    """The criteria of a camera.

    Parameters
    ----------
    camera
        Name of the instrument, in any case; its own criteria, if there are any, go over the default.
    path
        A file whose values go over both; empty: none.

    Raises
    ------
    ConfigurationError
        Naming the file and the key, where a file is missing, is not YAML or has a key that is not known.

    Notes
    -----
    A plug-in package brings the criteria of a camera by an entry point of the group ``fiducial.criteria``:
    its name is the instrument's, its value a package and the YAML file in it.
    """
    folder = files("fiducial.verify.criteria")
    sources: list[tuple[str, dict[str, Any]]] = [
        ("default.yaml", _read(folder.joinpath("default.yaml").read_text("utf-8"), "default.yaml"))
    ]
    sources += [
        (resource.name, _read(resource.read_text("utf-8"), resource.name))
        for resource in folder.iterdir()
        if camera and _plain(resource.name) == _plain(camera) + "yaml"
    ]
    sources += [
        (entry.value, _read(_plugged(entry.value), entry.value))
        for entry in entry_points(group="fiducial.criteria")
        if camera and _plain(entry.name) == _plain(camera)
    ]
    if path:
        sources.append((str(path), _read(_text(Path(path)), str(path))))
    merged: dict[str, Any] = {}
    for name, content in sources:
        merged = _merge(merged, content)
        _check(merged, name)
    return _check(merged, sources[-1][0])


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _plugged(value: str) -> str:
    package, _, file = (part.strip() for part in value.partition(":"))
    try:
        return (files(package) / file).read_text("utf-8")
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            f"the plug-in criteria {value} cannot be read: {error}",
            hint="An entry point of fiducial.criteria is 'package:file.yaml', a file inside the package.",
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"criteria file {path}: {error.strerror or error}", hint="Give the path of a YAML file."
        ) from error


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"criteria file {name} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"criteria file {name}: a mapping is needed, not {type(content).__name__}")
    return content


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return ``below`` with the single values of ``above`` put over it; a limit is replaced as a whole."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not _is_limit(old):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _is_limit(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(set(entry) & set(Limit.model_fields))


def _check(content: dict[str, Any], name: str) -> Criteria:
    try:
        return Criteria.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"criteria file {name}: {key}: {first['msg']}",
            hint="See fiducial/verify/criteria/default.yaml for the keys.",
        ) from error
