"""Faults of verifications in the field that must not exist here: each planted, and judged rightly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fiducial.verify.criteria import load_criteria
from fiducial.verify.engine import judge
from fiducial.verify.rows import Row, rows_from_arrow
from verify_arrays import Amp, Measured, Simulation, produce

CRITERIA = load_criteria()


def verdict(measured: Measured) -> dict[str, Any]:
    return judge(measured.rows, CRITERIA).verdict


def outcomes(measured: Measured, test: str, **where: Any) -> set[str]:
    rows: list[Row] = rows_from_arrow(judge(measured.rows, CRITERIA).rows)
    return {
        row.outcome
        for row in rows
        if row.test == test
        and row.scope == "amplifier"
        and all(getattr(row, key) == value for key, value in where.items())
    }


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_noise_fails_both_ways(factor: float) -> None:
    """One-sided noise: an image that is too quiet (a dead video chain, a frame processed before) passed."""

    def spoil(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        return data * factor if (frame, amplifier) == (8, 0) else data

    measured = produce(Simulation(kind="bias", inputs=8, held_out=2, damage=spoil), 1)
    assert outcomes(measured, "noise", exposure=1008, amplifier="A") == {"fail"}
    said = verdict(measured)
    assert said["verdict"] == "warn"
    assert said["products"][0]["frames_set_aside"] == [1008]
    assert any("1008" in reason and "noise" in reason for reason in said["reasons"])


def test_an_amplifier_that_is_too_quiet_fails_the_product() -> None:
    def spoil(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        return data * 0.8 if amplifier == 1 else data

    said = verdict(produce(Simulation(kind="bias", inputs=8, damage=spoil), 2))
    assert said["verdict"] == "fail"
    assert said["products"][0]["amplifiers_failed"] == ["B"]


@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0])
def test_real_dark_current_does_not_fail(rate: float) -> None:
    """Dark noise without shot noise: at 5 e/s and 300 s the noise is six times the read noise, and right."""
    measured = produce(Simulation(kind="dark", inputs=8, held_out=3, dark_rate=rate), 3)
    shot = np.sqrt(rate * 300.0)
    if rate > 1:
        assert shot > 5 * 6.0
    assert outcomes(measured, "noise") == {"pass"}
    assert verdict(measured)["verdict"] != "fail"
    assert verdict(measured)["products"][0]["frames_set_aside"] == []


def test_hot_pixels_are_no_outliers_of_darks() -> None:
    """Each pixel has the shot noise of its own dark current, not of the mean."""
    measured = produce(Simulation(kind="dark", inputs=8, held_out=3, dark_rate=0.5, hot=0.02), 4)
    counts = measured.values("outliers")
    hot = 0.02 * 128 * 128
    assert counts.max() < 0.02 * hot


@pytest.mark.parametrize("certified", [3.0, 12.0])
def test_a_wrong_certified_read_noise_condemns_no_frame(certified: float) -> None:
    amps = (Amp("A", read_noise=6.0, certified=certified), Amp("B", read_noise=8.0))
    measured = produce(Simulation(kind="bias", inputs=8, held_out=3, amps=amps), 5)
    assert outcomes(measured, "noise") == {"pass"}
    assert outcomes(measured, "noise_certified", amplifier="A") == {"fail"}
    assert outcomes(measured, "noise_certified", amplifier="B") == {"pass"}
    said = verdict(measured)
    (product,) = said["products"]
    assert product["amplifiers_failed"] == []
    assert product["frames_set_aside"] == []
    assert said["verdict"] == "warn"
    (reason,) = [one for one in said["reasons"] if "certified" in one]
    assert "amplifier A" in reason
    assert "condemns no frame" in reason


def test_a_gain_step_between_amplifiers_is_no_fault_of_flats() -> None:
    """Absolute scatter of levels: amplifiers whose raw levels differ by 30 per cent failed for that."""
    amps = (Amp("A"), Amp("B", response=1.3), Amp("C", response=0.8))
    measured = produce(Simulation(kind="flat", inputs=8, held_out=3, amps=amps), 6)
    assert outcomes(measured, "amplifier_ratio") == {"pass"}
    assert verdict(measured)["verdict"] != "fail"


def test_a_changed_amplifier_ratio_is_one() -> None:
    def spoil(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        return data * 1.02 if frame >= 8 and amplifier == 1 else data

    amps = (Amp("A"), Amp("B", response=1.3), Amp("C", response=0.8))
    measured = produce(Simulation(kind="flat", inputs=8, held_out=4, amps=amps, damage=spoil), 7)
    assert outcomes(measured, "amplifier_ratio", amplifier="B", role="held_out") == {"fail"}
    assert outcomes(measured, "amplifier_ratio", amplifier="A", role="held_out") == {"pass"}
    # Nothing else is wrong with it.
    assert outcomes(measured, "noise", amplifier="B") == {"pass"}
    assert outcomes(measured, "structure_blocks", amplifier="B") == {"pass"}
    assert verdict(measured)["products"][0]["frames_set_aside"] == [1008, 1009, 1010, 1011]


def test_a_changed_detector_ratio_is_seen_over_detectors() -> None:
    measured = produce(Simulation(kind="flat", inputs=5, held_out=1), 8)
    rows: list[Row] = []
    for detector in range(4):
        for row in measured.rows:
            value = row.value
            if detector == 2 and row.exposure == 1005 and row.test == "flat_level":
                value *= 1.03
            rows.append(replace(row, detector=detector, value=value))
    found = [row for row in rows_from_arrow(judge(rows, CRITERIA).rows) if row.test == "detector_ratio"]
    single = [row for row in found if row.scope == "detector"]
    assert len(single) == 4 * 6
    assert [(row.detector, row.exposure) for row in single if row.outcome == "fail"] == [(2, 1005)]


def test_stripes_of_a_first_exposure_are_measured_and_do_not_count() -> None:
    def stripes(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        if frame != 8:
            return data
        striped = data.copy()
        striped[::2] += 10.0
        return striped

    simulation = Simulation(kind="bias", inputs=8, held_out=2, damage=stripes, first=(8,))
    measured = produce(simulation, 9)
    assert outcomes(measured, "structure_rows", exposure=1008) == {"fail"}
    assert outcomes(measured, "structure_rows", role="input") == {"pass"}
    said = verdict(measured)
    assert said["verdict"] == "pass"
    (frame,) = [one for one in said["frames"] if one["exposure"] == 1008]
    assert frame["counts"] is False
    assert "0 A structure_rows" in frame["failures"]
    # The same frame counts if it is no first exposure.
    assert verdict(produce(replace(simulation, first=()), 9))["verdict"] == "warn"


def test_a_corner_glow_is_seen() -> None:
    def glow(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        if frame != 8 or amplifier != 0:
            return data
        y, x = np.mgrid[: data.shape[0], : data.shape[1]]
        return data + 15.0 * np.exp(-np.hypot(y, x) / 20.0)

    measured = produce(Simulation(kind="bias", inputs=8, held_out=2, damage=glow), 10)
    assert outcomes(measured, "structure_blocks", exposure=1008, amplifier="A") == {"fail"}
    assert outcomes(measured, "structure_blocks", exposure=1008, amplifier="B") == {"pass"}
    assert outcomes(measured, "structure_peak", exposure=1008, amplifier="A") == {"warn"}


def test_a_shifted_level_is_seen_and_nothing_else_of_it() -> None:
    def shift(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        return data + 5.0 if (frame, amplifier) == (9, 1) else data

    measured = produce(Simulation(kind="bias", inputs=8, held_out=2, damage=shift), 11)
    assert outcomes(measured, "level", exposure=1009, amplifier="B") == {"fail"}
    for test in ("noise", "outliers", "structure_blocks", "structure_rows"):
        assert outcomes(measured, test, exposure=1009, amplifier="B") == {"pass"}


def test_a_dark_among_flats_is_named() -> None:
    """Without light there is nothing to measure; that must not pass for a frame without fault."""

    def dark(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        if frame != 8:
            return data
        return np.random.default_rng(frame).standard_normal(data.shape) * 6.0 + 3.0

    said = verdict(produce(Simulation(kind="flat", inputs=8, held_out=2, damage=dark), 12))
    assert said["verdict"] == "warn"
    assert said["products"][0]["frames_set_aside"] == [1008]
    (frame,) = [one for one in said["frames"] if one["exposure"] == 1008]
    assert frame["outcome"] == "fail"
    assert "nothing can be measured" in frame["problems"][0]
    assert any("1008" in reason for reason in said["reasons"])


def test_brighter_fatter_of_unknown_size_does_not_fail_and_known_size_is_used() -> None:
    """Noise lowered by a00 = -3e-6 at 50,000 electrons: 8 per cent, beyond the limit of 5."""

    def fatter(data: np.ndarray, frame: int, amplifier: int) -> np.ndarray:
        smooth = simulation.scene(amplifier) * simulation.level
        return smooth + (data - smooth) * np.sqrt(1 - 3e-6 * smooth)

    simulation = Simulation(kind="flat", inputs=8, held_out=2, level=50_000.0, damage=fatter)
    for a00, value in ((None, -0.07), (-3e-6, 0.0)):
        measured = produce(replace(simulation, a00=a00), 13)
        assert outcomes(measured, "noise") == {"pass"}
        assert float(np.mean(measured.values("noise"))) == pytest.approx(value, abs=0.012)
    assert "fail" in outcomes(produce(replace(simulation, a00=0.0), 13), "noise")


@pytest.mark.parametrize(("amplifier", "frame"), [(0, 3), (1, 9)])
def test_a_failure_of_one_amplifier_always_shows(amplifier: int, frame: int) -> None:
    """Failures lost in merging: flats had rows of whole detectors, and those of amplifiers vanished."""

    def spoil(data: np.ndarray, number: int, index: int) -> np.ndarray:
        if (number, index) != (frame, amplifier):
            return data
        rng = np.random.default_rng(1)
        return data + rng.standard_normal(data.shape) * 120.0

    measured = produce(Simulation(kind="flat", inputs=8, held_out=2, damage=spoil), 14)
    said = verdict(measured)
    name = "AB"[amplifier]
    (found,) = [one for one in said["frames"] if one["exposure"] == 1000 + frame]
    assert f"0 {name} noise" in found["failures"]
    assert any(f"exposure {1000 + frame}" in reason for reason in said["reasons"])
    assert said["verdict"] != "pass"
