"""What a simulated night is: which exposures, and the physics of the camera that takes them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from fiducial.simulation.effects.settings import Effects
from fiducial.simulation.ramp import Ramp, ramp_times
from fiducial.simulation.settings import Strict


class Physics(Strict):
    """How the simulated camera behaves. Scatters are relative and drawn once per camera and seed."""

    gain_scatter: float = Field(default=0.02, ge=0, le=0.3)  # of amplifiers about the camera's values
    read_noise_scatter: float = Field(default=0.05, ge=0, le=0.3)
    bias_level: float = Field(default=1000.0, ge=0)  # adu
    bias_level_scatter: float = Field(default=20.0, ge=0)  # adu, of amplifiers
    bias_structure: float = Field(default=1.5, ge=0)  # adu, amplitude of smooth structure and corner glow
    bias_columns: float = Field(default=0.4, ge=0)  # adu, sigma of the fixed column pattern
    row_ramp: float = Field(default=3.0)  # adu, along the rows; image and overscan have it in common
    column_ramp: float = Field(default=0.6)  # adu, along a row from the first pixel read to the last
    bias_drift: float = Field(default=0.3, ge=0)  # adu, sigma of the level's step from frame to frame
    deferred_charge: float = Field(default=0.0, ge=0)  # of the last pixel, into the first overscan column
    dark_rate: float = Field(default=0.04, ge=0)  # electron / s / pixel at the reference temperature
    dark_doubling: float = Field(default=6.0, gt=0)  # degree Celsius that double the dark current
    hot_fraction: float = Field(default=5e-4, ge=0, le=0.2)  # of pixels
    hot_rate: float = Field(default=4.0, ge=0)  # electron / s, mean of the exponential of hot pixels
    dark_overhead: float = Field(default=0.5, ge=0)  # s of dark time beyond the exposure (not for biases)
    pixel_response: float = Field(default=0.007, ge=0, le=0.1)  # sigma of pixel to pixel response
    amplifier_response: float = Field(default=0.002, ge=0, le=0.1)  # sigma between amplifiers
    detector_response: float = Field(default=0.02, ge=0, le=0.2)  # sigma between detectors
    vignetting: float = Field(default=0.12, ge=0, lt=1)  # loss at the corner of the focal plane
    dust_spots: int = Field(default=6, ge=0)  # per detector and filter
    dust_depth: float = Field(default=0.03, ge=0, lt=1)
    lamp_drift: float = Field(default=0.01, ge=-0.5, le=0.5)  # relative change of the lamp over its flats
    lamp_noise: float = Field(default=0.003, ge=0, le=0.3)  # relative, from flat to flat
    cosmic_rays: float = Field(default=0.03, ge=0)  # events / cm2 / s
    readout: float = Field(default=2.0, ge=0)  # s during which cosmic rays still hit
    sky_rate: float = Field(default=8.0, ge=0)  # electron / s / pixel in science frames
    stars: int = Field(default=12, ge=0)  # per detector
    star_flux: float = Field(default=3e4, ge=0)  # electron / s, of the brightest
    seeing: float = Field(default=3.0, gt=0)  # pixels, full width at half maximum
    effects: Effects = Effects()  # what else detectors do; none of it unless it is asked for


class NightPlan(Strict):
    """The exposures of a night, in order: biases, darks, flats by filter, science, then the next temperature.

    Counts are per temperature; flats per filter and wanted level; darks per time.
    """

    night: date = date(2026, 1, 15)
    detectors: tuple[int, ...] | None = None  # ids; None: all
    temperatures: tuple[float, ...] = Field(default=(-100.0,), min_length=1)  # degree Celsius, setpoints
    biases: int = Field(default=25, ge=0)
    darks: int = Field(default=20, ge=0)
    dark_times: tuple[float, ...] = (60.0,)  # s
    flats: int = Field(default=15, ge=0)
    flat_time: float = Field(default=5.0, gt=0)  # s
    flat_electrons: tuple[float, ...] = (20000.0,)  # mean level wanted, electron / pixel
    filters: tuple[str, ...] | None = None  # of flats and science; None: those of the camera file
    ramp: Ramp | None = None  # pairs of flats of many levels, per filter, after its flats
    science: int = Field(default=3, ge=0)  # per filter
    science_time: float = Field(default=120.0, gt=0)  # s
    first_sequence: int = Field(default=1, ge=0)
    earlier: int = Field(default=0, ge=0)  # exposures before this night: with one seed they draw other noise
    program: str = "CALIB"
    compression: Literal["none", "rice", "gzip"] = "none"
    pixel_type: Literal["auto", "uint16", "int32"] = "auto"  # auto: uint16 where the saturation allows it
    physics: Physics = Physics()


class ExposurePlan(Strict):
    """One exposure of the night as it is wanted: what a fault then spoils is not told here."""

    index: int  # in the night, from 0
    kind: Literal["bias", "dark", "flat", "science"]
    number: int  # among those of its kind in the night, from 0
    number_in_filter: int  # among those of its kind and filter, from 0
    seq_num: int
    time: float  # s
    filter: str
    temperature: float
    electrons: float  # wanted mean level of a flat; 0 for other kinds
    ramp: bool = False  # whether it is one of the ramp's flats


def exposures_of(plan: NightPlan, filters: tuple[str, ...]) -> tuple[ExposurePlan, ...]:
    """All exposures of a plan in the order of the night; ``filters`` where the plan names none."""
    wanted: list[tuple[Literal["bias", "dark", "flat", "science"], float, str, float, float, bool]] = []
    bands = plan.filters if plan.filters is not None else filters
    parked = bands[0] if bands else "none"  # the filter that happens to be in while the shutter is closed
    for temperature in plan.temperatures:
        wanted += [("bias", 0.0, parked, temperature, 0.0, False)] * plan.biases
        for time in plan.dark_times:
            wanted += [("dark", time, parked, temperature, 0.0, False)] * plan.darks
        for band in bands:
            for level in plan.flat_electrons:
                wanted += [("flat", plan.flat_time, band, temperature, level, False)] * plan.flats
            if plan.ramp is not None:
                wanted += [
                    ("flat", time, band, temperature, time * plan.ramp.rate, True)
                    for time in ramp_times(plan.ramp)
                ]
        for band in bands:
            wanted += [("science", plan.science_time, band, temperature, 0.0, False)] * plan.science
    counts: dict[tuple[str, str | None], int] = {}
    out = []
    for index, (kind, time, band, temperature, level, ramp) in enumerate(wanted):
        number, in_filter = counts.get((kind, None), 0), counts.get((kind, band), 0)
        counts[kind, None], counts[kind, band] = number + 1, in_filter + 1
        out.append(
            ExposurePlan(
                index=index,
                kind=kind,
                number=number,
                number_in_filter=in_filter,
                seq_num=plan.first_sequence + index,
                time=time,
                filter=band,
                temperature=temperature,
                electrons=level,
                ramp=ramp,
            )
        )
    return tuple(out)
