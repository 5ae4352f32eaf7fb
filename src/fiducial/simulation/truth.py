"""What is really true of a simulated night, kept beside its frames."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from fiducial.errors import ConfigurationError
from fiducial.frames.atomic import atomic_write
from fiducial.simulation.effects.truth import EffectsTruth
from fiducial.simulation.electronics import AmplifierTruth
from fiducial.simulation.faults import Fault
from fiducial.simulation.physics import SimulatedDetector, flipped
from fiducial.simulation.plan import NightPlan
from fiducial.simulation.settings import Strict

FOLDER = "truth"  # beside the frames
_NIGHT = "night.json"


class ExposureTruth(Strict):
    """What really happened in one exposure; by detector where detectors differ."""

    index: int
    exposure: int
    obs_id: str
    kind: str  # what it really is: a dark that the header calls flat is a dark here
    frame_type: str  # what the header says
    number: int  # among those of its frame type, from 0: what faults count by
    filter: str
    files: tuple[str, ...]  # relative to the night's folder
    time: float  # s, real
    dark_time: float  # s, real
    dark_scale: float  # of the dark current to the truth's, by temperature
    temperature: float
    lamp: float  # of the lamp's nominal brightness; 0 where it does not shine
    electrons: dict[int, float]  # mean signal of a flat, electron / pixel
    drift: dict[int, float]  # adu of the bias level
    cosmic_rays: dict[int, int]  # particles
    faults: tuple[str, ...] = ()
    gain_scale: dict[int, tuple[float, ...]] = Field(default={})  # of each amplifier to its true gain
    offsets: dict[int, tuple[float, ...]] = Field(default={})  # adu, of each amplifier's image
    photodiode: float | None = None  # charge, as measured: with noise


class NightSummary(Strict):
    """The truth of a whole night but its arrays."""

    camera: str
    seed: int
    plan: NightPlan
    faults: tuple[Fault, ...]
    exposures: tuple[ExposureTruth, ...]


@dataclass(frozen=True)
class DetectorTruth:
    """The truth of one detector; arrays are (ny, nx) float32 in the detector's orientation.

    ``bias_adu`` is what a perfect master holds after the overscan was subtracted as the camera file
    says (with the level in it where there is none), at zero drift; ``bias_electron`` the same times the
    true gains; ``dark`` electron / s at the plan's first temperature; ``flat`` by filter, relative
    to a mean of 1 over the detector; ``level`` by filter, the detector's mean response; ``effects``
    what else it does (hot columns stand in ``dark`` too, vampire pixels in ``flat``).
    """

    detector: int
    amplifiers: tuple[AmplifierTruth, ...]
    bias_adu: np.ndarray
    bias_electron: np.ndarray
    dark: np.ndarray
    flat: dict[str, np.ndarray]
    level: dict[str, float]
    effects: EffectsTruth = field(default_factory=EffectsTruth.none)

    def amplifier(self, name: str) -> AmplifierTruth:
        """The amplifier of this name."""
        return next(a for a in self.amplifiers if a.name == name)


@dataclass(frozen=True)
class NightTruth:
    """A simulated night: where its frames are, and the truth."""

    folder: Path
    summary: NightSummary
    detectors: dict[int, DetectorTruth]

    @property
    def files(self) -> tuple[Path, ...]:
        """All raw files, in the order of the night."""
        return tuple(self.folder / name for e in self.summary.exposures for name in e.files)

    @property
    def exposures(self) -> tuple[ExposureTruth, ...]:
        """All exposures, in the order of the night."""
        return self.summary.exposures

    def of_type(self, frame_type: str, *, faultless: bool = False) -> tuple[ExposureTruth, ...]:
        """The exposures that the headers call so; on request only those without a planted fault."""
        chosen = (e for e in self.summary.exposures if e.frame_type == frame_type)
        return tuple(e for e in chosen if not (faultless and e.faults))


def truth_of(sim: SimulatedDetector) -> DetectorTruth:
    """The truth of a simulated detector."""
    gain = np.zeros(sim.bias.shape, np.float32)
    for amp, truth in zip(sim.amplifiers, sim.truths, strict=True):
        flipped(gain[amp.detector.slices], amp)[:] = truth.gain
    return DetectorTruth(
        sim.detector,
        sim.truths,
        sim.bias,
        sim.bias * gain,
        sim.dark,
        dict(sim.response),
        dict(sim.level),
        sim.effects,
    )


def save_truth(truth: NightTruth) -> None:
    """Write ``truth/night.json`` and ``truth/detector-<id>.npz`` below the night's folder."""
    folder = truth.folder / FOLDER
    for detector in truth.detectors.values():
        with (
            atomic_write(folder / f"detector-{detector.detector:03d}.npz") as part,
            part.open("wb") as stream,
        ):
            np.savez(stream, **_arrays(detector))
    with atomic_write(folder / _NIGHT) as part:
        part.write_text(truth.summary.model_dump_json(indent=1) + "\n")


def load_truth(folder: str | os.PathLike[str]) -> NightTruth:
    """Read the truth of a night that `simulate_night` wrote; ConfigurationError if there is none."""
    root = Path(folder)
    try:
        summary = NightSummary.model_validate_json((root / FOLDER / _NIGHT).read_text())
        detectors = {}
        for path in sorted((root / FOLDER).glob("detector-*.npz")):
            with np.load(path, allow_pickle=False) as stored:
                truth = _detector(dict(stored))
            detectors[truth.detector] = truth
    except (OSError, ValidationError, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{root} holds no truth of a simulated night: {error}",
            hint="Give the folder that a simulated night was written to.",
        ) from error
    return NightTruth(root, summary, detectors)


def _arrays(truth: DetectorTruth) -> dict[str, Any]:
    amplifiers = truth.amplifiers
    filters = sorted(truth.flat)
    return {
        "detector": np.int64(truth.detector),
        "amplifier": np.array([a.name for a in amplifiers]),
        "gain": np.array([a.gain for a in amplifiers]),
        "read_noise": np.array([a.read_noise for a in amplifiers]),
        "bias_level": np.array([a.bias_level for a in amplifiers]),
        "saturation": np.array([a.saturation for a in amplifiers]),
        "nominal_gain": np.array([a.nominal_gain for a in amplifiers]),
        "nominal_read_noise": np.array([a.nominal_read_noise for a in amplifiers]),
        "bias_adu": truth.bias_adu,
        "bias_electron": truth.bias_electron,
        "dark": truth.dark,
        "filter": np.array(filters),
        "level": np.array([truth.level[band] for band in filters]),
        **{f"flat_{i}": truth.flat[band] for i, band in enumerate(filters)},
        **truth.effects.arrays(),
    }


def _detector(stored: dict[str, np.ndarray]) -> DetectorTruth:
    columns = ("gain", "read_noise", "bias_level", "saturation", "nominal_gain", "nominal_read_noise")
    amplifiers = tuple(
        AmplifierTruth(str(name), *(float(stored[column][i]) for column in columns))
        for i, name in enumerate(stored["amplifier"])
    )
    filters = [str(band) for band in stored["filter"]]
    return DetectorTruth(
        int(stored["detector"]),
        amplifiers,
        stored["bias_adu"],
        stored["bias_electron"],
        stored["dark"],
        {band: stored[f"flat_{i}"] for i, band in enumerate(filters)},
        {band: float(stored["level"][i]) for i, band in enumerate(filters)},
        EffectsTruth.from_arrays(stored),
    )
