"""Masters of two real nights: read noises, levels, hot pixels, and what lies in the frames.

The numbers to reproduce are those of the data's README (pair differences, 5-sigma clip); the definition
here is the scatter of stacked biases, whose level is taken out where there is no overscan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiducial.cameras import load_camera, translate
from fiducial.cameras.facts import FrameFacts
from fiducial.cameras.model import Camera
from fiducial.corrections.masters import Master
from fiducial.errors import CalibrationMismatch
from fiducial.frames.raw import RawFrame
from fiducial.kinds.bias import BiasConfig, BiasTask
from fiducial.kinds.dark import DarkConfig, DarkTask
from fiducial.kinds.detrend import DetrendConfig, DetrendTask
from fiducial.kinds.flat import FlatConfig, FlatTask
from fiducial.kinds.flat_levels import FlatLevelsConfig, FlatLevelsTask
from fiducial.kinds.flat_solve import FlatSolveConfig, FlatSolveTask
from fiducial.kinds.inputs import Offered
from fiducial.products.images import planes_of
from fiducial.products.masks import Plane

pytestmark = pytest.mark.real

type Wanted = Callable[[FrameFacts], bool]


@dataclass(frozen=True)
class Handle:
    path: Path

    def get(self) -> RawFrame:
        return RawFrame.open(self.path)


@dataclass(frozen=True)
class Night:
    camera: Camera
    frames: tuple[tuple[FrameFacts, Path], ...]

    def given(self, wanted: Wanted) -> dict[str, Any]:
        raws = [Offered(f.exposure, Handle(path)) for f, path in self.frames if wanted(f)]
        return {"raws": raws, "camera": self.camera, "detector": 0}


def night_of(camera: str, folder: Path) -> Night:
    found = load_camera(camera)
    frames = []
    for path in sorted(folder.rglob("*.fits.fz")):
        with RawFrame.open(path) as raw:
            facts = translate(found, raw.header(), file=str(path), hdu_headers=raw.hdu_headers())
        frames.append((facts, path))
    return Night(found, tuple(frames))


@pytest.fixture(scope="module")
def stl(real_data: Path) -> Night:
    return night_of("stl1001", real_data / "stl1001-2017")


@pytest.fixture(scope="module")
def kast(real_data: Path) -> Night:
    return night_of("kast-blue", real_data / "kast-blue")


def bias_of(night: Night, wanted: Wanted, method: str = "camera") -> Any:
    config = BiasConfig()
    config.chain = ["saturation", "overscan", "assembly", "nan"]
    config.corrections.overscan.method = method
    return BiasTask(config=config).run(**night.given(wanted)).bias


def dark_of(night: Night, wanted: Wanted, bias: Any) -> Any:
    config = DarkConfig()
    config.chain = ["saturation", "overscan", "assembly", "bias", "nan"]
    return DarkTask(config=config).run(**night.given(wanted), masters={"bias": Master("bias", bias)}).dark


def biases_at(temperature: float) -> Wanted:
    return lambda f: f.frame_type == "bias" and f.temperature_set == temperature


def darks_at(temperature: float, *, ten: bool) -> Wanted:
    """The ten darks of 60 s, or the ladder of one frame each."""
    return lambda f: (
        f.frame_type == "dark"
        and f.temperature_set == temperature
        and f.obs_id.startswith("darks-expos1-") == ten
    )


def noise_of(product: Any, amp: Any, frames: int) -> float:
    """Read noise of one frame from the scatter of the stack, telegraph pixels (0.3 %) left out."""
    variance = np.sort(planes_of(product).variance[amp.detector.slices].ravel())
    return float(np.sqrt(variance[: int(0.997 * variance.size)].mean() * frames))


@pytest.mark.parametrize(("temperature", "expected", "span"), [(-5.0, 6.702, 1.3), (-10.0, 6.560, 0.9)])
def test_stl_bias(stl: Night, temperature: float, expected: float, span: float) -> None:
    bias = bias_of(stl, biases_at(temperature))
    (amp,) = stl.camera.amplifiers(0)
    # The README's error is 0.003; the largest 0.3 % of a chi-square of 9 degrees cost 1 %.
    assert noise_of(bias, amp, 10) == pytest.approx(expected * 0.99, abs=0.05)
    levels = np.array([bias.metadata[f"FID INPUT {i} LEVEL A"] for i in range(10)])
    assert np.ptp(levels) == pytest.approx(span, abs=0.15)
    assert np.median(planes_of(bias).image) == pytest.approx(992.0, abs=1.5)
    assert bias.metadata["FID STATE SET-TEMP"] == temperature
    assert bias.metadata["FID NINPUT"] == 10


@pytest.mark.parametrize(("temperature", "rate"), [(-5.0, 0.349), (-10.0, 0.1735)])
def test_stl_dark_ladders_have_a_level_and_a_rate(stl: Night, temperature: float, rate: float) -> None:
    bias = bias_of(stl, biases_at(temperature))
    keys = dark_of(stl, darks_at(temperature, ten=False), bias).metadata
    assert keys["FID AMP A LEVEL FITTED"]
    assert keys["FID AMP A RATE"] == pytest.approx(rate, abs=4 * keys["FID AMP A RATE ERROR"])
    # The level drifts by some tenths of an adu from frame to frame and from the biases: 0.5 and 1.1 adu here.
    assert 0.3 < keys["FID AMP A LEVEL"] < 1.3
    assert keys["FID AMP A LEVEL ERROR"] < 0.2
    levels = [keys[f"FID INPUT {i} LEVEL A"] for i in range(6)]
    assert np.std(levels) < 0.4


def test_stl_ten_darks_of_one_time(stl: Night) -> None:
    bias = bias_of(stl, biases_at(-5.0))
    dark = dark_of(stl, darks_at(-5.0, ten=True), bias)
    levels = np.array([dark.metadata[f"FID INPUT {i} LEVEL A"] for i in range(10)])
    assert not dark.metadata["FID AMP A LEVEL FITTED"]
    assert levels[0] - np.median(levels[1:]) == pytest.approx(0.8, abs=0.15)  # the first is 0.8 adu high
    raws = [o.handle.get().read(1).astype(np.float64) for o in stl.given(darks_at(-5.0, ten=True))["raws"]]
    charge = np.mean(raws, axis=0) - planes_of(bias).image
    found = 60.0 * planes_of(dark).image
    for threshold in (100.0, 200.0, 500.0):
        plain = np.count_nonzero(charge - np.median(charge) > threshold)
        assert np.count_nonzero(found - np.median(found) > threshold) == pytest.approx(plain, rel=0.01)


def test_stl_darks_of_another_temperature_are_refused(stl: Night) -> None:
    bias = bias_of(stl, biases_at(-5.0))
    with pytest.raises(CalibrationMismatch, match=r"SET-TEMP is -10.0 and -5.0"):
        dark_of(stl, darks_at(-10.0, ten=False), bias)


def test_stl_flat(stl: Night) -> None:
    bias = bias_of(stl, biases_at(-5.0))
    dark = dark_of(stl, darks_at(-5.0, ten=False), bias)
    masters = {"bias": Master("bias", bias), "dark": Master("dark", dark)}
    product = flat_of(stl, lambda f: f.frame_type == "flat", masters)
    planes = planes_of(product)
    assert product.metadata["FID NINPUT"] == 10
    assert planes.image.mean() == pytest.approx(1.0, abs=1e-4)
    # 18,700 adu of 1.934 e/adu: photon noise of ten frames.
    photons = 1.0 / (18_700 * 1.934 * 10)
    assert np.median(planes.variance) == pytest.approx(photons, rel=0.1)


def flat_of(night: Night, wanted: Wanted, masters: dict[str, Master]) -> Any:
    chain = ["saturation", "overscan", "assembly", *masters, "nan"]
    levels, flat = FlatLevelsConfig(), FlatConfig()
    levels.chain, flat.chain = chain, chain
    given = night.given(wanted)
    measured = FlatLevelsTask(config=levels).run(**given, masters=masters).levels
    scales = FlatSolveTask(config=FlatSolveConfig()).run([measured]).scales
    task = FlatTask(config=flat)
    return task.run(**given, masters=masters, scales=scales, physical_filter=night.frames[0][0].filter).flat


@pytest.mark.parametrize("method", ["none", "median", "camera"])
def test_kast_bias(kast: Night, method: str) -> None:
    bias = bias_of(kast, lambda f: f.frame_type == "bias", method)
    expected = {"L": 2.860, "R": 2.704}
    level = {"L": 943.0, "R": 965.0}
    for amp in kast.camera.amplifiers(0):
        # A median of 24 overscan pixels of each row adds 6 % to the variance, 3 % to the noise.
        noise = expected[amp.name] * (1.03 if method == "camera" else 1.0) * 0.99
        assert noise_of(bias, amp, 10) == pytest.approx(noise, abs=0.03)
        median = np.median(planes_of(bias).image[amp.detector.slices])
        assert median == pytest.approx(level[amp.name] if method == "none" else 0.0, abs=1.5)


def test_kast_saturated_flat_does_no_harm(kast: Night) -> None:
    masters = {"bias": Master("bias", bias_of(kast, lambda f: f.frame_type == "bias"))}
    good = flat_of(kast, lambda f: f.frame_type == "flat" and f.exposure_time == 15.0, masters)
    every = flat_of(kast, lambda f: f.frame_type == "flat", masters)
    assert (good.metadata["FID NINPUT"], every.metadata["FID NINPUT"]) == (11, 12)
    a, b = planes_of(good), planes_of(every)
    assert np.isfinite(b.image).all()
    # Some pixels less decide the level: a common factor. It is the ratio where nothing is saturated.
    bright = (a.image > 0.1) & (b.mask & int(Plane.SUSPECT) == 0)
    ratio = b.image[bright] / a.image[bright]
    assert np.std(ratio) < 0.01
    # Of the 56,808 pixels at 65,535 none is in the sum, so the saturated ones have that ratio too.
    saturated = (b.mask & int(Plane.SUSPECT)) != 0
    assert np.count_nonzero(saturated) > 56_000
    assert np.median(b.image[saturated] / a.image[saturated]) == pytest.approx(np.median(ratio), rel=2e-3)


def test_kast_science_frames_are_detrended(kast: Night) -> None:
    bias = bias_of(kast, lambda f: f.frame_type == "bias")
    config = DetrendConfig()
    config.chain = ["saturation", "overscan", "assembly", "bias", "variance", "nan"]
    for offered in kast.given(lambda f: f.frame_type == "science")["raws"]:
        product = (
            DetrendTask(config=config)
            .run(raw=offered, camera=kast.camera, detector=0, masters={"bias": Master("bias", bias)})
            .detrended
        )
        planes, raw = planes_of(product), offered.handle.get().read().astype(np.float64)
        # By hand: overscan columns 2049-2080 and 2081-2112, the eight read first (mirrored) left out.
        sides = (("L", slice(0, 1024), slice(2056, 2080)), ("R", slice(1024, 2048), slice(2080, 2104)))
        for name, columns, overscan in sides:
            level = np.median(raw[:, overscan], axis=1, keepdims=True)
            expected = raw[:, columns] - level - planes_of(bias).image[:, columns]
            assert np.allclose(planes.image[:, columns], expected, atol=2e-3)
            gain = next(a.gain for a in kast.camera.amplifiers(0) if a.name == name)
            noise = bias.metadata[f"FID AMP {name} NOISE"]
            floor = np.maximum(expected, 0) / gain + noise**2 + planes_of(bias).variance[:, columns]
            # And what the median of a row's 24 pixels adds, 6 % of the squared noise, from their own scatter.
            added = planes.variance[:, columns] - floor
            assert np.median(added) == pytest.approx(0.063 * noise**2, rel=0.35)
        assert product.metadata["FID CHAIN BIAS HASH"] == Master("bias", bias).content_hash
