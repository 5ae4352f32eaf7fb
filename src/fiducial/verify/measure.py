"""From corrected pixels of one frame and a master to measurements: arrays only, no file and no middleware."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fiducial.verify.checks import Measurement, amplifier_checks, detector_checks
from fiducial.verify.checks.ratio import FlatLevel, level_of
from fiducial.verify.expected import (
    OverscanError,
    ReadNoise,
    frame_variance,
    master_fraction,
    photon_share,
    residual_factor,
)
from fiducial.verify.flat_scale import fit_level, refine_level
from fiducial.verify.window import Previous, References, Residual, Subject

SMALLEST_FACTOR = 0.02
"""Below this share of its noise a frame is the master itself: nothing can be measured."""

FAINTEST = 5.0
"""Pixels of a flat fainter than so many sigma are left out: their ratio to the master says nothing."""


@dataclass(frozen=True)
class AmplifierFrame:
    """One amplifier of one frame, corrected as its kind needs and put together.

    Parameters
    ----------
    name
        Of the amplifier.
    signal
        F, shape (ny, nx): overscan subtracted, for darks the bias too, for flats bias and dark.
    usable
        Pixels that no mask excludes.
    own
        Read noise of the frame's own overscan; None where there is none.
    pairs
        Read noise from biases that are not under test; for cameras without overscan.
    certified
        The certified or nominal read noise.
    overscan
        What the overscan model added; None: no overscan.
    electrons_per_unit, gain
        1 (electrons) or the gain (adu); and the nominal gain, electron/adu.
    a00
        1/electron; None: unknown.
    dark_signal
        Dark charge that was in the signal before it was subtracted (flats), unit of the pixels.
    area
        Of the amplifier, cm^2.
    """

    name: str
    signal: NDArray[np.float32]
    usable: NDArray[np.bool_]
    certified: ReadNoise
    own: ReadNoise | None = None
    pairs: ReadNoise | None = None
    overscan: OverscanError | None = None
    electrons_per_unit: float = 1.0
    gain: float = 1.0
    a00: float | None = None
    dark_signal: NDArray[np.float32] | float = 0.0
    area: float = 0.0


@dataclass(frozen=True)
class MasterWindow:
    """The master behind one amplifier.

    Parameters
    ----------
    image
        M, shape (ny, nx): a bias, a dark rate per second or a flat.
    variance
        V_M, shape (ny, nx), without what ``common`` holds.
    common
        Variance of masters used before (the bias of a dark), as far as it does not cancel in the
        residual, already in the unit of the frame squared: shape (ny, nx) or 0.
    fraction
        E^2 V_M / V, where it is known from how the inputs added up; None: from ``variance``.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    common: NDArray[np.float32] | float = 0.0
    fraction: float | None = None


@dataclass(frozen=True)
class FrameContext:
    """What holds for the whole frame.

    Parameters
    ----------
    kind
        ``bias``, ``dark`` or ``flat``.
    unit
        ``electron`` or ``adu``.
    in_master
        Whether the frame is one of the master's inputs.
    scale
        E: 1 for biases, the dark time (s) for darks; of flats it is fitted.
    cosmic_rays
        Pixels expected to be hit, per cm^2, during exposure and readout.
    defect_fraction
        Share of pixels known to be unstable that no mask excludes.
    """

    kind: str
    unit: str
    in_master: bool
    scale: float = 1.0
    cosmic_rays: float = 0.0
    defect_fraction: float = 0.0


@dataclass(frozen=True)
class DetectorMeasurements:
    """What was measured of one frame: by amplifier ("" is the whole detector), and the residuals."""

    scale: float
    measurements: tuple[tuple[str, Measurement], ...]
    subjects: tuple[Subject, ...]


def measure_detector(
    context: FrameContext,
    frames: Sequence[AmplifierFrame],
    masters: Sequence[MasterWindow],
    previous: Sequence[Previous | None] | None = None,
    threads: int = 1,
) -> DetectorMeasurements:
    """Measure all amplifiers of one frame against the master.

    Parameters
    ----------
    context
        What holds for the whole frame.
    frames, masters
        One per amplifier, in the same order.
    previous
        The same amplifiers of the frame before; None: there is none.
    threads
        Amplifiers measured at a time; the result is the same for any number.
    """
    before = previous or [None] * len(frames)
    checks = amplifier_checks(context.kind)

    def measure(
        frame: AmplifierFrame, master: MasterWindow, earlier: Previous | None
    ) -> tuple[Subject, list[Measurement]]:
        subject = subject_of(context, frame, master, earlier)
        return subject, [one for check in checks for one in check.measure(subject)]

    if threads > 1:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            measured = list(pool.map(measure, frames, masters, before))
    else:
        measured = list(map(measure, frames, masters, before))
    subjects = [subject for subject, _ in measured]
    found = [(frame.name, one) for frame, (_, ones) in zip(frames, measured, strict=True) for one in ones]
    for check in detector_checks(context.kind):
        ratios = check.measure(subjects)
        found.extend((frame.name, one) for frame, one in zip(frames, ratios, strict=True))
    scale = context.scale
    if context.kind == "flat":
        level = combined_level([level_of(subject) for subject in subjects])
        scale = level.value
        whole = Measurement(
            "flat_level",
            level.value,
            level.error,
            context.unit,
            level.n_pixels,
            applicable=level.n_pixels > 0,
        )
        found.append(("", whole))
    return DetectorMeasurements(scale, tuple(found), tuple(subjects))


def combined_level(levels: Sequence[FlatLevel]) -> FlatLevel:
    """The level of a detector: the mean of its amplifiers, weighted by their pixels."""
    known = [level for level in levels if level.n_pixels > 0 and math.isfinite(level.value)]
    pixels = sum(level.n_pixels for level in known)
    if pixels == 0:
        return FlatLevel(math.nan, math.nan, 0)
    value = sum(level.value * level.n_pixels for level in known) / pixels
    error = math.sqrt(sum((level.error * level.n_pixels) ** 2 for level in known)) / pixels
    return FlatLevel(value, error, pixels)


def subject_of(
    context: FrameContext, frame: AmplifierFrame, master: MasterWindow, previous: Previous | None = None
) -> Subject:
    """The residual of one amplifier with its expected sigma: r = F - E M.

    For flats E is fitted to the amplifier, so that an amplifier whose ratio to the master has changed fails
    the amplifier ratio, and not every other test too.
    """
    usable = frame.usable & np.isfinite(frame.signal) & np.isfinite(master.image)
    read_noise = frame.own or frame.pairs or frame.certified
    scale = fit_level(frame.signal, master.image, usable) if context.kind == "flat" else context.scale
    model = np.float32(scale) * master.image
    variance, factor = _variance(context, frame, master, read_noise, scale, model, usable)
    if context.kind == "flat":
        usable = usable & (model > FAINTEST * np.sqrt(variance))
        scale = refine_level(frame.signal, master.image, variance, usable, scale)
        model = np.float32(scale) * master.image
        variance, factor = _variance(context, frame, master, read_noise, scale, model, usable)
    sigma = np.sqrt(np.maximum(variance, np.float32(1e-20)))
    if factor < SMALLEST_FACTOR:
        usable = np.zeros_like(usable)
    residual = Residual(
        residual=frame.signal - model,
        sigma=sigma,
        usable=usable,
        unit=context.unit,
        read_noise=read_noise,
        overscan=frame.overscan,
        factor=factor,
        model=model if context.kind == "flat" else None,
    )
    references = References(
        certified=frame.certified,
        electrons_per_unit=frame.electrons_per_unit,
        gain=frame.gain,
        known_defects=context.defect_fraction * int(np.count_nonzero(usable)),
        cosmic_ray_pixels=context.cosmic_rays * frame.area,
        unknown_a00_signal=_a00_signal(context, frame, residual, model),
        no_read_noise=""
        if (frame.own or frame.pairs)
        else "no overscan, and no biases that are not under test",
        a00=frame.a00,
    )
    return Subject(residual, references, frame.signal, master.image, scale, previous)


def _variance(
    context: FrameContext,
    frame: AmplifierFrame,
    master: MasterWindow,
    read_noise: ReadNoise,
    scale: float,
    model: NDArray[np.float32],
    usable: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], float]:
    """Expected variance of the residual, and the factor that the master's noise makes."""
    signal: NDArray[np.float32] | float = 0.0
    if context.kind == "dark":
        signal = model
    elif context.kind == "flat":
        signal = model + frame.dark_signal
    single = frame_variance(
        read_noise=read_noise.value,
        signal=signal,
        electrons_per_unit=frame.electrons_per_unit,
        a00=frame.a00,
        overscan_variance=frame.overscan.pixel if frame.overscan else 0.0,
        shape=(model.shape[0], model.shape[1]),
    )
    fraction = master.fraction
    if fraction is None:
        fraction = master_fraction(np.float32(scale**2) * master.variance, single, usable)
    factor = residual_factor(fraction, context.in_master)
    return single * np.float32(factor) + master.common, factor


def _a00_signal(
    context: FrameContext, frame: AmplifierFrame, residual: Residual, model: NDArray[np.float32]
) -> float:
    if context.kind != "flat" or frame.a00 is not None or residual.n_kept == 0:
        return 0.0
    kept = residual.kept
    floor = residual.read_noise.value**2 + (frame.overscan.pixel if frame.overscan else 0.0)
    own = np.float32(1.0 / max(residual.factor, SMALLEST_FACTOR))
    single = np.square(residual.sigma[kept]) * own
    return photon_share(single, floor, model[kept], frame.electrons_per_unit)
