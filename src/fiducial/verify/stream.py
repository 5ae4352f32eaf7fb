"""All frames of one detector against one master: corrected, measured and let go one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fiducial.corrections.chain import masters_of
from fiducial.corrections.masters import Master
from fiducial.errors import CalibrationMismatch, FrameError
from fiducial.products.metadata import InputNote, read_inputs
from fiducial.verify.detrend import (
    CorrectedAmplifier,
    Detrender,
    chain_names,
    copy_settings,
    second_method,
    settings_as_master,
    world_of_master,
)
from fiducial.verify.expected import ReadNoise
from fiducial.verify.measure import (
    AmplifierFrame,
    DetectorMeasurements,
    FrameContext,
    MasterWindow,
    measure_detector,
)
from fiducial.verify.opening import Offered, mjd_of, role_of
from fiducial.verify.read_noise import PairNoises, read_noise_of_bias
from fiducial.verify.residual_stack import ResidualGatherer
from fiducial.verify.rows import FrameIdentity, Row
from fiducial.verify.shares import InputWeights, left_over
from fiducial.verify.window import Previous

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier, Camera
    from fiducial.corrections.frame import DetectorFrame
    from fiducial.frames.records import FrameRecord
    from fiducial.products.residuals import ResidualStack
    from fiducial.verify.criteria import ExpectedOutliers

SQUARE_CENTIMETRE = 1e8
"""Square micrometres."""


@dataclass(frozen=True)
class MeasureSettings:
    """How frames are measured; see `fiducial.verify.tasks_measure.VerifyConfig`."""

    kind: str
    chain: tuple[str, ...]
    corrections: Any
    second_overscan: bool
    expected_outliers: ExpectedOutliers
    threads: int = 1
    match_state: bool = True


@dataclass(frozen=True)
class Bench:
    """What all frames of the detector are measured with."""

    camera: Camera
    detector: int
    physical_filter: str
    master: Master
    masters: Mapping[str, Master]
    inputs: Mapping[int, InputNote]
    weights: InputWeights | None
    detrender: Detrender
    second: Detrender | None
    settings: MeasureSettings

    @property
    def unit(self) -> str:
        """Of the residuals."""
        return self.detrender.chain.world


def measure_frames(
    offered: Sequence[Offered],
    *,
    camera: Camera,
    detector: int,
    masters: Mapping[str, Master],
    records: Mapping[int, FrameRecord],
    first: frozenset[int],
    physical_filter: str,
    settings: MeasureSettings,
    log: Any,
) -> tuple[list[Row], ResidualStack]:
    """Measure every frame; one that cannot be measured has a row that says why.

    Parameters
    ----------
    offered
        In the order in which they were taken: pairs are made of neighbours.
    camera, detector, physical_filter
        What they are of.
    masters
        By kind.
    records
        What ingest noted, by exposure; frames without have their headers read.
    first
        First exposures of their sets.
    settings
        How to measure.
    log
        Told of every frame.
    """
    bench = make_bench(camera, detector, masters, physical_filter, settings)
    amplifiers = camera.amplifiers(detector)
    gatherer = ResidualGatherer(
        bench.unit,
        camera.layout(detector).shape,
        {amp.name: amp.detector for amp in amplifiers},
        second_overscan=bench.second.method if bench.second else "",
        offered=len(offered),
    )
    references = _read_noises(bench, offered, records)
    rows: list[Row] = []
    previous: Sequence[Previous | None] | None = None
    for one in offered:
        role = role_of(one.exposure, one.begin, bench.inputs, first)
        try:
            frame = one.open(camera, detector, records.get(one.exposure))
            if settings.match_state:
                bench.master.require_state(frame)
            corrected = bench.detrender.correct(frame)
            again = bench.second.correct(frame) if bench.second else None
        except (FrameError, CalibrationMismatch) as error:
            identity = FrameIdentity(settings.kind, one.exposure, detector, physical_filter, np.nan, role)
            rows.append(identity.problem(error.message))
            log.warning("exposure %d is set aside: %s", one.exposure, error.message)
            continue
        identity = FrameIdentity(
            settings.kind, one.exposure, detector, physical_filter, mjd_of(frame.facts), role
        )
        found = measure_one(bench, frame, corrected, references.of(one.exposure), previous)
        subjects = dict(zip([c.segment.amplifier.name for c in corrected], found.subjects, strict=True))
        rows += [identity.row(name, measured, subjects.get(name)) for name, measured in found.measurements]
        second = _second_residuals(bench, again) if again else None
        gatherer.add(identity, found.scale, {n: s.residual for n, s in subjects.items()}, second)
        if role != "first":  # its own faults would show in the pair
            previous = [Previous(s.signal, s.residual.usable, s.scale) for s in found.subjects]
        log.info("exposure %d measured (%s)", one.exposure, role)
    return rows, gatherer.product(settings.kind, detector, physical_filter)


def make_bench(
    camera: Camera,
    detector: int,
    masters: Mapping[str, Master],
    physical_filter: str,
    settings: MeasureSettings,
) -> Bench:
    """Build the chains, and read from the master what it is made of."""
    master = masters[settings.kind]
    world = world_of_master(master)
    names = chain_names(settings.kind, master, settings.chain, world)
    config = settings_as_master(settings.corrections, master)
    before = {k: masters[k] for k in masters_of(names, config) if k in masters and k != settings.kind}

    def detrender(corrections: Any) -> Detrender:
        return Detrender(names, corrections, camera=camera, detector=detector, masters=before)

    own = detrender(config)
    second = None
    if settings.second_overscan and own.method != "none" and _has_overscan(camera, detector):
        other = copy_settings(config)
        other.overscan.method = second_method(own.method)
        second = detrender(other)
    notes = read_inputs(master.metadata)
    return Bench(
        camera,
        detector,
        physical_filter,
        master,
        before,
        {note.exposure: note for note in notes},
        InputWeights.of(settings.kind, notes),
        own,
        second,
        settings,
    )


def _has_overscan(camera: Camera, detector: int) -> bool:
    return any(amp.serial_overscan is not None for amp in camera.amplifiers(detector))


def _read_noises(bench: Bench, offered: Sequence[Offered], records: Mapping[int, FrameRecord]) -> PairNoises:
    """Read noises of amplifiers without overscan: from biases that are not under test."""
    if bench.detrender.method != "none" and all(
        amp.serial_overscan is not None for amp in bench.camera.amplifiers(bench.detector)
    ):
        return PairNoises()
    if bench.settings.kind == "bias":
        return PairNoises.among(offered, bench.detrender, bench.camera, bench.detector, records)
    bias = bench.masters.get("bias")
    return PairNoises(common=read_noise_of_bias(bias, bench.camera, bench.detector) if bias else {})


def measure_one(
    bench: Bench,
    frame: DetectorFrame,
    corrected: Sequence[CorrectedAmplifier],
    pairs: Mapping[str, ReadNoise],
    previous: Sequence[Previous | None] | None,
) -> DetectorMeasurements:
    """Measure one corrected frame."""
    kind, facts = bench.settings.kind, frame.facts
    scale = facts.dark_time if kind == "dark" else 1.0
    outliers = bench.settings.expected_outliers
    context = FrameContext(
        kind=kind,
        unit=bench.unit,
        in_master=facts.exposure in bench.inputs,
        scale=scale,
        cosmic_rays=outliers.cosmic_ray_pixels(1.0, max(facts.exposure_time, facts.dark_time)),
        defect_fraction=outliers.defect_fraction,
    )
    frames = [_amplifier_frame(bench, frame, one, pairs.get(one.segment.amplifier.name)) for one in corrected]
    windows = [
        _master_window(bench, frame, one, amplifier, scale)
        for one, amplifier in zip(corrected, frames, strict=True)
    ]
    return measure_detector(context, frames, windows, previous, bench.settings.threads)


def _amplifier_frame(
    bench: Bench, frame: DetectorFrame, corrected: CorrectedAmplifier, pairs: ReadNoise | None
) -> AmplifierFrame:
    amp: Amplifier = corrected.segment.amplifier
    where = corrected.segment.place.slices
    electrons = bench.unit == "electron"
    dark = bench.masters.get("dark")
    pixel = bench.camera.layout(bench.detector).pixel_size
    return AmplifierFrame(
        name=amp.name,
        signal=corrected.segment.image,
        usable=corrected.usable & (bench.master.mask[where] == 0),
        certified=ReadNoise(amp.read_noise if electrons else amp.read_noise / amp.gain, 0.0, "certified"),
        own=corrected.own,
        pairs=pairs if corrected.own is None else None,
        overscan=corrected.overscan,
        electrons_per_unit=1.0 if electrons else amp.gain,
        gain=amp.gain,
        a00=amp.a00,
        dark_signal=dark.image[where] * np.float32(frame.facts.dark_time) if dark else 0.0,
        area=corrected.usable.size * pixel**2 / SQUARE_CENTIMETRE,
    )


def _master_window(
    bench: Bench,
    frame: DetectorFrame,
    corrected: CorrectedAmplifier,
    amplifier: AmplifierFrame,
    scale: float,
) -> MasterWindow:
    where = corrected.segment.place.slices
    image, usable = bench.master.image[where], amplifier.usable
    fraction = None
    if bench.settings.kind == "flat" and usable.any():
        lit = usable & (image > 0)
        scale = float(np.median(amplifier.signal[lit] / image[lit])) if lit.any() else 1.0
    if bench.weights is not None and usable.any():
        read_noise = amplifier.own or amplifier.pairs or amplifier.certified
        added = amplifier.overscan.pixel if amplifier.overscan else 0.0
        unit_signal = 0.0
        if bench.settings.kind != "bias":
            unit_signal = float(np.mean(image[usable], dtype=np.float64)) / amplifier.electrons_per_unit
        fraction = bench.weights.fraction(scale, read_noise.value**2 + added, unit_signal)
    common: Any = 0.0
    for master, factor in left_over(
        bench.settings.kind,
        bench.weights,
        dict(bench.masters),
        under_test=bench.master,
        scale=scale,
        time=frame.facts.dark_time,
    ):
        if factor > 0:
            common = common + np.float32(factor) * master.variance[where]
    return MasterWindow(image, bench.master.variance[where], common, fraction)


def _second_residuals(bench: Bench, corrected: Sequence[CorrectedAmplifier]) -> dict[str, Any]:
    """Residuals of biases under the second overscan model, by amplifier."""
    out = {}
    for one in corrected:
        where = one.segment.place.slices
        usable = one.usable & (bench.master.mask[where] == 0)
        out[one.segment.amplifier.name] = (one.segment.image - bench.master.image[where], usable)
    return out
