"""A simulated detector: what it is, and what it gives when it is exposed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fiducial.cameras.model import Amplifier, Camera
from fiducial.simulation.cosmic_rays import CosmicRays, cosmic_rays
from fiducial.simulation.effects.apply import banded, collected, converted
from fiducial.simulation.effects.build import build_effects
from fiducial.simulation.effects.hot_columns import add_hot_columns
from fiducial.simulation.effects.truth import EffectsTruth
from fiducial.simulation.effects.vampires import add_vampires
from fiducial.simulation.electronics import (
    AmplifierTruth,
    HduElectronics,
    amplifier_truths,
    build_electronics,
    true_bias,
)
from fiducial.simulation.optics import filter_response, pixel_response, vignetting
from fiducial.simulation.plan import Physics
from fiducial.simulation.randomness import generator
from fiducial.simulation.scene import sky_and_stars

type HduKey = int | str | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """How one exposure really went, faults included."""

    index: int  # of the exposure in the night: seeds its noise
    filter: str
    light: float = 0.0  # mean electrons / pixel of a lamp
    scene_time: float = 0.0  # s of sky and stars
    dark_time: float = 0.0  # s
    dark_scale: float = 1.0  # of the dark current at this temperature to that of the truth
    exposed: float = 0.0  # s during which cosmic rays are collected
    drift: float = 0.0  # adu, of the bias level, image and overscan alike
    shift: float = 0.0  # adu, of the image alone
    stripes: float = 0.0  # adu, amplitude; image alone
    stripe_period: float = 37.0  # rows
    gain_scale: tuple[float, ...] = ()  # of each amplifier to its true gain; empty: 1
    offsets: tuple[float, ...] = ()  # adu, of each amplifier's image alone; empty: 0


@dataclass(frozen=True)
class SimulatedDetector:
    """One detector with everything that is fixed about it. Arrays are (ny, nx) of the assembled detector."""

    camera: Camera
    detector: int
    physics: Physics
    seed: int
    truths: tuple[AmplifierTruth, ...]
    electronics: dict[HduKey, HduElectronics]
    bias: np.ndarray  # adu, float32: what a perfect master bias has
    dark: np.ndarray  # electron / s, float32, at the reference temperature
    response: dict[str, np.ndarray]  # by filter, relative, mean 1 over the detector; float32
    level: dict[str, float] = field(default_factory=dict)  # by filter: the detector's mean response
    effects: EffectsTruth = field(default_factory=EffectsTruth.none)

    @property
    def amplifiers(self) -> tuple[Amplifier, ...]:
        """The amplifiers of the camera file."""
        return self.camera.amplifiers(self.detector)


def build_detector(
    camera: Camera, detector: int, physics: Physics, seed: int, filters: tuple[str, ...], mean_light: float
) -> SimulatedDetector:
    """Make a detector from a seed. ``mean_light`` is the camera's mean vignetting (`mean_vignetting`)."""
    truths = amplifier_truths(camera, detector, physics, seed)
    electronics = build_electronics(camera, detector, truths, physics, seed)
    bias = np.zeros(camera.layout(detector).shape, np.float32)
    for amp in camera.amplifiers(detector):
        fixed = true_bias(amp, electronics[amp.hdu], camera.defaults.overscan)
        bias[amp.detector.slices] = flipped(fixed, amp)
    wells = tuple(truth.saturation * truth.gain for truth in truths)
    effects = build_effects(physics.effects, camera.amplifiers(detector), wells, seed, detector)
    light = vignetting(camera, camera.detector(detector), physics) / np.float32(mean_light)
    light *= pixel_response(camera, camera.detector(detector), physics, seed)
    if physics.effects.vampires is not None:
        add_vampires(light, effects.vampires, physics.effects.vampires)
    response, level = {}, {}
    for number, band in enumerate(filters):
        spots, own = filter_response(camera, camera.detector(detector), physics, seed, number)
        relative = light * spots
        mean = float(relative.mean(dtype=np.float64))
        response[band] = relative / np.float32(mean)
        level[band] = own * mean
    dark = dark_rate(bias.shape, physics, generator(seed, "dark", detector))
    add_hot_columns(dark, effects.hot_columns)
    return SimulatedDetector(
        camera, detector, physics, seed, truths, electronics, bias, dark, response, level, effects
    )


def mean_vignetting(camera: Camera, physics: Physics) -> float:
    """The mean over all detectors of the camera, so that flats have the level that was wanted."""
    means = [vignetting(camera, detector, physics, step=16).mean() for detector in camera.detectors]
    return float(np.mean(means))


def dark_rate(shape: tuple[int, int], physics: Physics, rng: np.random.Generator) -> np.ndarray:
    """Dark current, electron / s: a smooth gradient of 20 % and hot pixels: (ny, nx) float32."""
    ny, nx = shape
    along, across = 0.5 + 0.1 * np.linspace(-1, 1, ny), 0.5 + 0.1 * np.linspace(-1, 1, nx)
    dark = np.add.outer(physics.dark_rate * along, physics.dark_rate * across, dtype=np.float32)
    hot = rng.integers(0, ny * nx, int(physics.hot_fraction * ny * nx))
    dark.reshape(-1)[hot] += rng.exponential(physics.hot_rate, len(hot)).astype(np.float32)
    return dark


def flipped(values: np.ndarray, amp: Amplifier) -> np.ndarray:
    """Raw orientation to detector orientation of an amplifier's data, and back."""
    if amp.detector.flip_x:
        values = values[:, ::-1]
    if amp.detector.flip_y:
        values = values[::-1]
    return values


def expose(sim: SimulatedDetector, conditions: Conditions) -> tuple[dict[HduKey, np.ndarray], CosmicRays]:
    """Expose and read out a detector.

    Expected electrons (dark current, lamp, sky and stars) become Poisson counts; cosmic rays are
    added; the effects of `Physics.effects` work on that charge; amplifiers turn electrons to adu and
    add their fixed pattern, drift and Gaussian read noise; what exceeds an amplifier's saturation is
    cut there. Crosstalk is not simulated.

    Returns
    -------
    hdus : dict
        By HDU: (rows, columns) float32, adu, not yet rounded to integers.
    rays : CosmicRays
        What hit.
    """
    rng = generator(sim.seed, "exposure", sim.detector, conditions.index)
    rays = cosmic_rays(
        sim.bias.shape,
        sim.camera.layout(sim.detector).pixel_size,
        sim.physics.cosmic_rays,
        conditions.exposed + sim.physics.readout,
        rng,
    )
    scene = None
    if conditions.scene_time > 0:
        scene = sky_and_stars(sim.bias.shape, sim.physics, rng) * np.float32(conditions.scene_time)
    raw = {}
    for key, maps in sim.electronics.items():
        raw[key] = rng.standard_normal(maps.fixed.shape, np.float32)
        raw[key] *= maps.noise
        raw[key] += maps.fixed
        raw[key] += np.float32(conditions.drift)
    effects = sim.physics.effects
    for number, amp in enumerate(sim.amplifiers):
        charge = _charge(sim, amp, conditions, scene, rays, rng)
        signal, after = collected(charge, amp, number, effects, sim.effects)
        _read_out(raw[amp.hdu], flipped(signal, amp), after, amp, number, sim, conditions)
    if effects.banding is not None:
        for key, pixels in raw.items():
            mine = tuple((n, amp) for n, amp in enumerate(sim.amplifiers) if amp.hdu == key)
            banded(pixels, mine, effects.banding, sim.seed, sim.detector, conditions.index)
    for number, (amp, truth) in enumerate(zip(sim.amplifiers, sim.truths, strict=True)):
        data = raw[amp.hdu][amp.data.slices]
        np.minimum(data, np.float32(truth.saturation), out=data)
        if sim.effects.dnl.size:
            converted(raw[amp.hdu], amp, sim.effects.dnl[number])
    return raw, rays


def _charge(
    sim: SimulatedDetector,
    amp: Amplifier,
    conditions: Conditions,
    scene: np.ndarray | None,
    rays: CosmicRays,
    rng: np.random.Generator,
) -> np.ndarray:
    """Electrons collected by the pixels of an amplifier, in the detector's orientation: float32."""
    where = amp.detector.slices
    expected = np.zeros(amp.detector.shape)
    if conditions.dark_time > 0:
        expected += sim.dark[where] * np.float64(conditions.dark_time * conditions.dark_scale)
    if conditions.light > 0 or scene is not None:
        response = sim.response[conditions.filter][where] * np.float64(sim.level[conditions.filter])
        if scene is not None:
            expected += response * scene[where]
        expected += response * conditions.light
    charge = rng.poisson(expected).astype(np.float32) if expected.any() else expected.astype(np.float32)
    region = amp.detector
    mine = (rays.y >= region.y0) & (rays.y < region.y1) & (rays.x >= region.x0) & (rays.x < region.x1)
    np.add.at(charge, (rays.y[mine] - region.y0, rays.x[mine] - region.x0), rays.electrons[mine])
    return charge


def _read_out(
    raw: np.ndarray,
    charge: np.ndarray,
    after: np.ndarray | None,
    amp: Amplifier,
    number: int,
    sim: SimulatedDetector,
    conditions: Conditions,
) -> None:
    """Add an amplifier's signal to the raw HDU (which is changed: that is the purpose)."""
    data = raw[amp.data.slices]
    scale = conditions.gain_scale[number] if conditions.gain_scale else 1.0
    gain = np.float32(sim.truths[number].gain * scale)
    signal = charge / gain
    data += signal
    if after is not None and amp.parallel_overscan is not None:
        raw[amp.parallel_overscan.slices] += after / gain
    if sim.physics.deferred_charge > 0 and amp.serial_overscan is not None:
        _defer(raw, signal, amp, sim.physics.deferred_charge)
    shift = conditions.shift + (conditions.offsets[number] if conditions.offsets else 0.0)
    if shift:
        data += np.float32(shift)
    if conditions.stripes:
        rows = np.arange(data.shape[0])
        wave = np.sin(2 * np.pi * rows / conditions.stripe_period)
        corner = np.exp(-np.add.outer(rows, np.arange(data.shape[1])) / (0.2 * min(data.shape)))
        data += (conditions.stripes * (wave[:, None] + corner)).astype(np.float32)


def _defer(raw: np.ndarray, signal: np.ndarray, amp: Amplifier, fraction: float) -> None:
    """Charge left behind by the last column, in the overscan columns that are read after it."""
    area = amp.serial_overscan
    if area is None or (area.y0, area.y1) != (amp.data.y0, amp.data.y1):
        return
    from_right = amp.read_corner in ("LR", "UR")
    last = signal[:, 0] if from_right else signal[:, -1]
    trail = fraction * np.exp(-np.arange(area.x1 - area.x0))
    raw[area.slices] += np.outer(last, trail[::-1] if from_right else trail).astype(np.float32)
