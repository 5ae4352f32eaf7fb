"""Departures from a curve: their size, their errors, and what is no departure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from fiducial.algorithms.departures import (
    chi_square_departure,
    largest_departure,
    neighbour_correlation,
    neighbour_inflation,
    surest,
    widening,
)
from fiducial.algorithms.gain_trend import GainTrend, gain_trend
from fiducial.algorithms.ptc_models import exponential_variance


def test_a_bump_is_found_where_it_is() -> None:
    at = np.linspace(0, 100, 48)
    bump = np.where((at > 48) & (at < 63), -0.05, 0.0)
    found = largest_departure(at[::-1], bump[::-1], np.full(48, 0.01))
    assert found.value == pytest.approx(-0.05, abs=0.005)
    assert 50 < found.at < 62
    assert found.error == pytest.approx(0.01 / np.sqrt(6) * widening(8))


def test_the_largest_of_many_is_no_more_often_beyond_four_errors_than_one() -> None:
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(4000):
        found = largest_departure(np.arange(24.0), rng.standard_normal(24), np.ones(24))
        pulls.append(found.value / found.error)
    # The widening is made for 1e-4; at 3 the largest of eight is still less often beyond than one of eight.
    assert np.mean(np.abs(pulls) > 3.0) < 8 * 2 * norm.sf(3.0)
    assert np.mean(np.abs(pulls) > 1) > 0.68


def test_scatter_beyond_the_errors_widens_and_a_slow_departure_does_not() -> None:
    rng = np.random.default_rng(2)
    assert neighbour_inflation(3.0 * rng.standard_normal(200)) == pytest.approx(3.0, rel=0.2)
    assert neighbour_inflation(20.0 * np.sin(np.arange(200) / 40)) == 1.0
    assert neighbour_inflation(rng.standard_normal(200)) == 1.0
    assert neighbour_inflation(np.ones(1)) == 1.0
    assert neighbour_inflation(0.1 * rng.standard_normal(200)) == 1.0


def test_what_is_sure_counts_before_what_is_large() -> None:
    errors = np.array([1.0, 0.1, 0.01])
    assert surest(np.array([3.0, 0.5, 0.1]), errors) == 1
    assert surest(np.array([-3.0, 0.1, 0.01]), errors) == 0
    assert np.isnan(largest_departure(np.empty(0), np.empty(0), np.empty(0)).value)


@pytest.mark.parametrize("freedom", [3, 20, 2000])
@pytest.mark.parametrize("chance", [1e-6, 1e-3, 0.1])
def test_a_chi_square_has_its_exact_significance(freedom: int, chance: float) -> None:
    high = chi_square_departure(float(chi2.isf(chance, freedom)), freedom)
    assert high.value / high.error == pytest.approx(norm.isf(chance), rel=1e-3)
    low = chi_square_departure(float(chi2.ppf(chance, freedom)), freedom)
    assert low.value / low.error == pytest.approx(-norm.isf(chance), rel=1e-3)


def test_chi_square_at_its_ends() -> None:
    assert chi_square_departure(20.0, 20).error == pytest.approx(np.sqrt(0.1))
    assert chi_square_departure(1e9, 20).error > 0
    assert chi_square_departure(0.0, 20).value == -1.0
    assert np.isnan(chi_square_departure(1.0, 0).value)
    assert np.isnan(chi_square_departure(np.nan, 5).value)


def test_neighbours_that_go_together() -> None:
    rng = np.random.default_rng(3)
    pulls = np.array([np.divide(*neighbour_correlation(rng.standard_normal(50))) for _ in range(4000)])
    assert abs(pulls.mean()) < 4 / np.sqrt(4000)
    assert pulls.std() == pytest.approx(1.0, abs=0.05)
    value, error = neighbour_correlation(np.sin(np.arange(60) / 5))
    assert value > 0.9
    assert value / error > 6
    assert np.isnan(neighbour_correlation(np.ones(3))[0])
    assert np.isnan(neighbour_correlation(np.zeros(9))[0])


def trend(seed: int, *, size: float = 0.0, rising: bool = False, pixels: int = 400_000) -> GainTrend | str:
    rng = np.random.default_rng(seed)
    means = np.linspace(500, 60_000, 24)
    when = np.arange(24.0) if rising else np.random.default_rng(9).permutation(24).astype(float)
    model = exponential_variance(means, 1.5, -2e-6, 16.0)[0]
    changed = exponential_variance(means, 1.5 * (1 + size * when / 23), -2e-6, 16.0)[0]
    errors = model * np.sqrt(2 / pixels)
    return gain_trend(means, changed + errors * rng.standard_normal(24), model, errors, when, noise=16.0)


def test_a_trend_of_the_gain_is_unbiased_and_as_uncertain_as_it_says() -> None:
    found = [trend(seed) for seed in range(1000)]
    pulls = np.array([one.value / one.error for one in found if isinstance(one, GainTrend)])
    assert pulls.size == 1000
    # The pairs of the fit are those of the trend here, and no fit was made: independent Gaussians.
    assert abs(pulls.mean()) < 0.1
    assert abs(np.mean(np.abs(pulls) < 1) - 0.6827) < 0.05
    sized = [trend(seed, size=0.02) for seed in range(200)]
    values = np.array([one.value for one in sized if isinstance(one, GainTrend)])
    # A gain that falls with the variance: 2 % of it, less what the brighter-fatter effect does to it.
    assert values.mean() == pytest.approx(0.02, abs=0.003)


def test_a_curve_that_is_off_is_no_trend() -> None:
    means = np.linspace(500, 60_000, 24)
    model = exponential_variance(means, 1.5, -2e-6, 16.0)[0]
    off = model * (1 - 0.005 * (means / 60_000) ** 2)
    when = np.random.default_rng(9).permutation(24).astype(float)
    found = gain_trend(means, off, model, model * 1e-3, when, noise=16.0)
    assert isinstance(found, GainTrend)
    assert abs(found.value) < 5e-4
    assert trend(1, rising=True) == "it goes with the level"


def test_why_there_is_no_trend() -> None:
    means = np.linspace(100, 1000, 5)
    args = means, means, means, np.ones(5)
    assert gain_trend(*args, np.ones(5), noise=0.0) == "all pairs are alike in it"
    assert gain_trend(*args, np.arange(5.0), noise=0.0) == "5 pairs are too few"
    many = np.linspace(100, 1000, 20)
    assert gain_trend(many, many, many, np.ones(20), many, noise=0.0) == "it goes with the level"
