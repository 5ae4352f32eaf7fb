"""Levels of flats and of dark ladders against truth."""

from __future__ import annotations

import numpy as np

from fiducial.algorithms.dark import fit_level
from fiducial.algorithms.flat import solve_levels


def test_levels_of_flats():
    rng = np.random.default_rng(1)
    exposures, units, pixels, gain = 12, 32, 10_000, 1.5
    pulls = []
    for _ in range(100):
        light = 20_000 * rng.uniform(0.5, 1.5, exposures)
        response = np.exp(rng.normal(0, 0.2, units))
        truth = light[:, None] * response
        variance = truth / gain / pixels
        levels = truth + rng.normal(0, 1, truth.shape) * np.sqrt(variance)
        levels[rng.random(levels.shape) < 0.1] = np.nan
        weights = truth**2 / variance  # of log B
        solved = solve_levels(levels, weights)
        # Compare in the solution's own gauge: weighted mean of log G = 0.
        w = np.where(np.isfinite(levels), weights, 0).sum(axis=0)
        gauge = np.exp(np.sum(w * np.log(response)) / w.sum())
        np.testing.assert_allclose(np.sum(w * np.log(solved.unit)) / w.sum(), 0, atol=1e-12)
        sigma = np.sqrt(1 / np.where(np.isfinite(levels), weights, 0).sum(axis=1))
        pulls.append(np.log(solved.exposure / (light * gauge)) / sigma)
        known = np.isfinite(levels)
        chi2 = np.sum(weights[known] * solved.residual[known] ** 2)
        freedom = known.sum() - exposures - units + 1
        assert abs(chi2 / freedom - 1) < 5 * np.sqrt(2 / freedom)
    pulls = np.concatenate(pulls)
    # 1,200 estimates: mean to 0.03, mean square to 4 per cent; the units' own errors add 4 more.
    assert abs(pulls.mean()) < 0.1
    assert abs(np.mean(np.abs(pulls) < 1) - 0.6827) < 0.03 + 0.02


def test_level_and_rate_of_dark_ladders():
    rng = np.random.default_rng(2)
    times = np.array([10.0, 20, 30, 60, 150, 300])
    errors = np.array([0.02, 0.02, 0.02, 0.03, 0.04, 0.05])
    pulls = []
    for _ in range(2000):
        level, rate = rng.normal(0.8, 0.3), rng.uniform(0, 0.3)
        fit = fit_level(level + rate * times + rng.normal(0, 1, 6) * errors, errors, times)
        assert fit.determined
        pulls.append([(fit.level - level) / fit.level_error, (fit.rate - rate) / fit.rate_error])
    pulls = np.array(pulls)
    assert (np.abs(pulls.mean(axis=0)) < 0.1).all()
    assert (np.abs(np.mean(np.abs(pulls) < 1, axis=0) - 0.6827) < 0.03).all()
