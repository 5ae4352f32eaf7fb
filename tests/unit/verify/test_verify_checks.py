"""Each check on a residual made by hand: what it sees, and what it does not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fiducial.verify.checks import Measurement, amplifier_checks, detector_checks
from fiducial.verify.checks.level import level
from fiducial.verify.checks.noise import noise
from fiducial.verify.checks.noise_clean import cosmic_rays, noise_clean
from fiducial.verify.checks.outliers import outliers, tail
from fiducial.verify.checks.pairs import gain, read_noise
from fiducial.verify.checks.ratio import FlatLevel, amplifier_ratio, ratios, weighted_median
from fiducial.verify.checks.structure import Groups, expected_variance_of_means, structure
from fiducial.verify.correlation import correlation_of
from fiducial.verify.expected import OverscanError, ReadNoise
from fiducial.verify.window import Previous, References, Residual, Subject

SHAPE = (256, 256)
SIGMA = 6.0
OVERSCAN = OverscanError(pixel=1.0, row=1.0, level=1.0 / 256)


def subject(residual: np.ndarray, **changes: Any) -> Subject:
    """An amplifier with read noise 6 electrons (its own overscan's, exactly known) and no overscan noise."""
    frame: dict[str, Any] = {
        "residual": residual.astype(np.float32),
        "sigma": np.full(residual.shape, SIGMA, np.float32),
        "usable": np.ones(residual.shape, bool),
        "unit": "electron",
        "read_noise": ReadNoise(SIGMA, 0.0, "overscan"),
    }
    outer: dict[str, Any] = {
        "references": References(certified=ReadNoise(SIGMA, 0.0, "certified")),
        "signal": residual.astype(np.float32),
        "master": np.zeros(residual.shape, np.float32),
    }
    for key, value in changes.items():
        (frame if key in Residual.__dataclass_fields__ else outer)[key] = value
    return Subject(residual=Residual(**frame), **outer)


def white(seed: int = 1, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape) * SIGMA


def of(found: list[Measurement], test: str) -> Measurement:
    (one,) = [measurement for measurement in found if measurement.test == test]
    return one


def test_every_check_is_found_for_its_kinds() -> None:
    names = {
        kind: {
            check.name for check in amplifier_checks(kind) if check.measure.__module__.startswith("fiducial.")
        }
        for kind in ("bias", "dark", "flat")  # plug-ins may be installed beside
    }
    assert names["bias"] == {"level", "noise", "noise_clean", "outliers", "structure", "read_noise"}
    assert names["dark"] == {"level", "noise", "noise_clean", "outliers", "structure"}
    assert names["flat"] == {
        "noise",
        "noise_clean",
        "outliers",
        "structure",
        "gain",
        "flat_level_of_amplifier",
    }
    assert [check.name for check in detector_checks("flat")] == ["amplifier_ratio"]
    assert detector_checks("bias") == []


def test_level_is_the_mean_of_the_residual() -> None:
    (found,) = level(subject(white() + 3.0))
    assert found.value == pytest.approx(3.0, abs=5 * SIGMA / 256)
    assert found.uncertainty == pytest.approx(SIGMA / 256, rel=1e-3)


def test_level_carries_the_error_of_the_overscan() -> None:
    sigma = np.full(SHAPE, math.sqrt(SIGMA**2 + 1.0), np.float32)
    (found,) = level(subject(white(), overscan=OVERSCAN, sigma=sigma, factor=1.2))
    expected = math.sqrt((SIGMA**2 + 1.0 - 1.2) / 65536 + 1.2 / 256)
    assert found.uncertainty == pytest.approx(expected, rel=1e-3)


def test_a_cosmic_ray_does_not_move_the_level() -> None:
    hit = white()
    hit[10:14, 20:40] += 5000.0
    (clean,), (found,) = level(subject(white())), level(subject(hit))
    # 80 pixels fewer among 65,536, each of sigma 6
    assert found.value == pytest.approx(clean.value, abs=5 * SIGMA * math.sqrt(80) / 65536)


def test_a_frame_shifted_by_ten_sigma_is_not_emptied() -> None:
    (found,) = level(subject(white() + 10 * SIGMA))
    assert found.n_pixels > 65_000
    assert found.value == pytest.approx(60.0, abs=5 * SIGMA / 256)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_noise_is_measured_both_ways(factor: float) -> None:
    """Error 1 / sqrt(2n) of the width itself; above, the clip at 5 cuts tails of a wider Gaussian."""
    found = noise(subject(white() * factor))
    for test in ("noise", "noise_certified"):
        tolerance = 5 * factor / math.sqrt(2 * 65536) + (0.06 * factor if factor > 1.5 else 0.0)
        assert of(found, test).value == pytest.approx(factor - 1.0, abs=tolerance)
    assert of(found, "noise").uncertainty == pytest.approx(1 / math.sqrt(2 * 65536), rel=0.01)


def test_a_wrong_certified_value_shows_in_its_own_test_only() -> None:
    found = noise(subject(white(), references=References(certified=ReadNoise(9.0, 0.0, "certified"))))
    assert of(found, "noise").value == pytest.approx(0.0, abs=0.015)
    assert of(found, "noise_certified").value == pytest.approx(6 / 9 - 1, abs=0.015)


def test_the_error_of_the_read_noise_enters_by_its_share() -> None:
    """With as much photon noise as read noise, half of the relative error of the read noise."""
    sigma = np.full(SHAPE, SIGMA * math.sqrt(2), np.float32)
    rough = ReadNoise(SIGMA, 0.02 * SIGMA, "overscan")
    found = of(noise(subject(white() * math.sqrt(2), sigma=sigma, read_noise=rough)), "noise")
    assert found.uncertainty == pytest.approx(math.hypot(0.5 * 0.02, 1 / math.sqrt(2 * 65536)), rel=0.01)


def test_without_any_reference_the_noise_is_not_applicable() -> None:
    references = References(certified=ReadNoise(SIGMA, 0.0, "certified"), no_read_noise="no overscan")
    found = noise(subject(white(), references=references))
    assert of(found, "noise").applicable is False
    assert of(found, "noise").note == "no overscan"
    assert of(found, "noise_certified").applicable is True


def test_the_clean_noise_leaves_out_what_a_cosmic_ray_touches() -> None:
    hit = white()
    track = [(100 + i, 50 + 2 * i) for i in range(60)]
    for y, x in track:
        hit[y, x] += 200.0
        hit[y, x + 1] += 4.0 * SIGMA  # the wing of the track: below 5 sigma, and not to be kept
    wings = [(y, x + 1) for y, x in track if hit[y, x + 1] > 2 * SIGMA]
    mask = cosmic_rays(subject(hit).residual)
    assert all(mask[y, x] for y, x in track)
    assert all(mask[y, x] for y, x in wings)
    assert np.count_nonzero(mask) < 250
    dirty, (clean,) = of(noise(subject(hit)), "noise"), noise_clean(subject(hit))
    assert clean.value < dirty.value


def test_outliers_are_counted_against_what_is_expected() -> None:
    hit = white()
    hit[:1, :7] += 100.0
    hit[1, 1] -= 100.0
    references = References(
        certified=ReadNoise(SIGMA, 0.0, "certified"), known_defects=2.0, cosmic_ray_pixels=3.0
    )
    (found,) = outliers(subject(hit, references=references))
    assert found.value == 8.0
    assert found.reference == pytest.approx(5.733e-7 * 65536 + 5.0)
    assert found.uncertainty == pytest.approx(math.sqrt(found.reference))


def test_outliers_of_frames_that_few_others_are_stacked_with_are_expected() -> None:
    """Of two frames one is clipped where they differ by 3 sigma, and is then 6 sigma off the other."""
    assert tail(1.1) == pytest.approx(5.733e-7, rel=1e-3)
    assert tail(0.5) == pytest.approx(2.7e-3, rel=0.01)
    rng = np.random.default_rng(13)
    frames = rng.standard_normal((2, *SHAPE))
    difference = (frames[0] - frames[1]) / math.sqrt(2.0)
    left_out = (np.abs(difference) > 3.0) & (difference > 0)
    mean = np.where(left_out, frames[1], frames.mean(axis=0))
    sigma = np.full(SHAPE, math.sqrt(0.5), np.float32)
    (found,) = outliers(subject(frames[0] - mean, sigma=sigma, factor=0.5))
    assert found.value > 20 * 5.733e-7 * 65536
    assert found.value < found.reference + 5 * found.uncertainty


def test_masked_pixels_are_nothing() -> None:
    hit = white()
    hit[:32, :32] = np.nan
    usable = np.ones(SHAPE, bool)
    usable[:32, :32] = False
    bad = subject(hit, usable=usable)
    assert outliers(bad)[0].value == 0.0
    assert level(bad)[0].n_pixels == 65536 - 1024
    assert of(noise(bad), "noise").value == pytest.approx(0.0, abs=0.015)
    assert all(math.isfinite(one.value) for one in structure(bad))


def test_an_amplifier_without_pixels_is_not_applicable() -> None:
    empty = subject(white(), usable=np.zeros(SHAPE, bool))
    for check in amplifier_checks("bias"):
        assert all(not one.applicable for one in check.measure(empty)), check.name


def test_stripes_are_seen_in_rows_and_corners_in_blocks() -> None:
    """Stripes of one electron on every fourth row: rms of the row means 0.43 electron."""
    striped = white()
    striped[::4] += 1.0
    found = structure(subject(striped))
    expected = math.sqrt(3 / 16)
    rows = of(found, "structure_rows")
    assert rows.value == pytest.approx(expected, abs=0.05)
    assert rows.square / rows.square_uncertainty > 10
    for other in ("structure_columns", "structure_blocks"):
        assert of(found, other).square < 5 * of(found, other).square_uncertainty


def test_columns_are_seen_in_columns() -> None:
    banded = white()
    banded[:, ::2] += 1.0
    found = structure(subject(banded))
    assert of(found, "structure_columns").value == pytest.approx(0.5, abs=0.05)
    assert of(found, "structure_rows").square < 5 * of(found, "structure_rows").square_uncertainty


@pytest.mark.parametrize("amplitude", [8.0, 200.0])
def test_a_corner_glow_is_seen(amplitude: float) -> None:
    """A glow of 20 pixels' scale in a corner; even one whose every pixel is beyond 5 sigma."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    glow = amplitude * np.exp(-np.hypot(y - 255, x - 255) / 20.0)
    found = structure(subject(white() + glow))
    blocks = of(found, "structure_blocks")
    assert blocks.square > 0.6**2 * (0.3 if amplitude < 10 else 1.0)
    assert blocks.square / blocks.square_uncertainty > 10
    assert of(found, "structure_peak").value > 8.0


def test_structure_of_white_noise_is_none() -> None:
    for one in structure(subject(white())):
        if math.isfinite(one.square):
            assert abs(one.square) < 5 * one.square_uncertainty
    assert of(structure(subject(white())), "structure_peak").reference == 64.0


def test_structure_of_flats_is_relative() -> None:
    model = np.full(SHAPE, 3600.0, np.float32)
    model[:, :128] = 36_000.0
    sigma = np.sqrt(model)
    ripple = 0.01 * np.sin(np.arange(256) / 10.0)[:, None] * model
    residual = np.random.default_rng(2).standard_normal(SHAPE) * sigma + ripple
    found = of(structure(subject(residual, model=model, sigma=sigma)), "structure_rows")
    assert found.unit == ""
    assert found.value == pytest.approx(0.01 / math.sqrt(2), rel=0.1)


def test_the_variance_of_means_with_a_shared_error() -> None:
    """The formula against 20,000 draws of 6 rows of 5 blocks; errors from the draws themselves."""
    rng = np.random.default_rng(3)
    own = rng.uniform(0.5, 2.0, 30)
    rows = np.repeat(np.arange(6), 5)
    shared = np.full(30, 0.7)
    expectation, error = expected_variance_of_means(Groups(np.zeros(30), own, rows, shared))
    draws = rng.standard_normal((20_000, 30)) * np.sqrt(own)
    draws += np.repeat(rng.standard_normal((20_000, 6)) * math.sqrt(0.7), 5, axis=1)
    variances = draws.var(axis=1, ddof=1)
    assert expectation == pytest.approx(variances.mean(), abs=5 * variances.std() / math.sqrt(20_000))
    # the relative error of a standard deviation is 1 / sqrt(2n) for Gaussian values; twice for the tails
    assert error == pytest.approx(variances.std(), rel=10 / math.sqrt(40_000))


def test_small_amplifiers_have_small_blocks_and_tiny_ones_none() -> None:
    (found,) = [one for one in structure(subject(white(shape=(64, 64)))) if one.test == "structure_blocks"]
    assert found.applicable
    (tiny,) = [one for one in structure(subject(white(shape=(32, 40)))) if one.test == "structure_blocks"]
    assert tiny.applicable is False


def test_white_noise_is_not_correlated() -> None:
    found = correlation_of(white().astype(np.float32) / SIGMA, np.ones(SHAPE, bool))
    assert (found.c1, found.c1_row, found.c1_column) == pytest.approx((1.0, 1.0, 1.0), abs=0.1)


def test_the_correlation_of_smoothed_noise() -> None:
    """(a + b) / sqrt 2 of neighbours along rows: rho(1, 0) = 1/2, so c1 = 2, c2 = 1.5, along columns 1."""
    noise_ = np.random.default_rng(5).standard_normal((256, 257))
    smoothed = ((noise_[:, 1:] + noise_[:, :-1]) / math.sqrt(2)).astype(np.float32)
    found = correlation_of(smoothed, np.ones(SHAPE, bool))
    assert found.c1 == pytest.approx(2.0, rel=0.05)
    assert found.c2 == pytest.approx(1.5, rel=0.05)
    assert found.c1_row == pytest.approx(2.0, rel=0.05)
    assert found.c1_column == pytest.approx(1.0, abs=0.02)


def test_structure_does_not_pass_for_correlated_noise() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    glow = 1.0 * np.exp(-np.hypot(y - 255, x - 255) / 40.0)
    stripes = (np.arange(256) % 4 == 0)[:, None] * 1.0
    found = correlation_of((white() / SIGMA + glow + stripes).astype(np.float32), np.ones(SHAPE, bool))
    assert found.c1 == pytest.approx(1.0, abs=0.15)


def test_the_ratio_is_that_to_the_median_amplifier() -> None:
    levels = [FlatLevel(value, 1.0, 100) for value in (1000.0, 1000.0, 1010.0)]
    assert [one.value for one in ratios(levels, "amplifier_ratio")] == pytest.approx([0.0, 0.0, 0.01])


def test_two_amplifiers_share_their_difference() -> None:
    found = ratios([FlatLevel(990.0, 3.0, 1), FlatLevel(1010.0, 4.0, 1)], "amplifier_ratio")
    assert [one.value for one in found] == pytest.approx([-0.01, 0.01])
    # q1 / mean - 1 = (q1 - q2) / 2000: error 5 / 2000
    assert found[0].uncertainty == pytest.approx(0.0025)


def test_one_amplifier_has_no_ratio() -> None:
    (found,) = ratios([FlatLevel(1000.0, 1.0, 100)], "amplifier_ratio")
    assert found.applicable is False
    assert "two" in found.note


def test_a_weighted_median() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert weighted_median(values, np.ones(4)) == 2.5
    assert weighted_median(values, np.array([1.0, 1.0, 1.0, 9.0])) == 4.0
    assert weighted_median(values[:3], np.ones(3)) == 2.0


def test_a_gain_step_of_the_raw_levels_is_no_fault_and_a_changed_ratio_is() -> None:
    """Amplifier B has 1.3 times the level of A, in the frame and in the master; then 1 per cent more."""

    def flat(response: float, change: float, seed: int) -> Subject:
        master = np.full(SHAPE, response, np.float32)
        expected = 20_000.0 * master
        signal = np.random.default_rng(seed).poisson(expected * change).astype(np.float32)
        sigma = np.sqrt(expected)
        return subject(signal - expected, sigma=sigma, signal=signal, master=master, model=expected)

    (a, b) = amplifier_ratio([flat(1.0, 1.0, 1), flat(1.3, 1.0, 2)])
    assert abs(b.value) < 5 * b.uncertainty
    assert b.uncertainty < 1e-4
    (a, b) = amplifier_ratio([flat(1.0, 1.0, 1), flat(1.3, 1.01, 2)])
    assert (a.value, b.value) == pytest.approx((-0.005, 0.005), abs=1e-4)


def test_read_noise_of_a_pair() -> None:
    before = Previous(white(7).astype(np.float32) + 4.0, np.ones(SHAPE, bool), 1.0)
    (found,) = read_noise(subject(white(8), previous=before))
    assert found.value == pytest.approx(SIGMA, abs=5 * found.uncertainty)
    assert found.uncertainty == pytest.approx(SIGMA / math.sqrt(4 * 65536), rel=0.5)
    (alone,) = read_noise(subject(white(8)))
    assert alone.applicable is False


def test_read_noise_of_a_pair_does_not_see_the_noise_of_the_overscan() -> None:
    """Each row of both frames is off by 3 electrons rms: what a bad overscan does."""
    rng = np.random.default_rng(9)
    rows = rng.standard_normal((2, SHAPE[0], 1)) * 3.0
    before = Previous((white(7) + rows[0]).astype(np.float32), np.ones(SHAPE, bool), 1.0)
    (found,) = read_noise(subject(white(8) + rows[1], previous=before, overscan=OVERSCAN))
    assert found.value == pytest.approx(SIGMA, abs=5 * SIGMA / math.sqrt(4 * 65536))
    (without,) = read_noise(subject(white(8) + rows[1], previous=before))
    assert without.value == pytest.approx(math.hypot(SIGMA, 3.0), rel=0.05)


def test_gain_of_a_pair_is_in_electrons_per_adu() -> None:
    """Frames in electrons that were multiplied by 2.1 instead of the true 2.0: it comes out as 2.0."""

    def flat(seed: int) -> np.ndarray:
        adu = np.random.default_rng(seed).poisson(np.full(SHAPE, 20_000.0)) / 2.0
        return (adu * 2.1).astype(np.float32)

    references = References(certified=ReadNoise(SIGMA, 0.0, "certified"), gain=2.1)
    before = Previous(flat(1), np.ones(SHAPE, bool), 21_000.0)
    (found,) = gain(subject(flat(2), previous=before, references=references, scale=21_000.0))
    assert found.value == pytest.approx(2.0, abs=5 * found.uncertainty + 0.01)
    assert found.unit == "electron / adu"
    (other,) = gain(subject(flat(2), previous=before, references=references, scale=40_000.0))
    assert other.applicable is False
