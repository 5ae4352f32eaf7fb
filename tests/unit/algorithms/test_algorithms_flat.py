"""Levels of exposures and units from matrices with holes."""

import numpy as np
import pytest

from fiducial.algorithms.flat import solve_levels
from fiducial.errors import AlgorithmError


def matrix(exposures, units, seed=1):
    rng = np.random.default_rng(seed)
    light = rng.uniform(1000, 5000, exposures)
    response = np.exp(rng.normal(0, 0.3, units))
    return light, response, light[:, None] * response, rng.uniform(0.5, 2, (exposures, units))


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (4, 9), (9, 4), (30, 30)])
def test_exact_products_are_taken_apart(shape):
    light, response, levels, weights = matrix(*shape)
    solved = solve_levels(levels, weights)
    np.testing.assert_allclose(solved.exposure[:, None] * solved.unit, levels)
    np.testing.assert_allclose(solved.exposure / solved.exposure[0], light / light[0])
    np.testing.assert_allclose(solved.unit / solved.unit[0], response / response[0])
    np.testing.assert_allclose(np.sum(weights.sum(axis=0) * np.log(solved.unit)), 0, atol=1e-9)
    np.testing.assert_allclose(solved.residual, 0, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 8), (8, 5)])
def test_weighted_least_squares_with_missing_levels(shape):
    rng = np.random.default_rng(2)
    _, _, levels, weights = matrix(*shape)
    levels = levels * np.exp(rng.normal(0, 0.02, shape))
    levels[1, 2], levels[3, 4], levels[0, 0], weights[2, 1] = np.nan, -5.0, 0.0, 0.0
    solved = solve_levels(levels, weights)
    # The same by a dense least-squares fit of all unknowns.
    known = np.isfinite(levels) & (levels > 0) & (weights > 0)
    rows, columns = np.nonzero(known)
    design = np.zeros((len(rows), sum(shape)))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), shape[0] + columns] = 1
    root = np.sqrt(weights[known])
    unknowns = np.linalg.lstsq(design * root[:, None], np.log(levels[known]) * root, rcond=None)[0]
    fitted = design @ unknowns
    np.testing.assert_allclose(solved.residual[known], np.log(levels[known]) - fitted, atol=1e-10)
    assert np.isnan(solved.residual[~known]).all()
    w = np.where(known, weights, 0).sum(axis=0)
    assert np.sum(w * np.log(solved.unit)) == pytest.approx(0, abs=1e-9)


def test_units_and_exposures_without_a_level_are_nan():
    _, _, levels, weights = matrix(4, 5)
    levels[2] = np.nan
    levels[:, 3] = np.nan
    solved = solve_levels(levels, weights)
    assert np.isnan(solved.exposure).tolist() == [False, False, True, False]
    assert np.isnan(solved.unit).tolist() == [False, False, False, True, False]


def test_exposures_that_share_no_unit_cannot_be_compared():
    levels = np.full((4, 4), np.nan)
    levels[:2, :2] = 100.0
    levels[2:, 2:] = 200.0
    with pytest.raises(AlgorithmError, match=r"2 groups.*\[\[0, 1\], \[2, 3\]\]"):
        solve_levels(levels, np.ones((4, 4)))


def test_nothing_measured():
    with pytest.raises(AlgorithmError, match="no flat"):
        solve_levels(np.full((2, 2), np.nan), np.ones((2, 2)))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="levels"):
        solve_levels(np.ones((2, 3)), np.ones((3, 2)))


def test_inputs_are_not_changed():
    _, _, levels, weights = matrix(3, 4)
    levels[0, 0] = np.nan
    before = levels.copy(), weights.copy()
    solve_levels(levels, weights)
    np.testing.assert_array_equal(levels, before[0])
    np.testing.assert_array_equal(weights, before[1])


def test_a_whole_focal_plane():
    # 3,000 amplifiers: the smaller side of the matrix is what is solved.
    light, _, levels, weights = matrix(20, 3000)
    solved = solve_levels(levels, weights)
    np.testing.assert_allclose(solved.exposure / solved.exposure[0], light / light[0])
