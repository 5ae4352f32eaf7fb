"""A night at a simulated camera: exposures taken, spoiled where wanted, written, and their truth kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np

from fiducial.cameras.model import Amplifier, Camera
from fiducial.errors import UsageError
from fiducial.simulation.conditions import NightExposure, night_conditions
from fiducial.simulation.cosmic_rays import CosmicRays
from fiducial.simulation.faults import (
    DarkLabelledFlat,
    Fault,
    TruncatedFile,
    check_faults,
)
from fiducial.simulation.headers import HeaderWriter
from fiducial.simulation.inversion import WantedFacts
from fiducial.simulation.physics import SimulatedDetector, build_detector, expose, mean_vignetting
from fiducial.simulation.plan import ExposurePlan, NightPlan, exposures_of
from fiducial.simulation.truth import ExposureTruth, NightSummary, NightTruth, save_truth, truth_of
from fiducial.simulation.writer import HduKey, file_bytes, files_of, pixel_dtype, to_integers, write_file


def simulate_night(
    camera: Camera,
    folder: str | os.PathLike[str],
    *,
    plan: NightPlan,
    seed: int,
    faults: Sequence[Fault] = (),
    threads: int = 2,
) -> NightTruth:
    """Simulate a night and write its raw frames, in the camera's own layout and keywords.

    Parameters
    ----------
    camera
        Any camera whose header rules can be inverted (not one that leaves them to a translator).
    folder
        Where the frames go; it is made. The truth goes to ``truth/`` in it (`load_truth`).
    plan
        Which exposures, of which detectors, and the physics.
    seed
        Everything random depends on it alone: the same seed gives the same bytes.
    faults
        What goes wrong. The truth tells them.
    threads
        Files made at the same time; the result does not depend on it.

    Returns
    -------
    NightTruth
        The files in the order of the night, and what is true of them.

    Raises
    ------
    UsageError
        The plan names a detector that the camera lacks, or a fault an exposure that the night lacks.
    CameraError
        The camera's header rules cannot be inverted; the message names the fact.
    StorageError
        The disk is full, or the folder may not be written.
    """
    root = Path(folder)
    faults = tuple(faults)
    detectors = _detectors(camera, plan)
    filters = _filters(camera)
    exposures = exposures_of(plan, filters)
    check_faults(faults, exposures)
    bands = tuple(dict.fromkeys(e.filter for e in exposures))
    mean_light = mean_vignetting(camera, plan.physics)
    simulated = {d: build_detector(camera, d, plan.physics, seed, bands, mean_light) for d in detectors}
    headers = HeaderWriter(camera)
    night = night_conditions(camera, plan, exposures, faults, simulated, seed)
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        truths = list(pool.map(lambda e: _take(e, camera, plan, simulated, headers, root, seed), night))
    summary = NightSummary(camera=camera.name, seed=seed, plan=plan, faults=faults, exposures=tuple(truths))
    truth = NightTruth(root, summary, {d: truth_of(sim) for d, sim in simulated.items()})
    save_truth(truth)
    return truth


def _detectors(camera: Camera, plan: NightPlan) -> tuple[int, ...]:
    known = tuple(d.id for d in camera.detectors)
    wanted = known if plan.detectors is None else plan.detectors
    if unknown := set(wanted) - set(known):
        raise UsageError(
            f"{camera.name} has no detector {', '.join(map(str, sorted(unknown)))}",
            hint=f"Its detectors are {', '.join(map(str, known[:20]))}.",
        )
    return tuple(d for d in known if d in wanted)


def _filters(camera: Camera) -> tuple[str, ...]:
    """The camera's first two filters, or the only one that its headers can tell."""
    rule = camera.headers.filter
    if rule.value is not None:
        return (str(rule.value),)
    return tuple(camera.filters)[:2] or (str(rule.default or "none"),)


def _take(
    exposure: NightExposure,
    camera: Camera,
    plan: NightPlan,
    simulated: dict[int, SimulatedDetector],
    headers: HeaderWriter,
    root: Path,
    seed: int,
) -> ExposureTruth:
    """Expose all detectors, write their files, and say what is true."""
    files, rays = [], {}
    obs_id, number = "", 0
    for detectors in files_of(camera, tuple(simulated)):
        images: dict[HduKey, np.ndarray] = {}
        amplifiers: dict[HduKey, list[Amplifier]] = {}
        for detector in detectors:
            pixels, hit = expose(simulated[detector], exposure.went[detector])
            dtype = pixel_dtype(camera, detector, plan.pixel_type)
            images |= {key: to_integers(adu, dtype) for key, adu in pixels.items()}
            for amp in camera.amplifiers(detector):
                amplifiers.setdefault(amp.hdu, []).append(amp)
            rays[detector] = hit
        written = headers.write(_wanted(exposure, detectors, plan), images, plan.compression)
        alone = {key: amps[0] for key, amps in amplifiers.items() if len(amps) == 1}
        data = file_bytes(images, written.cards, alone, plan.compression)
        path = root / written.folder / written.name
        write_file(path, _cut(data, exposure.faults, detectors))
        files.append(str(path.relative_to(root)))
        obs_id, number = written.facts.obs_id, written.facts.exposure
    return _truth(exposure, tuple(files), obs_id, number, simulated, rays)


def _cut(data: bytes, faults: tuple[Fault, ...], detectors: tuple[int, ...]) -> bytes:
    for fault in faults:
        if isinstance(fault, TruncatedFile) and (fault.detector is None or fault.detector in detectors):
            return data[: int(fault.fraction * len(data))]
    return data


def _wanted(exposure: NightExposure, detectors: tuple[int, ...], plan: NightPlan) -> WantedFacts:
    """What the header is to say; it does not know of faults."""
    planned = exposure.plan
    return WantedFacts(
        detectors=detectors,
        frame_type=planned.kind,
        day=plan.night,
        seq_num=planned.seq_num,
        begin=exposure.begin,
        end=exposure.begin + timedelta(seconds=planned.time),
        exposure_time=planned.time,
        dark_time=exposure.dark_time,
        filter=planned.filter,
        temperature=planned.temperature,
        program=plan.program,
        target="field" if planned.kind == "science" else planned.kind,
        reason=_reason(planned),
        photodiode=exposure.photodiode,
    )


def _reason(planned: ExposurePlan) -> str:
    if planned.ramp:
        return "ramp"
    return "object" if planned.kind == "science" else planned.kind


def _truth(
    exposure: NightExposure,
    files: tuple[str, ...],
    obs_id: str,
    number: int,
    simulated: dict[int, SimulatedDetector],
    rays: dict[int, CosmicRays],
) -> ExposureTruth:
    planned = exposure.plan
    dark = any(isinstance(fault, DarkLabelledFlat) for fault in exposure.faults)
    first = next(iter(exposure.went.values()))
    return ExposureTruth(
        index=planned.index,
        exposure=number,
        obs_id=obs_id,
        kind="dark" if dark else planned.kind,
        frame_type=planned.kind,
        number=planned.number,
        filter=planned.filter,
        files=files,
        time=first.exposed,
        dark_time=first.dark_time,
        dark_scale=first.dark_scale,
        temperature=planned.temperature,
        lamp=exposure.lamp,
        electrons={d: c.light * simulated[d].level[c.filter] for d, c in exposure.went.items()},
        drift={d: c.drift for d, c in exposure.went.items()},
        cosmic_rays={d: hit.count for d, hit in rays.items()},
        faults=tuple(fault.fault for fault in exposure.faults),
        gain_scale={d: c.gain_scale for d, c in exposure.went.items() if c.gain_scale},
        offsets={d: c.offsets for d, c in exposure.went.items() if c.offsets},
        photodiode=exposure.photodiode,
    )
