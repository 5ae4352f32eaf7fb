"""Simulated frames have the statistics that their truth states."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.cameras.model import Amplifier, Camera
from fiducial.frames.content import overscan_used
from fiducial.frames.raw import RawFrame
from fiducial.simulation import DetectorTruth, NightPlan, NightTruth, Physics, simulate_night
from fiducial.simulation.electronics import AmplifierTruth
from fiducial.simulation.physics import flipped

QUIET = Physics(cosmic_rays=0.0, lamp_noise=0.0, lamp_drift=0.0, dark_rate=0.5)
PLAN = NightPlan(biases=12, darks=8, flats=6, science=0, filters=("g",), physics=QUIET)
CASES = [(detector, amplifier) for detector in (0, 1) for amplifier in (0, 1)]


@pytest.fixture(scope="module")
def camera() -> Camera:
    return load_camera("simcam")


@pytest.fixture(scope="module")
def night(camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    return simulate_night(camera, tmp_path_factory.mktemp("night"), plan=PLAN, seed=20260115)


def amplifier(
    camera: Camera, night: NightTruth, case: tuple[int, int]
) -> tuple[Amplifier, AmplifierTruth, DetectorTruth]:
    amp = camera.amplifiers(case[0])[case[1]]
    truth = night.detectors[case[0]]
    return amp, truth.amplifier(amp.name), truth


def frames(night: NightTruth, kind: str, detector: int, amp: Amplifier) -> np.ndarray:
    """Data of an amplifier in all frames of a kind, minus the mean of each row's overscan; adu."""
    area = overscan_used(amp, load_camera("simcam").defaults.overscan)
    assert area is not None
    out = []
    for exposure in night.of_type(kind):
        raw = RawFrame.open(night.folder / exposure.files[detector])
        level = raw.read(None, area).mean(axis=1, dtype=float)
        out.append(raw.read(None, amp.data) - level[:, None])
    return np.stack(out)


def read_variance(truth: AmplifierTruth) -> float:
    """Of one pixel in adu^2: read noise and the rounding to integers."""
    return (truth.read_noise / truth.gain) ** 2 + 1 / 12


@pytest.mark.parametrize("case", CASES)
def test_bias_pairs_have_the_read_noise(camera: Camera, night: NightTruth, case: tuple[int, int]) -> None:
    amp, truth, _ = amplifier(camera, night, case)
    a, b = (
        RawFrame.open(night.folder / e.files[case[0]]).read(None, amp.data) for e in night.of_type("bias")[:2]
    )
    difference = a.astype(float) - b
    # The variance of 65,536 Gaussian differences is known to sqrt(2 / 65536) = 0.55 %; four times that.
    assert difference.var() / 2 == pytest.approx(read_variance(truth), rel=4 * np.sqrt(2 / difference.size))


@pytest.mark.parametrize("case", CASES)
def test_the_mean_bias_is_the_true_one(camera: Camera, night: NightTruth, case: tuple[int, int]) -> None:
    amp, truth, detector = amplifier(camera, night, case)
    stack = frames(night, "bias", case[0], amp)
    residual = stack.mean(axis=0) - flipped(detector.bias_adu[amp.detector.slices], amp)
    # Each pixel: noise / N, and that of the mean of 30 overscan columns, common to its row.
    expected = read_variance(truth) / len(stack) * (1 + 1 / 30)
    spread = np.sqrt(2 / residual.size + (1 / 30) ** 2 * 2 / 256)
    assert np.mean(residual**2) / expected == pytest.approx(1.0, abs=4 * spread)
    assert residual.mean() == pytest.approx(0.0, abs=4 * np.sqrt(read_variance(truth) / 12 / 256 / 30))


@pytest.mark.parametrize("case", CASES)
def test_flats_have_poisson_noise_and_the_true_response(
    camera: Camera, night: NightTruth, case: tuple[int, int]
) -> None:
    amp, truth, detector = amplifier(camera, night, case)
    stack = frames(night, "flat", case[0], amp) - flipped(detector.bias_adu[amp.detector.slices], amp)
    exposure = night.of_type("flat")[0]
    flat = flipped(detector.flat["g"][amp.detector.slices], amp)
    dark = flipped(detector.dark[amp.detector.slices], amp) * exposure.dark_time
    electrons = exposure.electrons[case[0]] * flat.astype(float) + dark
    variance = electrons / truth.gain**2 + read_variance(truth)
    pairs = (stack[0::2] - stack[1::2]) ** 2 / 2 / variance
    assert pairs.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / pairs.size))
    chi = (stack.mean(axis=0) - electrons / truth.gain) ** 2 / (variance / len(stack))
    # The overscan adds at most (read variance / 30) / (flat variance), below 1e-4.
    assert chi.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / chi.size) + 1e-4)
    assert flat.mean() == pytest.approx(1.0, abs=0.1)
    assert detector.flat["g"].mean(dtype=float) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_darks_have_the_true_rate(camera: Camera, night: NightTruth, case: tuple[int, int]) -> None:
    amp, truth, detector = amplifier(camera, night, case)
    stack = frames(night, "dark", case[0], amp) - flipped(detector.bias_adu[amp.detector.slices], amp)
    electrons = flipped(detector.dark[amp.detector.slices], amp).astype(float) * 60.5
    assert night.of_type("dark")[0].dark_time == 60.5
    variance = (electrons / truth.gain**2 + read_variance(truth) * (1 + 1 / 30)) / len(stack)
    chi = (stack.mean(axis=0) - electrons / truth.gain) ** 2 / variance
    # 30 e of Poisson noise eight times: kurtosis 1 / 240 more than Gaussian, nothing beside 4 sigma.
    assert chi.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / chi.size) + (1 / 30) * np.sqrt(2 / 256))


def test_levels_and_gains_scatter_about_the_cameras(camera: Camera, night: NightTruth) -> None:
    truths = [a for d in night.detectors.values() for a in d.amplifiers]
    ratios = np.array([a.gain / a.nominal_gain for a in truths])
    assert (np.abs(ratios - 1) < 5 * QUIET.gain_scatter).all()
    assert (ratios != 1).all()
    assert len({a.bias_level for a in truths}) == len(truths)


def test_cosmic_rays_come_at_their_rate_and_leave_charge(
    camera: Camera, tmp_path_factory: pytest.TempPathFactory
) -> None:
    physics = Physics(cosmic_rays=2.0, dark_rate=0.0, hot_fraction=0.0)
    plan = NightPlan(biases=0, darks=10, flats=0, science=0, detectors=(0,), physics=physics)
    truth = simulate_night(camera, tmp_path_factory.mktemp("rays"), plan=plan, seed=3)
    count = sum(e.cosmic_rays[0] for e in truth.exposures)
    expected = 10 * 2.0 * (512 * 256 * 1e-6) * (60 + physics.readout)  # 10 micrometre pixels
    assert count == pytest.approx(expected, abs=4 * np.sqrt(expected))
    amp = camera.amplifiers(0)[0]
    stack = frames(truth, "dark", 0, amp) - truth.detectors[0].bias_adu[amp.detector.slices]
    sigma = np.sqrt(read_variance(truth.detectors[0].amplifiers[0]))
    hit = (stack > 8 * sigma).sum() / count
    # Half of the rays fall here; each leaves 8,000 electrons or more in one to some tens of pixels.
    assert 0.5 < hit < 20


def test_frame_to_frame_drift_is_common_to_image_and_overscan(camera: Camera, night: NightTruth) -> None:
    amp = camera.amplifiers(0)[0]
    assert amp.serial_overscan is not None
    for exposure in night.of_type("bias"):
        raw = RawFrame.open(night.folder / exposure.files[0])
        means = [raw.read(None, s).mean() - exposure.drift[0] for s in (amp.data, amp.serial_overscan)]
        if exposure.number == 0:
            first = means
        # The mean of 8,192 overscan pixels of sigma 3.3 adu: 0.04 adu; of a difference 0.05.
        assert means == pytest.approx(first, abs=4 * 0.05)
