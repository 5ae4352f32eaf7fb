"""Masters of simulated nights equal the truth: chi-square per amplifier with the true variance.

The limit is that of the verification reference, abs(chi2 / nu - 1) < 0.01 + 5 sqrt(2 / nu); rows share the
error of their overscan level (5 % of the variance), which widens it by 5 x 0.05 sqrt(2 / rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiducial.algorithms.combine import mean_variance_factor
from fiducial.algorithms.order_statistics import median_variance
from fiducial.cameras import load_camera
from fiducial.cameras.model import Amplifier
from fiducial.corrections.masters import Master
from fiducial.frames.raw import RawFrame
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import Planes, planes_of
from fiducial.simulation import NightPlan, NightTruth, Physics, simulate_night
from fiducial.simulation.truth import ExposureTruth

CAMERA = load_camera("simcam")
OVERSCAN_PIXELS = 30  # of 32, two skipped
ROWS, PIXELS = 256, 256 * 256
LIMIT = 0.01 + 5 * np.sqrt(2 / PIXELS) + 5 * 0.05 * np.sqrt(2 / ROWS)

# The gains and read noises of the camera file are the true ones: what is quoted can then be tested.
PHYSICS = Physics(gain_scatter=0.0, read_noise_scatter=0.0, cosmic_rays=0.01, hot_rate=1.0)
PLAN = NightPlan(
    biases=14, darks=4, dark_times=(15.0, 60.0, 120.0), flats=12, science=1, filters=("g",), physics=PHYSICS
)


@dataclass(frozen=True)
class Handle:
    path: Path

    def get(self) -> RawFrame:
        return RawFrame.open(self.path)


@dataclass(frozen=True)
class Night:
    truth: NightTruth
    masters: dict[int, dict[str, Master]]
    scales: Any

    def given(self, frame_type: str, detector: int) -> dict[str, Any]:
        return {"raws": offered(self.truth, frame_type, detector), "camera": CAMERA, "detector": detector}


def offered(truth: NightTruth, frame_type: str, detector: int) -> list[Offered]:
    return [
        Offered(one.exposure, Handle(truth.folder / name))
        for one in truth.of_type(frame_type)
        for name in one.files
        if RawFrame.open(truth.folder / name).header()["DETECTOR"] == CAMERA.detector(detector).name
    ]


def produce(truth: NightTruth) -> Night:
    night = Night(truth, {0: {}, 1: {}}, None)
    for detector, masters in night.masters.items():
        bias = BiasTask(config=BiasConfig()).run(**night.given("bias", detector)).bias
        masters["bias"] = Master("bias", bias)
        dark = DarkTask(config=DarkConfig()).run(**night.given("dark", detector), masters=masters).dark
        masters["dark"] = Master("dark", dark)
    measure = FlatLevelsTask(config=FlatLevelsConfig())
    levels = [measure.run(**night.given("flat", d), masters=m).levels for d, m in night.masters.items()]
    scales = FlatSolveTask(config=FlatSolveConfig()).run(levels).scales
    for detector, masters in night.masters.items():
        flat = FlatTask(config=FlatConfig()).run(
            **night.given("flat", detector), masters=masters, scales=scales, physical_filter="g"
        )
        masters["flat"] = Master("flat", flat.flat)
    return Night(truth, night.masters, scales)


@pytest.fixture(
    scope="module", params=[1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4, 5))]
)
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    return produce(simulate_night(CAMERA, folder, plan=PLAN, seed=request.param))


EACH = [pytest.param(d, a, id=f"{d}{a.name}") for d in (0, 1) for a in CAMERA.amplifiers(d)]


def planes(night: Night, kind: str, detector: int, amp: Amplifier) -> Planes:
    return Planes(*(plane[amp.detector.slices] for plane in planes_of(night.masters[detector][kind].product)))


def overscan_variance(amp: Amplifier) -> float:
    return amp.read_noise**2 * median_variance(OVERSCAN_PIXELS)


@pytest.mark.parametrize(("detector", "amp"), EACH)
def test_bias(night: Night, detector: int, amp: Amplifier) -> None:
    found = planes(night, "bias", detector, amp)
    truth = night.truth.detectors[detector].bias_electron[amp.detector.slices]
    noise = amp.read_noise**2 + overscan_variance(amp) + amp.gain**2 / 12
    variance = noise / PLAN.biases * mean_variance_factor(PLAN.biases, 3.0, 3)
    chi2 = float(np.mean((found.image - truth) ** 2)) / variance
    assert abs(chi2 - 1) < LIMIT
    assert abs(float(found.variance.mean()) / variance - 1) < LIMIT
    mean_error = amp.read_noise * np.sqrt(median_variance(OVERSCAN_PIXELS) / (ROWS * PLAN.biases))
    assert abs(float(np.mean(found.image - truth))) < 5 * mean_error


@pytest.mark.parametrize(("detector", "amp"), EACH)
def test_dark(night: Night, detector: int, amp: Amplifier) -> None:
    found = planes(night, "dark", detector, amp)
    truth = night.truth.detectors[detector].dark[amp.detector.slices]
    z = (found.image - truth) / np.sqrt(found.variance)
    # Trails of cosmic rays below four sigma stay in: tails are cut, by what a Gaussian has within four.
    inside = np.abs(z) < 4
    assert float(np.mean(z[inside] ** 2)) == pytest.approx(1.0, abs=LIMIT)
    assert np.mean(~inside) < 5e-4
    overscan = overscan_variance(amp) / ROWS * 12 / 780**2  # of 12 frames whose times add up to 780 s
    bias = amp.read_noise**2 * median_variance(OVERSCAN_PIXELS) / (ROWS * PLAN.biases) * (780 / 73_000) ** 2
    assert abs(float(np.mean((found.image - truth)[inside]))) < 5 * np.sqrt(overscan + bias) + 1e-3


@pytest.mark.parametrize(("detector", "amp"), EACH)
def test_flat(night: Night, detector: int, amp: Amplifier) -> None:
    found = planes(night, "flat", detector, amp)
    of = night.truth.detectors[detector]
    response = of.flat["g"][amp.detector.slices] * of.level["g"]
    level = float(np.sum(found.image * response) / np.sum(response**2))
    truth = level * response
    scale = np.array(frames_scales(night, detector))[:, None, None]
    electrons = truth[None] * scale
    noise = electrons + amp.read_noise**2 + overscan_variance(amp) + amp.gain**2 / 12
    variance = np.mean(noise / scale**2, axis=0) / PLAN.flats
    variance *= mean_variance_factor(PLAN.flats, 3.0, 3)
    assert float(np.mean((found.image - truth) ** 2 / variance)) == pytest.approx(1.0, abs=LIMIT + 0.01)
    assert float(np.mean(found.variance)) == pytest.approx(float(np.mean(variance)), rel=LIMIT + 0.01)


def frames_scales(night: Night, detector: int) -> list[float]:
    metadata = night.masters[detector]["flat"].metadata
    return [float(metadata[f"FID INPUT {i} SCALE"]) for i in range(PLAN.flats)]


def test_flats_keep_the_level_of_the_focal_plane(night: Night) -> None:
    ratios = []
    for detector in (0, 1):
        of = night.truth.detectors[detector]
        for amp in CAMERA.amplifiers(detector):
            mean = planes(night, "flat", detector, amp).image.mean()
            ratios.append(mean / (of.flat["g"][amp.detector.slices].mean() * of.level["g"]))
    # Photon noise of 12 flats of 20,000 electrons, 65,536 pixels each: 8e-6; the rest are biases of levels.
    assert np.ptp(ratios) < 2e-4


def test_detrended_frames_have_the_variance_they_quote(night: Night) -> None:
    (science,) = night.truth.of_type("science")
    for detector, masters in night.masters.items():
        product = detrend(night, science, detector, masters)
        for amp in CAMERA.amplifiers(detector):
            image, variance, mask = (plane[amp.detector.slices] for plane in planes_of(product))
            sky = np.median(image)
            z = (image - sky) / np.sqrt(variance)
            # Stars and rays are bright: the width of the rest comes from the quartiles.
            width = np.subtract(*np.percentile(z[mask == 0], (75, 25))) / 1.349
            assert width == pytest.approx(1.0, abs=0.05), (detector, amp.name)


def detrend(night: Night, science: ExposureTruth, detector: int, masters: dict[str, Master]) -> Any:
    (raw,) = [o for o in offered(night.truth, "science", detector) if o.exposure == science.exposure]
    task = DetrendTask(config=DetrendConfig())
    return task.run(raw=raw, camera=CAMERA, detector=detector, masters=masters).detrended
