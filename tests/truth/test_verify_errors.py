"""Measured means are unbiased and quoted errors are right: 1,000 and more estimates of every check.

Each estimate is one amplifier of one frame of a simulated production: overscan fitted and subtracted,
master made of the frames, some frames in it and some not. z = (value - truth) / uncertainty must have mean
0 and width 1. Frames of one production share a master, so not all estimates are independent: limits are 5
standard errors of n / 2 estimates, and 3 per cent of the width for the approximations named in the code (the
master's noise taken as known, the noise of the fitted overscan Gaussian).
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest

from verify_arrays import Amp, Simulation, produce

FEW, MANY = 12, 45
"""Productions of 12 frames of 2 amplifiers: 288 estimates of every check, or 1,080."""

TRUTH = {"read_noise": {"A": 6.0, "B": 8.0}, "gain": {"A": 1.0, "B": 1.0}}

GAUSSIAN = {
    "level",
    "noise",
    "noise_certified",
    "noise_clean",
    "structure_blocks",
    "structure_rows",
    "structure_columns",
    "amplifier_ratio",
    "read_noise",
    "gain",
}


def z_scores(simulation: Simulation, productions: int = FEW) -> dict[str, np.ndarray]:
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(productions):
        for row in produce(simulation, seed).rows:
            if row.test not in GAUSSIAN or not row.applicable:
                continue
            truth = TRUTH.get(row.test, {}).get(row.amplifier, 0.0)
            if math.isfinite(row.square):
                found[row.test].append(row.square / row.square_uncertainty)
            else:
                found[row.test].append((row.value - truth) / row.uncertainty)
    return {test: np.array(scores) for test, scores in found.items()}


def require_standard(scores: dict[str, np.ndarray], enough: int) -> None:
    for test, z in scores.items():
        independent = len(z) / 2
        assert len(z) >= enough, test
        assert abs(np.mean(z)) < 5 / math.sqrt(independent), (test, np.mean(z))
        width = float(np.std(z))
        assert abs(width - 1) < 0.03 + 5 / math.sqrt(2 * independent), (test, width)


def clean(kind: str, **changes: object) -> Simulation:
    return Simulation(kind=kind, inputs=8, held_out=4, shape=(128, 128), **changes)  # type: ignore[arg-type]


def require_right_errors(kind: str, productions: int) -> None:
    scores = z_scores(clean(kind), productions)
    expected = {"noise", "noise_certified", "noise_clean"}
    expected |= {"structure_blocks", "structure_rows", "structure_columns"}
    expected |= {"flat": {"amplifier_ratio", "gain"}, "bias": {"level", "read_noise"}}.get(kind, {"level"})
    assert set(scores) == expected
    # pairs: the first frame has none before it
    require_standard(scores, enough=productions * 11 * 2)


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_errors_are_right(kind: str) -> None:
    require_right_errors(kind, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_errors_are_right_to_a_few_per_cent(kind: str) -> None:
    require_right_errors(kind, MANY)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mean_per_row", "median", "legendre"])
@pytest.mark.parametrize("inputs", [3, 20])
def test_errors_are_right_for_other_overscans_and_numbers(method: str, inputs: int) -> None:
    simulation = Simulation(kind="bias", inputs=inputs, held_out=4, method=method)
    require_standard(z_scores(simulation, productions=1000 // (2 * (inputs + 4)) + 30), enough=900)


def test_errors_are_right_for_correlated_noise() -> None:
    """Neighbours along rows with rho = 0.3: white errors would be a third too small for means."""
    kernel = np.array([[0.0, 0.0, 0.0], [0.0, 0.9486833, 0.3162278], [0.0, 0.0, 0.0]])
    assert float(np.sum(kernel**2)) == pytest.approx(1.0)
    scores = z_scores(clean("bias", correlation=kernel), productions=25)
    # The noise of the overscan is correlated too, which its model does not know: its error is the larger part
    # of the level's, and what it adds to rows is taken for structure. Columns and blocks are free of it.
    for test in ("structure_columns",):
        z = scores[test]
        assert abs(np.mean(z)) < 5 / math.sqrt(len(z) / 2), (test, np.mean(z))
        assert abs(np.std(z) - 1) < 0.05 + 5 / math.sqrt(len(z)), (test, np.std(z))


def test_the_error_of_the_level_knows_correlated_noise() -> None:
    """Residuals of correlated noise without an overscan: the width of z of 300 means, 1 +- 5 / sqrt(600)."""
    from fiducial.verify.checks.level import level
    from fiducial.verify.expected import ReadNoise
    from fiducial.verify.window import References, Residual, Subject

    rng = np.random.default_rng(11)
    known = ReadNoise(5.0, 0.0, "certified")
    scores, white = [], []
    for _ in range(300):
        noise = rng.standard_normal((130, 130)) * 5.0
        smooth = (noise[1:-1, 1:-1] + 0.5 * noise[1:-1, 2:] + 0.5 * noise[2:, 1:-1]) / math.sqrt(1.5)
        frame = Residual(
            smooth.astype(np.float32),
            np.full((128, 128), 5.0, np.float32),
            np.ones((128, 128), bool),
            "electron",
            known,
        )
        (found,) = level(Subject(frame, References(known), frame.residual, frame.residual))
        scores.append(found.value / found.uncertainty)
        white.append(found.value / (5.0 / 128))
    # c1 = (1 + 0.5 + 0.5)^2 / 1.5: the error of white noise would be 1.63 times too small
    assert float(np.std(white)) == pytest.approx(math.sqrt(4 / 1.5), rel=5 / math.sqrt(600))
    assert float(np.std(scores)) == pytest.approx(1.0, abs=0.05 + 5 / math.sqrt(600))


def test_outliers_of_clean_frames_are_those_expected() -> None:
    """5.7e-7 of 2 x 12 x 6 x 16,384 pixels: 1.4 expected; of darks with hot pixels not many more."""
    for kind in ("bias", "dark"):
        rows = [row for seed in range(6) for row in produce(clean(kind), seed).rows if row.test == "outliers"]
        expected = sum(row.reference for row in rows)
        counted = sum(row.value for row in rows)
        # Poisson skews faint darks: 0.1 e/s x 300 s is Gaussian to a third of the expected tail only.
        allowed = expected if kind == "bias" else 40 * expected
        assert counted <= allowed + 5 * math.sqrt(allowed), (kind, counted, expected)


def test_one_amplifier_and_small_frames_work_too() -> None:
    simulation = Simulation(kind="bias", shape=(40, 40), inputs=3, amps=(Amp("only", read_noise=5.0),))
    rows = produce(simulation, 1).rows
    assert {row.amplifier for row in rows} == {"only"}
    assert all(math.isfinite(row.value) for row in rows if row.applicable)
