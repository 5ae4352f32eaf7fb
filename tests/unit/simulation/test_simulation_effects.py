"""Each effect by itself, on arrays."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.cameras.model import Amplifier
from fiducial.simulation.effects import (
    AmplifierOffsets,
    Banding,
    BrighterFatter,
    Curve,
    DifferentialNonLinearity,
    GainDrift,
    HotColumns,
    NonLinearity,
    Traps,
    Vampires,
)
from fiducial.simulation.effects.banding import bands, shared
from fiducial.simulation.effects.bleeding import bleed
from fiducial.simulation.effects.brighter_fatter import a_matrix, displace
from fiducial.simulation.effects.dnl import convert, draw_edges, widths
from fiducial.simulation.effects.gain_drift import gain_scales
from fiducial.simulation.effects.geometry import in_readout_order, on_detector
from fiducial.simulation.effects.hot_columns import add_hot_columns, draw_hot_columns
from fiducial.simulation.effects.nonlinearity import draw_curve
from fiducial.simulation.effects.offsets import offsets
from fiducial.simulation.effects.traps import defer, draw_traps
from fiducial.simulation.effects.vampires import add_vampires, draw_vampires

AMPLIFIERS = load_camera("simcam").amplifiers(0)


@pytest.mark.parametrize(
    "settings", [(0.02, 1.0, 0.0), (0.1, 3.0, 0.0), (-0.05, 2.0, 0.05), (0.0, 2.0, -0.2)]
)
def test_the_curve_and_its_inverse(settings: tuple[float, float, float]) -> None:
    high, power, low = settings
    curve = Curve(high, power, low, 800.0, 9e4)
    true = np.concatenate([[-50.0, 0.0], np.geomspace(0.1, 9.5e4, 300)])
    measured = curve.measured(true)
    assert (np.diff(measured) > 0).all()
    # Newton ends below 1e-6 electron; the next step would be its square.
    np.testing.assert_allclose(measured + curve.correction(measured), true, rtol=0, atol=1e-6)
    # The slope is that of the sum, by differences.
    step = 1e-2
    numeric = 1 + (curve.correction(true[2:] + step) - curve.correction(true[2:] - step)) / (2 * step)
    np.testing.assert_allclose(curve.slope(true[2:]), numeric, atol=1e-4)


def test_the_curve_deviates_by_what_its_settings_say() -> None:
    curve = draw_curve(
        NonLinearity(high=0.03, low=0.04, low_scale=500, scatter=0), 8e4, np.random.default_rng(1)
    )
    assert curve.full_well == 8e4
    assert curve.correction(np.array([8e4]))[0] / 8e4 == pytest.approx(0.03, rel=1e-9)
    assert curve.correction(np.array([1e-3]))[0] / 1e-3 == pytest.approx(0.04, rel=1e-5)
    drawn = [draw_curve(NonLinearity(high=0.03), 8e4, np.random.default_rng(k)).high for k in range(200)]
    # Scatter of 10 per cent, known from 200 draws to 5 per cent of itself.
    assert np.std(drawn) / 0.03 == pytest.approx(0.1, rel=0.2)


def test_the_a_matrix_moves_charge_and_makes_none() -> None:
    settings = BrighterFatter(a00=-3e-6, reach=5, anisotropy=2.0)
    matrix = a_matrix(settings)
    whole = np.concatenate([matrix[:0:-1], matrix])
    whole = np.concatenate([whole[:, :0:-1], whole], axis=1)
    assert whole.shape == (11, 11)
    assert whole.sum() == pytest.approx(0, abs=1e-18)
    assert matrix[0, 0] == -3e-6
    assert matrix[1, 0] / matrix[0, 1] == pytest.approx(2.0)
    assert (matrix.ravel()[1:] > 0).all()


def test_displaced_charge_is_kept_and_its_covariances_are_those_of_the_matrix() -> None:
    matrix = a_matrix(BrighterFatter(a00=-3e-6))
    rng, mu, size = np.random.default_rng(7), 40_000.0, 1024
    charge = rng.poisson(mu, (size, size)).astype(np.float32)
    moved = displace(charge, matrix)
    assert moved.sum(dtype=np.float64) == pytest.approx(charge.sum(dtype=np.float64), rel=1e-8)
    found = covariances(moved, 3) / mu
    expected = flat_covariances(matrix, mu, 3) / mu
    # N pixels: a covariance is known to 1 / sqrt(N) of the variance, the variance to sqrt(2) of it.
    error = np.full((4, 4), 1 / size)
    error[0, 0] *= np.sqrt(2)
    assert np.abs((found - expected) / error).max() < 4.0
    # To first order Cov = a mu^2: 12 per cent of the variance go, all else is of the square of that.
    assert found[0, 0] == pytest.approx(1 + matrix[0, 0] * mu, abs=0.12**2)


def covariances(image: np.ndarray, lags: int) -> np.ndarray:
    centred = image.astype(float) - image.mean(dtype=float)
    ny, nx = centred.shape
    return np.array(
        [
            [np.mean(centred[i:, j:] * centred[: ny - i, : nx - j]) for j in range(lags + 1)]
            for i in range(lags + 1)
        ]
    )


def flat_covariances(matrix: np.ndarray, mu: float, lags: int, size: int = 64) -> np.ndarray:
    """Of a uniform flat: mu (exp(2 x) - 1) / (2 x) at each frequency, x = mu A (Astier et al. 2019)."""
    kernel = np.zeros((size, size))
    reach = len(matrix) - 1
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            kernel[i, j] = matrix[abs(i), abs(j)]
    x = mu * np.fft.fft2(kernel).real
    power = np.where(np.abs(x) < 1e-12, 1.0, np.expm1(2 * x) / np.where(x == 0, 1.0, 2 * x))
    return mu * np.fft.ifft2(power).real[: lags + 1, : lags + 1]


def test_a_bright_star_becomes_wider() -> None:
    y, x = np.mgrid[-20:21, -20:21]
    star = (1e5 / (2 * np.pi * 4) * np.exp(-(x**2 + y**2) / 8)).astype(np.float32)
    moved = displace(star, a_matrix(BrighterFatter(a00=-3e-6)))
    assert moved[20, 20] < star[20, 20]
    assert (moved * (x**2 + y**2)).sum() > (star * (x**2 + y**2)).sum()
    assert moved.sum() == pytest.approx(star.sum(), rel=1e-6)


def test_bleeding_fills_the_column_on_both_sides() -> None:
    charge = np.full((50, 3), 100.0, np.float32)
    charge[25, 1] = 1000 + 10 * 900.0 + 900.0
    spilled = bleed(charge, 1000.0)
    np.testing.assert_array_equal(spilled[:, [0, 2]], charge[:, [0, 2]])
    # The excess of 9,900 fills five and a half neighbours of room 900 on either side.
    np.testing.assert_allclose(spilled[20:31, 1], 1000.0)
    np.testing.assert_allclose(spilled[[19, 31], 1], 550.0)
    assert spilled.sum() == pytest.approx(charge.sum())
    assert bleed(charge, 1e5) is charge


def test_bleeding_into_the_register_is_lost_and_at_the_far_end_turns_back() -> None:
    near, far = np.zeros((2, 20, 1), np.float32)
    near[0], far[-1] = 5000.0, 5000.0
    spilled = bleed(near, 1000.0)
    assert spilled.sum() == pytest.approx(1000 + 2000)  # the half that went away from the register
    spilled = bleed(far, 1000.0)
    np.testing.assert_allclose(spilled[-5:], 1000.0)
    assert spilled.sum() == pytest.approx(5000.0)
    everywhere = bleed(np.full((20, 1), 3000.0, np.float32), 1000.0)
    np.testing.assert_allclose(everywhere, 1000.0)


def test_a_trap_defers_charge_and_keeps_its_sum() -> None:
    traps = draw_traps(Traps(count=1, size=400.0), AMPLIFIERS[0], 0, np.random.default_rng(4))
    row, column, size = (traps[0][name] for name in ("row", "column", "size"))
    charge = np.full((256, 256), 1000.0, np.float32)
    out, after = defer(charge, traps, 0.2, 200)
    changed = np.argwhere(out != charge)
    assert set(changed[:, 1]) == {column}
    assert changed[0, 0] == row
    assert out[row, column] == pytest.approx(1000.0 - size, rel=1e-6)  # it fills the empty trap
    np.testing.assert_allclose(out[row + 1 :, column], 1000.0)  # and nothing more, once it is full
    # Then it empties: a geometric series, whose sum is its size but for 0.8^200.
    np.testing.assert_allclose(after[:3, column], size * 0.2 * 0.8 ** np.arange(3), rtol=1e-5)
    assert out.sum(dtype=float) + after.sum(dtype=float) == pytest.approx(charge.sum(dtype=float), rel=1e-9)


def test_hot_columns_glow_away_from_the_register() -> None:
    for number, amp in enumerate(AMPLIFIERS):
        found = draw_hot_columns(HotColumns(count=5), amp, number, np.random.default_rng(3))
        dark = np.zeros((256, 512), np.float32)
        add_hot_columns(dark, found)
        assert sorted(set(np.nonzero(dark)[1])) == sorted(found["x"])
        for one in found:
            assert amp.detector.x0 <= one["x"] < amp.detector.x1
            np.testing.assert_allclose(dark[one["y0"] : one["y1"], one["x"]], one["rate"], rtol=1e-6)
            assert one["y1"] == 256  # both amplifiers read from the bottom


def test_vampires_gain_what_their_neighbours_lose() -> None:
    settings = Vampires(count=1, strength=1.5, radius=3)
    light = np.random.default_rng(1).uniform(0.9, 1.1, (256, 512)).astype(np.float32)
    before = light.copy()
    (one,) = found = draw_vampires(settings, AMPLIFIERS[1], 1, np.random.default_rng(2))
    add_vampires(light, found, settings)
    assert light.sum(dtype=float) == pytest.approx(before.sum(dtype=float), rel=1e-7)
    assert light[one["y"], one["x"]] > 2.2
    changed = (
        light[one["y"] - 5 : one["y"] + 6, one["x"] - 5 : one["x"] + 6]
        < 0.99 * before[one["y"] - 5 : one["y"] + 6, one["x"] - 5 : one["x"] + 6]
    )
    assert changed.sum() == 28  # whole pixels within three of the centre
    assert ((light != before).sum()) == 29


def test_places_in_readout_order_are_those_on_the_detector() -> None:
    content = AMPLIFIERS[1].model_dump(mode="json")
    for corner in ("LL", "LR", "UL", "UR"):
        amp = Amplifier.model_validate(content | {"read_corner": corner})
        detector = np.arange(256 * 512).reshape(256, 512)
        read = in_readout_order(detector[amp.detector.slices], amp)
        rows, columns = np.array([0, 3, 200]), np.array([0, 7, 255])
        np.testing.assert_array_equal(read[rows, columns], detector[on_detector(rows, columns, amp)])
    # B is stored mirrored and read from the left: its first pixel is the detector's last of row 0.
    assert on_detector(np.array([0]), np.array([0]), AMPLIFIERS[1]) == (0, 511)


def test_gains_drift_with_time_and_temperature_and_jump() -> None:
    drift = GainDrift(per_hour=1e-3, per_degree=2e-4, scatter=0.0)
    assert gain_scales(drift, 2, 0, 0.0, 0.0, 1, 0) == (1.0, 1.0)
    np.testing.assert_allclose(gain_scales(drift, 2, 9, 2.0, -5.0, 1, 0), np.exp(1e-3), rtol=1e-12)
    jump = GainDrift(per_hour=0, jump=0.05, jump_at=5)
    assert set(gain_scales(jump, 400, 4, 1.0, 0.0, 1, 0)) == {1.0}
    # 400 amplifiers know their scatter to 3.5 per cent of itself; three times that.
    assert np.std(np.log(gain_scales(jump, 400, 5, 1.0, 0.0, 1, 0))) == pytest.approx(0.05, rel=0.11)


def test_amplifier_offsets_come_with_light() -> None:
    settings = AmplifierOffsets(lit=2.0)
    assert not any(offsets(settings, 4, 3, False, 1, 0))
    assert offsets(settings, 4, 3, True, 1, 0) == offsets(settings, 4, 8, True, 1, 0)
    jitter = AmplifierOffsets(lit=0.0, jitter=1.5)
    drawn = np.array([offsets(jitter, 16, k, False, 1, 0) for k in range(50)])
    assert drawn.std() == pytest.approx(1.5, rel=3 / np.sqrt(2 * 800))


def test_bands_have_their_size_and_correlation() -> None:
    rng = np.random.default_rng(5)
    settings = Banding(sigma=2.0, rows=5.0, own=0.25)
    common, one, two = (bands(settings, 200_000, rng) for _ in range(3))
    first, second = shared(settings, common, one), shared(settings, common, two)
    # Some 200,000 / 10 independent rows: sizes to 0.5 per cent, correlations to 0.007.
    assert first.std() == pytest.approx(2.0, rel=0.02)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.75, abs=0.03)
    assert np.corrcoef(first[5:], first[:-5])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)


def test_codes_are_as_wide_as_their_edges_say() -> None:
    edges = draw_edges(DifferentialNonLinearity(sigma=0.05, odd_even=0.2, bits=8), np.random.default_rng(1))
    width = widths(edges)
    assert width[0::2].mean() - width[1::2].mean() == pytest.approx(0.4, abs=0.05)
    signal = np.linspace(-2.0, 258.0, 2_600_001)  # a ramp of steps of 1e-4
    codes = convert(signal, edges)
    counts = np.bincount(codes.astype(int), minlength=256)
    np.testing.assert_allclose(counts[1:-1] * 1e-4, width[1:-1], atol=2e-4)
    assert (np.diff(codes) >= 0).all()
    ideal = convert(signal, np.full(257, -0.5, np.float32))
    np.testing.assert_array_equal(ideal, np.clip(np.floor(signal + 0.5), 0, 255))
