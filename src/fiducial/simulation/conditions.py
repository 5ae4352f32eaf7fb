"""How each exposure of a night goes: the clock, the lamp, the bias level's drift, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import numpy as np

from fiducial.cameras.model import Camera
from fiducial.simulation.effects.gain_drift import gain_scales
from fiducial.simulation.effects.offsets import offsets
from fiducial.simulation.faults import (
    DarkLabelledFlat,
    Fault,
    FirstExposureStripes,
    LampFailure,
    SaturatedFlat,
    ShiftedLevel,
    TruncatedFile,
    WrongExposureTime,
)
from fiducial.simulation.physics import Conditions, SimulatedDetector
from fiducial.simulation.plan import ExposurePlan, NightPlan
from fiducial.simulation.ramp import photodiode_charge
from fiducial.simulation.randomness import generator

_START = time(13, 0)  # TAI, of the first exposure: calibrations are taken in the afternoon
_GAP = 3.0  # s between exposures


@dataclass(frozen=True, slots=True)
class NightExposure:
    """One exposure as planned, as it went on each detector, and as its header tells it."""

    plan: ExposurePlan
    begin: datetime
    lamp: float
    went: dict[int, Conditions]
    faults: tuple[Fault, ...]
    dark_time: float  # s, what the header says
    photodiode: float | None = None  # charge, as measured; None: it was not read


def night_conditions(
    camera: Camera,
    plan: NightPlan,
    exposures: tuple[ExposurePlan, ...],
    faults: tuple[Fault, ...],
    simulated: dict[int, SimulatedDetector],
    seed: int,
) -> list[NightExposure]:
    """How each exposure goes on each detector, faults included."""
    physics = plan.physics
    clock = datetime.combine(plan.night, _START)
    # A camera whose header does not tell the dark time has none but the exposure time.
    overhead = physics.dark_overhead if camera.headers.dark_time is not None else 0.0
    lamps = _lamp(plan, exposures, seed)
    drifts = {d: _drift(physics.bias_drift, len(exposures), generator(seed, "drift", d)) for d in simulated}
    out = []
    for exposure in exposures:
        hits = tuple(fault for fault in faults if fault.hits(exposure))
        doublings = (exposure.temperature - plan.temperatures[0]) / physics.dark_doubling
        dark_time = 0.0 if exposure.kind == "bias" else exposure.time + overhead
        lamp = lamps[exposure.index]
        clean = Conditions(
            index=plan.earlier + exposure.index,
            filter=exposure.filter,
            light=_light(exposure, plan) * lamp,
            scene_time=exposure.time if exposure.kind == "science" else 0.0,
            dark_time=dark_time,
            dark_scale=2.0**doublings,
            exposed=exposure.time,
        )
        went = {}
        for detector, sim in simulated.items():
            condition = _with_effects(clean, plan, exposure, sim, clock)
            condition = replace(condition, drift=float(drifts[detector][exposure.index]))
            for fault in hits:
                if fault.detector in (None, detector):
                    condition = _spoiled(condition, fault, sim)
            went[detector] = condition
        photodiode = None
        if plan.ramp is not None and exposure.ramp:
            photodiode = photodiode_charge(plan.ramp, clean.light, seed, exposure.index)
        out.append(NightExposure(exposure, clock, lamp, went, hits, dark_time, photodiode))
        clock += timedelta(seconds=exposure.time + physics.readout + _GAP)
    return out


def _light(exposure: ExposurePlan, plan: NightPlan) -> float:
    """Electrons / pixel of a flat at the lamp's nominal brightness: a shutter adds to a ramp's times."""
    if plan.ramp is None or not exposure.ramp:
        return exposure.electrons
    return max(0.0, exposure.time + plan.ramp.shutter) * plan.ramp.rate


def _with_effects(
    condition: Conditions, plan: NightPlan, exposure: ExposurePlan, sim: SimulatedDetector, clock: datetime
) -> Conditions:
    """The conditions with the gains and offsets that each amplifier has in this exposure."""
    effects, count = plan.physics.effects, len(sim.truths)
    if (drift := effects.gain_drift) is not None:
        hours = (clock - datetime.combine(plan.night, _START)).total_seconds() / 3600.0
        degrees = exposure.temperature - plan.temperatures[0]
        scales = gain_scales(drift, count, exposure.index, hours, degrees, sim.seed, sim.detector)
        condition = replace(condition, gain_scale=scales)
    if (pedestals := effects.amplifier_offsets) is not None:
        lit = condition.light > 0 or condition.scene_time > 0
        added = offsets(pedestals, count, exposure.index, lit, sim.seed, sim.detector)
        condition = replace(condition, offsets=added)
    return condition


def _lamp(plan: NightPlan, exposures: tuple[ExposurePlan, ...], seed: int) -> dict[int, float]:
    """Brightness of the lamp in each exposure: it drifts over the flats of the night, with noise."""
    flats = [e.index for e in exposures if e.kind == "flat"]
    rng = generator(seed, "lamp")
    lamp = {e.index: 0.0 for e in exposures}
    for rank, index in enumerate(flats):
        drift = plan.physics.lamp_drift * (rank / max(1, len(flats) - 1) - 0.5)
        lamp[index] = (1.0 + drift) * (1.0 + plan.physics.lamp_noise * float(rng.standard_normal()))
    return lamp


def _drift(sigma: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """The bias level's wandering: steps of sigma, pulled back by a tenth each time."""
    drift = np.zeros(count)
    for k in range(1, count):
        drift[k] = 0.9 * drift[k - 1] + sigma * rng.standard_normal()
    return drift


def _spoiled(condition: Conditions, fault: Fault, sim: SimulatedDetector) -> Conditions:
    """The conditions with one fault."""
    match fault:
        case FirstExposureStripes():
            return replace(condition, stripes=fault.adu, stripe_period=fault.period)
        case DarkLabelledFlat():
            return replace(condition, light=0.0)
        case LampFailure():
            return replace(condition, light=condition.light * fault.fraction)
        case SaturatedFlat():
            full = max(truth.saturation * truth.gain for truth in sim.truths)
            darkest = min(float(np.percentile(r, 1)) for r in sim.response.values())
            return replace(condition, light=2.0 * full / max(darkest, 0.05))
        case WrongExposureTime():
            overhead = condition.dark_time - condition.exposed
            return replace(
                condition,
                light=condition.light * fault.factor,
                scene_time=condition.scene_time * fault.factor,
                dark_time=condition.exposed * fault.factor + overhead,
                exposed=condition.exposed * fault.factor,
            )
        case ShiftedLevel(in_overscan=True):
            return replace(condition, drift=condition.drift + fault.adu)
        case ShiftedLevel():
            return replace(condition, shift=condition.shift + fault.adu)
        case TruncatedFile():
            return condition
