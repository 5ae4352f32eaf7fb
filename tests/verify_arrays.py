"""Productions made of arrays: frames, master and measurements without a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fiducial.algorithms.overscan import fit_overscan
from fiducial.verify.expected import ReadNoise, overscan_error
from fiducial.verify.measure import (
    AmplifierFrame,
    DetectorMeasurements,
    FrameContext,
    MasterWindow,
    measure_detector,
)
from fiducial.verify.rows import FrameIdentity, Row
from fiducial.verify.window import Previous


@dataclass
class Amp:
    """One amplifier of the simulated detector, in electrons."""

    name: str = "A"
    read_noise: float = 6.0
    certified: float | None = None
    response: float = 1.0  # of the flat; a gain step in the raw levels


@dataclass
class Simulation:
    """What is simulated; electrons throughout."""

    kind: str = "bias"
    shape: tuple[int, int] = (128, 128)
    n_overscan: int = 32
    method: str = "median_per_row"
    amps: tuple[Amp, ...] = (Amp("A"), Amp("B", read_noise=8.0))
    inputs: int = 8
    held_out: int = 0
    dark_rate: float = 0.1  # electron/s
    hot: float = 0.002  # fraction of hot pixels
    dark_time: float = 300.0
    level: float = 20_000.0
    correlation: np.ndarray | None = None  # kernel that the white noise is convolved with
    damage: Callable[[np.ndarray, int, int], np.ndarray] | None = None  # (data, frame, amplifier)
    a00: float | None = 0.0
    first: tuple[int, ...] = ()
    master: Callable[[int, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
    truth: dict[str, np.ndarray] = field(default_factory=dict)

    def expose(self, rng: np.random.Generator, frame: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Data and overscan of one amplifier, before the overscan is subtracted."""
        amp = self.amps[index]
        ny, nx = self.shape
        if self.kind == "bias":
            data = np.zeros(self.shape)
        elif self.kind == "dark":
            data = rng.poisson(self.scene(index) * self.dark_time).astype(float)
        else:
            data = rng.poisson(self.scene(index) * self.level).astype(float)
        noise = rng.standard_normal((ny, nx + self.n_overscan)) * amp.read_noise
        if self.correlation is not None:
            from scipy.signal import fftconvolve

            big = rng.standard_normal((ny + 16, nx + self.n_overscan + 16)) * amp.read_noise
            noise = fftconvolve(big, self.correlation, mode="same")[8 : 8 + ny, 8 : 8 + nx + self.n_overscan]
        data = data + noise[:, :nx]
        if self.damage is not None:
            data = self.damage(data, frame, index)
        return data, noise[:, nx:]

    def scene(self, index: int) -> np.ndarray:
        """Dark rate, or response, of each pixel: the same in every frame."""
        key = f"{self.kind}{index}"
        if key not in self.truth:
            own = np.random.default_rng(1000 + index)
            if self.kind == "dark":
                rate = np.full(self.shape, self.dark_rate)
                rate[own.random(self.shape) < self.hot] *= 100
                self.truth[key] = rate
            else:
                y, x = np.mgrid[: self.shape[0], : self.shape[1]]
                vignetting = 1 - 0.2 * ((y / self.shape[0] - 0.5) ** 2 + (x / self.shape[1] - 0.5) ** 2)
                pixels = 1 + 0.01 * own.standard_normal(self.shape)
                self.truth[key] = self.amps[index].response * vignetting * pixels
        return self.truth[key]


def corrected(simulation: Simulation, rng: np.random.Generator, frame: int, index: int) -> AmplifierFrame:
    """One amplifier of one frame with its overscan subtracted."""
    data, overscan = simulation.expose(rng, frame, index)
    amp = simulation.amps[index]
    certified = ReadNoise(amp.certified or amp.read_noise, 0.0, "certified")
    if simulation.n_overscan == 0:
        return AmplifierFrame(
            amp.name, data.astype(np.float32), np.ones(data.shape, bool), certified, a00=simulation.a00
        )
    model = fit_overscan(
        overscan, method=simulation.method, order=3, skip_leading=0, skip_trailing=0, first_column_left=True
    )
    rows = simulation.shape[0]
    error = model.noise / np.sqrt(2.0 * (simulation.n_overscan - 1) * rows)
    return AmplifierFrame(
        name=amp.name,
        signal=(data - model.level[:, None]).astype(np.float32),
        usable=np.ones(data.shape, bool),
        certified=certified,
        own=ReadNoise(model.noise, error, "overscan"),
        overscan=overscan_error(simulation.method, model.variance, model.noise, model.used),
        a00=simulation.a00,
        area=1e-4 * data.size * 1e-2,
    )


def master_of(simulation: Simulation, stack: np.ndarray, index: int) -> MasterWindow:
    """The mean of the frames, with the variance of their scatter."""
    if simulation.kind == "dark":
        stack = stack / simulation.dark_time
    if simulation.kind == "flat":
        stack = stack / simulation.level
    image, variance = stack.mean(axis=0), stack.var(axis=0, ddof=1) / len(stack)
    if simulation.master is not None:
        image, variance = simulation.master(index, image, variance)
    return MasterWindow(image.astype(np.float32), variance.astype(np.float32))


@dataclass
class Measured:
    """Everything that came of a simulated production."""

    rows: list[Row]
    frames: list[DetectorMeasurements]

    def values(self, test: str, field_name: str = "value", amplifier: str | None = None) -> np.ndarray:
        """One column of one test."""
        return np.array(
            [
                getattr(row, field_name)
                for row in self.rows
                if row.test == test and amplifier in (None, row.amplifier)
            ]
        )


def produce(simulation: Simulation, seed: int) -> Measured:
    """Expose, combine the inputs, and measure every frame."""
    rng = np.random.default_rng(seed)
    total = simulation.inputs + simulation.held_out
    amplifiers = range(len(simulation.amps))
    frames = [[corrected(simulation, rng, k, i) for i in amplifiers] for k in range(total)]
    masters = [
        master_of(simulation, np.stack([frames[k][i].signal for k in range(simulation.inputs)]), i)
        for i in amplifiers
    ]
    rows: list[Row] = []
    measured: list[DetectorMeasurements] = []
    previous: list[Previous | None] = [None for _ in amplifiers]
    for k in range(total):
        inside = k < simulation.inputs
        scale = simulation.dark_time if simulation.kind == "dark" else 1.0
        context = FrameContext(simulation.kind, "electron", inside, scale=scale)
        found = measure_detector(context, frames[k], masters, previous)
        role = "first" if k in simulation.first else "input" if inside else "held_out"
        identity = FrameIdentity(simulation.kind, 1000 + k, 0, "", 60000.0 + k, role)  # type: ignore[arg-type]
        subjects = {frame.name: subject for frame, subject in zip(frames[k], found.subjects, strict=True)}
        rows += [identity.row(name, one, subjects.get(name)) for name, one in found.measurements]
        measured.append(found)
        previous = [Previous(s.signal, s.residual.usable, found.scale) for s in found.subjects]
    return Measured(rows, measured)
