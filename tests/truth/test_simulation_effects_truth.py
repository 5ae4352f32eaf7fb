"""The size of every effect, measured back from frames of a simulated night."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.cameras.model import Amplifier, Camera
from fiducial.cameras.regions import Region
from fiducial.frames.raw import RawFrame
from fiducial.frames.scan import scan_frame
from fiducial.simulation import (
    Effects,
    ExposureTruth,
    NightPlan,
    NightTruth,
    Physics,
    Ramp,
    load_truth,
    simulate_night,
)
from fiducial.simulation.effects import (
    AmplifierOffsets,
    Banding,
    Bleeding,
    BrighterFatter,
    DifferentialNonLinearity,
    GainDrift,
    HotColumns,
    NonLinearity,
    Traps,
    Vampires,
)
from fiducial.simulation.effects.dnl import widths
from fiducial.simulation.physics import flipped

CLEAN = {
    "cosmic_rays": 0.0,
    "dark_rate": 0.0,
    "hot_fraction": 0.0,
    "lamp_noise": 0.0,
    "lamp_drift": 0.0,
    "vignetting": 0.0,
    "dust_spots": 0,
    "pixel_response": 0.0,
    "bias_structure": 0.0,
    "bias_columns": 0.0,
}
BOTH = [(detector, number) for detector in (0, 1) for number in (0, 1)]


@pytest.fixture(scope="module")
def camera() -> Camera:
    return load_camera("simcam")


def night(camera: Camera, folder: Path, effects: Effects, **changes: object) -> NightTruth:
    plan = {"biases": 0, "darks": 0, "flats": 0, "science": 0, "filters": ("g",)} | changes
    physics = Physics(effects=effects, **CLEAN)  # type: ignore[arg-type]
    return simulate_night(camera, folder, plan=NightPlan(physics=physics, **plan), seed=11)  # type: ignore[arg-type]


def read(truth: NightTruth, exposure: ExposureTruth, detector: int, where: Region | None) -> np.ndarray:
    assert where is not None
    return RawFrame.open(truth.folder / exposure.files[detector]).read(None, where).astype(float)


def electrons(truth: NightTruth, exposure: ExposureTruth, detector: int, amp: Amplifier) -> np.ndarray:
    """An amplifier's data minus its true bias and overscan, times its true gain; raw orientation."""
    data = read(truth, exposure, detector, amp.data)
    level = read(truth, exposure, detector, amp.serial_overscan)[:, 2:].mean(axis=1)
    known = truth.detectors[detector]
    bias = flipped(known.bias_adu[amp.detector.slices], amp)
    return (data - level[:, None] - bias) * known.amplifier(amp.name).gain


def test_nonlinearity(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(nonlinearity=NonLinearity(high=0.03, low=0.02, low_scale=2000.0))
    truth = night(camera, tmp_path, effects, ramp=Ramp(times=(0.1, 0.3, 1.0, 4.0, 8.0, 12.0), rate=5000.0))
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        curve = known.effects.curve(number)
        assert curve is not None
        where = amp.detector.slices
        for exposure in truth.of_type("flat"):
            light = exposure.electrons[detector] * known.flat["g"][where].mean(dtype=float)
            found = electrons(truth, exposure, detector, amp).mean()
            # 65,536 pixels of Poisson noise, and the overscan: 256 x 30 pixels of read noise.
            error = np.hypot(np.sqrt(light / 65536), known.amplifiers[number].read_noise / np.sqrt(256 * 30))
            assert abs(found - float(curve.measured(np.array(light)))) < 4 * error
        assert abs(found - light) > 100 * error


def test_brighter_fatter_covariances_of_flats(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(brighter_fatter=BrighterFatter(a00=-3e-6, scatter=0.2))
    truth = night(camera, tmp_path, effects, flats=40, flat_electrons=(40000.0,))
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        frames = [electrons(truth, e, detector, amp)[10:-10, 10:-10] for e in truth.of_type("flat")]
        differences = [a - b for a, b in zip(frames[::2], frames[1::2], strict=True)]
        a = known.effects.a_matrix[number]
        mu = float(np.mean(frames))
        noise = known.amplifiers[number].read_noise ** 2 + known.amplifiers[number].gain ** 2 / 12
        whole = np.pad(a, ((0, 20), (0, 20)))
        expected = whole * mu**2 + 2 / 3 * squared(whole) * mu**3
        expected[0, 0] += mu + noise
        pixels = len(differences) * frames[0].size
        for i, j in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2)):
            ny, nx = frames[0].shape
            found = np.mean([np.mean(d[i:, j:] * d[: ny - i, : nx - j]) for d in differences]) / 2
            error = expected[0, 0] / np.sqrt(pixels) * (np.sqrt(2) if i == j == 0 else 1)
            # The next order, a third of (a00 mu)^3 of mu, is 0.06 per cent of it: less than half an error.
            assert abs(found - expected[i, j]) < 4.5 * error
        assert abs(expected[0, 0] - noise - mu) > 50 * mu * np.sqrt(2 / pixels)


def squared(quadrant: np.ndarray) -> np.ndarray:
    """A symmetric matrix convolved with itself; the quadrant."""
    n = len(quadrant)
    whole = np.concatenate([quadrant[:0:-1], quadrant])
    whole = np.concatenate([whole[:, :0:-1], whole], axis=1)
    size = 4 * n
    transform = np.fft.rfft2(whole, (size, size))
    full = np.fft.irfft2(transform**2, (size, size))
    return full[2 * (n - 1) : 3 * n - 2, 2 * (n - 1) : 3 * n - 2]


def test_saturation_and_bleeding(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(bleeding=Bleeding(full_well=50_000.0))
    truth = night(camera, tmp_path, effects, flats=1, flat_electrons=(20_000.0, 60_000.0), science=1)
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        below, above = (electrons(truth, e, detector, amp) for e in truth.of_type("flat"))
        noise = known.amplifiers[number].read_noise
        assert abs(below.std() / np.sqrt(20_000 * np.mean(below) / 20_000) - 1) < 0.01
        assert above.mean() == pytest.approx(50_000.0, abs=4 * noise / np.sqrt(256 * 30))
        assert above.std() == pytest.approx(noise, rel=0.05)
    (science,) = truth.of_type("science")
    stars = np.concatenate([electrons(truth, science, 0, amp) for amp in camera.amplifiers(0)])
    full = stars > 49_000
    columns = np.flatnonzero(full.sum(axis=0) > 20)  # a star of 7 pixels fills far more along its column
    assert len(columns)
    assert full.sum(axis=1).max() < 60


def test_hot_columns_traps_and_vampires(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(
        hot_columns=HotColumns(count=2, rate=50.0),
        traps=Traps(count=4, size=2000.0),
        vampires=Vampires(count=3, strength=1.0),
    )
    truth = night(camera, tmp_path, effects, darks=1, dark_times=(100.0,), flats=4)
    (dark,) = truth.of_type("dark")
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        image = flipped(electrons(truth, dark, detector, amp), amp)
        noise = known.amplifiers[number].read_noise
        mine = known.effects.hot_columns[known.effects.hot_columns["amplifier"] == number]
        assert len(mine) == 2
        for one in mine:
            column = image[one["y0"] : one["y1"], one["x"] - amp.detector.x0]
            expected = one["rate"] * dark.dark_time
            error = np.sqrt((expected + noise**2) / len(column))
            # A trap in the same column takes at most what it holds, from one pixel; none is in these.
            assert column.mean() == pytest.approx(expected, abs=4 * error)
        flats = [electrons(truth, e, detector, amp) for e in truth.of_type("flat")]
        mean = flipped(np.mean(flats, axis=0), amp)
        sigma = np.sqrt(20_000 / len(flats))
        vampires = known.effects.vampires[known.effects.vampires["amplifier"] == number]
        for one in vampires:
            assert mean[one["y"], one["x"] - amp.detector.x0] == pytest.approx(40_000, abs=6 * sigma)
        traps = known.effects.traps[known.effects.traps["amplifier"] == number]
        for one in traps:
            found = mean[one["y"], one["x"] - amp.detector.x0]
            assert found == pytest.approx(np.mean(mean) - one["size"], abs=6 * sigma)
            after = read(truth, truth.of_type("flat")[0], detector, amp.parallel_overscan)
            after = after - np.median(after)
            column = int(one["column"])
            released = after[:, column].sum() * known.amplifiers[number].gain
            expected = one["size"] * (1 - 0.8 ** len(after))
            assert released == pytest.approx(expected, abs=5 * noise * np.sqrt(len(after)))


def test_gain_drift_and_amplifier_offsets(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(
        gain_drift=GainDrift(per_hour=0.0, jump=0.05, jump_at=4), amplifier_offsets=AmplifierOffsets(lit=20.0)
    )
    truth = night(camera, tmp_path, effects, biases=2, flats=4, flat_electrons=(1000.0, 30_000.0))
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        gain = known.amplifiers[number].gain
        for exposure in truth.exposures:
            scale, offset = exposure.gain_scale[detector][number], exposure.offsets[detector][number]
            assert (scale != 1) == (exposure.index >= 4)
            assert (offset != 0) == (exposure.kind == "flat")
            light = exposure.electrons[detector] * known.flat["g"][amp.detector.slices].mean(dtype=float)
            expected = light / scale + offset * gain
            error = np.hypot(np.sqrt(light / 65536), known.amplifiers[number].read_noise / np.sqrt(256 * 30))
            found = electrons(truth, exposure, detector, amp).mean()
            assert found == pytest.approx(expected, abs=4 * error + 1e-5 * light)


def test_banding_is_common_to_amplifiers_image_and_overscan(camera: Camera, tmp_path: Path) -> None:
    truth = night(camera, tmp_path, Effects(banding=Banding(sigma=4.0, rows=3.0)), biases=20)
    rows = []
    for exposure in truth.of_type("bias"):
        both = []
        for amp in camera.amplifiers(0):
            fixed = flipped(truth.detectors[0].bias_adu[amp.detector.slices], amp).mean(axis=1)
            both.append(read(truth, exposure, 0, amp.data).mean(axis=1) - fixed)
            level = read(truth, exposure, 0, amp.serial_overscan).mean(axis=1)
            # What is left: read noise of 32 overscan pixels and 256 of data, 3.3 to 5 adu each.
            assert np.std(both[-1] - level) < 1.2
        rows.append(both)
    bands = np.array(rows)
    bands -= bands.mean(axis=0)
    bands -= bands.mean(axis=2, keepdims=True)
    # 20 frames of 256 rows, six rows an independent number: 850, so 2.4 per cent; the fixed ramp's
    # mean took one twentieth of the variance, the frame's mean (a drift) a fortieth.
    assert bands.std() == pytest.approx(4.0 * np.sqrt(1 - 1 / 20 - 1 / 40), rel=0.08)
    assert np.corrcoef(bands[:, 0].ravel(), bands[:, 1].ravel())[0, 1] > 0.98


def test_codes_come_as_often_as_they_are_wide(camera: Camera, tmp_path: Path) -> None:
    effects = Effects(dnl=DifferentialNonLinearity(sigma=0.1, odd_even=0.1))
    truth = night(camera, tmp_path, effects, flats=10, flat_electrons=(8000.0,))
    for detector, number in BOTH:
        amp, known = camera.amplifiers(detector)[number], truth.detectors[detector]
        codes = np.concatenate([read(truth, e, detector, amp.data).ravel() for e in truth.of_type("flat")])
        width = widths(known.effects.dnl[number])
        middle = round(float(np.median(codes)))
        chosen = np.arange(middle - 60, middle + 60)
        counts = np.bincount(codes.astype(int), minlength=1 << 16)[chosen]
        smooth = np.polynomial.Polynomial.fit(chosen, np.log(counts / width[chosen]), 4)
        found = counts / np.exp(smooth(chosen))
        pull = (found - width[chosen]) / (width[chosen] / np.sqrt(counts))
        # 120 codes less the five numbers of the smooth distribution.
        assert np.sum(pull**2) / 115 == pytest.approx(1.0, abs=4 * np.sqrt(2 / 115))
        assert width[chosen].std() > 5 * np.median(width[chosen] / np.sqrt(counts))


def test_a_ramp_of_pairs_with_a_photodiode(camera: Camera, tmp_path: Path) -> None:
    ramp = Ramp(times=(1.0, 2.0, 4.0), rate=1000.0, order="shuffled", shutter=0.1, photodiode_noise=1e-3)
    truth = night(camera, tmp_path, Effects(), flats=2, ramp=ramp)
    taken = [e for e in truth.of_type("flat") if e.photodiode is not None]
    assert len(taken) == 6
    assert sorted({e.time for e in taken}) == [1.0, 2.0, 4.0]
    for a, b in zip(taken[::2], taken[1::2], strict=True):
        assert a.time == b.time
    for exposure in taken:
        (record,) = scan_frame(tmp_path / exposure.files[0], camera)
        assert record.facts.exposure_time == exposure.time
        assert record.facts.reason == "ramp"
        assert record.facts.photodiode == exposure.photodiode
        known = truth.detectors[0]
        light = exposure.electrons[0] / known.level["g"]
        assert light == pytest.approx((exposure.time + 0.1) * 1000.0, rel=1e-9)
        assert exposure.photodiode == pytest.approx(1e-6 * light, rel=5e-3)
    (plain,) = scan_frame(tmp_path / truth.of_type("flat")[0].files[0], camera)
    assert plain.facts.photodiode is None


def test_the_truth_of_effects_is_kept(camera: Camera, tmp_path: Path) -> None:
    everything = Effects(
        vampires=Vampires(),
        hot_columns=HotColumns(),
        brighter_fatter=BrighterFatter(),
        bleeding=Bleeding(),
        traps=Traps(),
        nonlinearity=NonLinearity(),
        gain_drift=GainDrift(),
        amplifier_offsets=AmplifierOffsets(),
        banding=Banding(),
        dnl=DifferentialNonLinearity(),
    )
    truth = night(camera, tmp_path, everything, biases=1, flats=1)
    again = load_truth(tmp_path)
    assert again.summary == truth.summary
    assert again.summary.plan.physics.effects == everything
    for number, detector in truth.detectors.items():
        for name, array in detector.effects.arrays().items():
            assert array.size
            np.testing.assert_array_equal(again.detectors[number].effects.arrays()[name], array)


def test_each_effect_changes_frames_and_none_is_on_by_default(camera: Camera, tmp_path: Path) -> None:
    on = {
        "vampires": Vampires(),
        "hot_columns": HotColumns(),
        "brighter_fatter": BrighterFatter(),
        "bleeding": Bleeding(full_well=20_000.0),
        "traps": Traps(),
        "nonlinearity": NonLinearity(),
        "gain_drift": GainDrift(jump=0.01, jump_at=0),
        "amplifier_offsets": AmplifierOffsets(),
        "banding": Banding(),
        "dnl": DifferentialNonLinearity(),
    }
    assert set(on) == set(Effects.model_fields)
    assert all(value is None for value in Effects().model_dump().values())

    def pixels(effects: Effects, folder: str) -> bytes:
        truth = night(camera, tmp_path / folder, effects, darks=1, flats=1, detectors=(0,))
        return b"".join(path.read_bytes() for path in truth.files)

    plain = pixels(Effects(), "plain")
    for name, effect in on.items():
        assert pixels(Effects.model_validate({name: effect}), name) != plain, name
