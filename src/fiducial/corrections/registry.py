"""Every correction there is: built in, and from plug-ins (entry points ``fiducial.corrections``)."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from lsst.pex.config import Config, ConfigField

from fiducial.corrections.amp_offsets import AmpOffsetsCorrection
from fiducial.corrections.assembly import AssemblyCorrection
from fiducial.corrections.base import Correction
from fiducial.corrections.bias import BiasCorrection
from fiducial.corrections.bleeds import BleedsCorrection
from fiducial.corrections.dark import DarkCorrection
from fiducial.corrections.defects import DefectsCorrection
from fiducial.corrections.dither import DitherCorrection
from fiducial.corrections.edges import EdgesCorrection
from fiducial.corrections.fill_regions import FillRegionsCorrection
from fiducial.corrections.flat import FlatCorrection
from fiducial.corrections.gain import GainCorrection
from fiducial.corrections.interpolate import InterpolateCorrection
from fiducial.corrections.linearity import LinearityCorrection
from fiducial.corrections.nan import NanCorrection
from fiducial.corrections.noise_check import NoiseCheckCorrection
from fiducial.corrections.overscan import OverscanCorrection
from fiducial.corrections.saturation import SaturationCorrection
from fiducial.corrections.statistics import StatisticsCorrection
from fiducial.corrections.suspect import SuspectCorrection
from fiducial.corrections.variance import VarianceCorrection
from fiducial.errors import ConfigurationError

GROUP = "fiducial.corrections"

BUILT_IN: tuple[type[Correction], ...] = (
    DitherCorrection,
    NoiseCheckCorrection,
    SaturationCorrection,
    OverscanCorrection,
    SuspectCorrection,
    GainCorrection,
    LinearityCorrection,
    AssemblyCorrection,
    EdgesCorrection,
    BleedsCorrection,
    BiasCorrection,
    VarianceCorrection,
    DarkCorrection,
    DefectsCorrection,
    FlatCorrection,
    NanCorrection,
    FillRegionsCorrection,
    InterpolateCorrection,
    AmpOffsetsCorrection,
    StatisticsCorrection,
)


def _find_corrections() -> dict[str, type[Correction]]:
    found = {correction.name: correction for correction in BUILT_IN}
    for entry_point in sorted(entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        correction = _load(entry_point)
        if not (isinstance(correction, type) and issubclass(correction, Correction)):
            raise ConfigurationError(
                f"the entry point {entry_point.name} = {entry_point.value} is no correction",
                hint="It must name a subclass of fiducial.corrections.base.Correction.",
            )
        if found.get(correction.name, correction) is not correction:
            raise ConfigurationError(
                f"two corrections are called {correction.name!r}: {entry_point.value} is the second",
                hint="Remove one plug-in, or have it renamed.",
            )
        found[correction.name] = correction
    return found


def _load(entry_point: EntryPoint) -> Any:
    try:
        return entry_point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"the plug-in correction {entry_point.name} ({entry_point.value}) cannot be loaded: {error}",
            hint="Install the plug-in again, or remove it.",
        ) from error


CORRECTIONS: dict[str, type[Correction]] = _find_corrections()
"""Name to class."""


def _make_config() -> Any:
    fields: dict[str, Any] = {
        name: ConfigField(
            doc=(correction.__doc__ or name).strip().splitlines()[0], dtype=correction.ConfigClass
        )
        for name, correction in CORRECTIONS.items()
    }
    fields |= {"__module__": __name__, "__doc__": "The settings of every correction, by its name."}
    make: Any = type(Config)
    return make("CorrectionsConfig", (Config,), fields)


CorrectionsConfig: Any = _make_config()
"""A config with one field per correction; which of them are applied, and in which order, says the chain."""
