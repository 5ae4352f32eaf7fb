"""Photon transfer along the light of a real spectrograph: one level of flats, a factor of 30 in signal."""

from __future__ import annotations

from math import hypot, sqrt
from pathlib import Path

import pytest

from fiducial.algorithms.ptc_fit import ReadNoise, VarianceFit, fit_variances
from fiducial.algorithms.ptc_gradient import GradientCurve
from fiducial.algorithms.ptc_level import with_neighbours
from fiducial.algorithms.ptc_models import VarianceCurve
from real_physics import KAST_COLUMNS as COLUMNS
from real_physics import KAST_GAIN as GAIN
from real_physics import KAST_NOISE as NOISE
from real_physics import slit_curve

pytestmark = pytest.mark.real

STRAIGHT = VarianceCurve("polynomial", 1)

STRAIGHT = VarianceCurve("polynomial", 1)


@pytest.fixture(scope="module")
def curves(real_data: Path) -> dict[tuple[str, int], GradientCurve]:
    """By amplifier and side of the blocks: five disjoint pairs of neighbours."""
    folder = real_data / "kast-blue"
    return {(side, block): slit_curve(folder, side, block) for side in COLUMNS for block in (8, 16, 32)}


def straight(side: str, curve: GradientCurve, lag: int = 0) -> VarianceFit:
    points = with_neighbours(curve.curve, lag) if lag else curve.curve
    return fit_variances(points, shape=STRAIGHT, read_noise=ReadNoise(NOISE[side], 0.01), samples=0)


@pytest.mark.parametrize("block", [8, 16, 32])
@pytest.mark.parametrize("side", COLUMNS)
def test_gain_of_a_straight_line(curves: dict[tuple[str, int], GradientCurve], side: str, block: int) -> None:
    curve = curves[side, block]
    fit = straight(side, curve)
    assert fit.determined
    assert set(curve.pair) == {0, 1, 2, 3, 4}
    gain, error = GAIN[side]
    # 1.5 million pixels of 1.5 parts in 10^3, and the definition's own.
    assert abs(fit.gain - gain) < 2 * hypot(error, fit.gain_error)
    assert fit.gain_error < 0.003
    assert fit.chi2 / fit.freedom < 1 + 5 * sqrt(2 / fit.freedom)


def test_the_curve_spans_the_gradient(curves: dict[tuple[str, int], GradientCurve]) -> None:
    for side, (low, high) in {"L": (350, 10_000), "R": (12_000, 31_000)}.items():
        means = curves[side, 16].curve.means
        assert means.min() < low
        assert means.max() > high


def test_read_noise_is_where_the_curve_begins(curves: dict[tuple[str, int], GradientCurve]) -> None:
    """The lowest levels of the left amplifier give the noise to 10 per cent; the right one has none."""
    left = fit_variances(curves["L", 16].curve, shape=STRAIGHT, samples=0)
    assert left.noise_constrained
    # A zero level off by 3 adu (the overscan rises by 6 in lit rows) shifts the intercept by 2.5 adu^2.
    intercept, error = left.parameters[1], sqrt(left.covariance[1, 1])
    assert abs(intercept - NOISE["L"] ** 2) < 2 * hypot(error, 2.5)
    right = fit_variances(curves["R", 16].curve, shape=STRAIGHT, samples=0)
    assert not right.noise_constrained


def test_no_curvature_is_seen(curves: dict[tuple[str, int], GradientCurve]) -> None:
    for side in COLUMNS:
        fit = fit_variances(curves[side, 16].curve, read_noise=ReadNoise(NOISE[side], 0.01), samples=0)
        assert abs(fit.a00) < 4 * fit.a00_error
        # As well as a few parts in 10^7 of charge: thick sensors have ten times as much.
        assert fit.a00_error < 1e-6


def test_neighbours_carry_a_part_of_the_right_amplifiers_variance(
    curves: dict[tuple[str, int], GradientCurve],
) -> None:
    own, lower = (straight("R", curves["R", 16], lag) for lag in (0, 1))
    assert lower.gain_error == pytest.approx(3 * own.gain_error, rel=0.2)
    # 0.5 % of the variance in each of four neighbours.
    assert 1 - lower.gain / own.gain == pytest.approx(0.02, abs=3 * lower.gain_error / own.gain)
    left = [straight("L", curves["L", 16], lag) for lag in (0, 1)]
    assert abs(1 - left[1].gain / left[0].gain) < 4 * left[1].gain_error / left[0].gain
