"""The readout of a simulated detector: gain, noise, levels and the fixed pattern of its biases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fiducial.cameras.model import Amplifier, Camera, OverscanDefaults
from fiducial.cameras.regions import Region
from fiducial.frames.content import overscan_used
from fiducial.simulation.plan import Physics
from fiducial.simulation.randomness import generator


@dataclass(frozen=True, slots=True)
class AmplifierTruth:
    """What one amplifier really does."""

    name: str
    gain: float  # electron / adu
    read_noise: float  # electron
    bias_level: float  # adu
    saturation: float  # adu
    nominal_gain: float  # as the camera file has it
    nominal_read_noise: float


@dataclass(frozen=True, slots=True)
class HduElectronics:
    """Maps of one raw HDU, in the orientation of the file: (rows, columns) float32."""

    fixed: np.ndarray  # adu, the mean of many biases without drift
    noise: np.ndarray  # adu, sigma of the read noise


def amplifier_truths(
    camera: Camera, detector: int, physics: Physics, seed: int
) -> tuple[AmplifierTruth, ...]:
    """Gain, read noise and bias level of each amplifier: the camera's values with their scatter."""
    truths = []
    for number, amp in enumerate(camera.amplifiers(detector)):
        z = generator(seed, "amplifier", detector, number).standard_normal(3)
        truths.append(
            AmplifierTruth(
                amp.name,
                amp.gain * float(np.exp(physics.gain_scatter * z[0])),
                amp.read_noise * float(np.exp(physics.read_noise_scatter * z[1])),
                max(0.0, physics.bias_level + physics.bias_level_scatter * float(z[2])),
                amp.saturation,
                amp.gain,
                amp.read_noise,
            )
        )
    return tuple(truths)


def build_electronics(
    camera: Camera, detector: int, truths: tuple[AmplifierTruth, ...], physics: Physics, seed: int
) -> dict[int | str | None, HduElectronics]:
    """The fixed pattern and noise of every raw HDU of a detector, by the HDU's index or name."""
    shape = camera.layout(detector).raw_shape
    out: dict[int | str | None, HduElectronics] = {}
    for number, (amp, truth) in enumerate(zip(camera.amplifiers(detector), truths, strict=True)):
        if amp.hdu not in out:  # pixels that belong to no section have the first amplifier's level
            out[amp.hdu] = HduElectronics(
                np.full(shape, truth.bias_level, np.float32),
                np.full(shape, truth.read_noise / truth.gain, np.float32),
            )
        maps = out[amp.hdu]
        pattern = _Pattern(amp, physics, generator(seed, "bias pattern", detector, number))
        for section, is_image, is_parallel in sections(amp):
            maps.fixed[section.slices] = truth.bias_level + pattern.of(section, is_image, is_parallel)
            maps.noise[section.slices] = truth.read_noise / truth.gain
    return out


def true_bias(amp: Amplifier, maps: HduElectronics, settings: OverscanDefaults) -> np.ndarray:
    """The bias of an amplifier's data (adu, raw orientation) as a perfect master would have it.

    Where the amplifier has a serial overscan, the mean of each row's overscan (without the skipped
    columns) is subtracted, as any model of the overscan does that follows its rows; without one, or
    with the method ``none``, the level stays in. Where the camera also subtracts the parallel
    overscan, so is the mean of each of its columns.
    """
    bias = _without_rows(amp.data, amp, maps, settings)
    if settings.parallel and amp.parallel_overscan is not None and settings.method != "none":
        bias -= _without_rows(amp.parallel_overscan, amp, maps, settings).mean(axis=0)
    return bias


def _without_rows(
    section: Region, amp: Amplifier, maps: HduElectronics, settings: OverscanDefaults
) -> np.ndarray:
    """A section minus the mean of its rows' serial overscan."""
    pixels = maps.fixed[section.slices].astype(np.float64)
    area = overscan_used(amp, settings)
    if area is None or settings.method == "none":
        return pixels
    beside = maps.fixed[section.y0 : section.y1, area.x0 : area.x1]
    return pixels - beside.mean(axis=1, dtype=np.float64)[:, None]


def readout_order(amp: Amplifier, section: Region) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of a section's pixels counted in readout order from the first data pixel read.

    Prescan columns are negative; overscan columns follow the data wherever they stand in the file.
    """
    from_top = amp.read_corner in ("UL", "UR")
    from_right = amp.read_corner in ("LR", "UR")
    y, x = np.arange(section.y0, section.y1), np.arange(section.x0, section.x1)
    rows = amp.data.y1 - 1 - y if from_top else y - amp.data.y0
    width = amp.data.x1 - amp.data.x0
    order = section.x1 - 1 - x if from_right else x - section.x0
    if _same_columns(section, amp.serial_overscan):
        columns = width + order
    elif _same_columns(section, amp.serial_prescan):
        columns = order - len(x)
    else:
        columns = amp.data.x1 - 1 - x if from_right else x - amp.data.x0
    return rows, columns


def sections(amp: Amplifier) -> list[tuple[Region, bool, bool]]:
    """Sections with whether they hold image, and whether they are parallel overscan."""
    sections = [(amp.data, True, False)]
    after = amp.parallel_overscan
    if after is not None:
        sections.append((after, False, True))
    for beside in (amp.serial_overscan, amp.serial_prescan):
        if beside is not None:
            sections.append((beside, False, False))
        if beside is not None and after is not None:  # the corner: its columns go on beside the rows after
            sections.append((Region(beside.x0, beside.x1, after.y0, after.y1), False, False))
    return sections


def _same_columns(section: Region, other: Region | None) -> bool:
    return other is not None and (section.x0, section.x1) == (other.x0, other.x1)


class _Pattern:
    """The fixed pattern of one amplifier as a function of readout row and column, without its level."""

    def __init__(self, amp: Amplifier, physics: Physics, rng: np.random.Generator) -> None:
        self._amp = amp
        self._ny, self._nx = amp.data.shape
        self._row_ramp = physics.row_ramp * rng.uniform(0.5, 1.5)
        self._column_ramp = physics.column_ramp * rng.uniform(0.5, 1.5)
        self._columns = physics.bias_columns * rng.standard_normal(self._nx)
        self._smooth = physics.bias_structure * rng.uniform(-1.0, 1.0, 5)
        self._glow = physics.bias_structure * rng.uniform(0.5, 2.0)

    def of(self, section: Region, is_image: bool, is_parallel: bool) -> np.ndarray:
        """Ramps everywhere; smooth structure and corner glow in the image; the columns' in both."""
        rows, columns = readout_order(self._amp, section)
        v, u = rows[:, None] / self._ny, columns[None, :] / self._nx
        pattern = self._row_ramp * (0.7 * np.exp(-4.0 * v) + 0.3 * v) + self._column_ramp * u
        if is_image:
            y, x = 2.0 * v - 1.0, 2.0 * u - 1.0
            a, b, c, d, e = self._smooth
            pattern = pattern + a * x + b * y + c * x * y + d * (x * x - 1 / 3) + e * (y * y - 1 / 3)
            pattern = pattern + self._glow * np.exp(-((u / 0.08) ** 2) - (v / 0.08) ** 2)
        if is_image or is_parallel:
            known = np.clip(columns, 0, self._nx - 1)
            pattern = pattern + self._columns[known][None, :]
        return pattern
