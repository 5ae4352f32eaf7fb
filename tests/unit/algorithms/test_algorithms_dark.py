"""Dark rates and levels: the cases that a fit must tell apart."""

import numpy as np
import pytest

from fiducial.algorithms.dark import combine_dark, fit_level
from fiducial.errors import AlgorithmError


def test_rate_of_equal_frames():
    times = np.array([10.0, 20.0, 40.0])
    stack = np.broadcast_to((times * 2.5)[:, None, None], (3, 4, 5)).astype(np.float32)
    combined = combine_dark(
        stack, None, times=times, read_variance=np.ones(3), gain=2.0, kappa=4, iterations=5
    )
    assert combined.image.shape == (4, 5)
    np.testing.assert_allclose(combined.image, 2.5)
    w = times**2 / (1 + 2.5 * times / 2.0)
    np.testing.assert_allclose(combined.variance, 1 / w.sum(), rtol=1e-6)
    assert (combined.used == 3).all()


def test_a_cosmic_ray_does_not_excuse_itself():
    # Its own counts would make the expected noise larger; the other frames' rate counts. It is in the
    # frame that carries most of the weight.
    times = np.array([10.0, 20.0, 30.0, 60.0, 60.0, 100.0, 150.0, 300.0])
    stack = np.array([0, 4, 2, 0, 4, -5, 1, 119], np.float32)[:, None, None]
    combined = combine_dark(
        stack, None, times=times, read_variance=np.full(8, 36.0), gain=1.0, kappa=5, iterations=10
    )
    assert (combined.used[0, 0], combined.clipped[0, 0]) == (7, 1)
    assert abs(combined.image[0, 0]) < 0.05


def test_a_masked_frame_does_not_count():
    times = np.array([10.0, 100.0])
    stack = np.array([20.0, 1e6], np.float32)[:, None, None]
    usable = np.array([True, False])[:, None, None]
    combined = combine_dark(
        stack, usable, times=times, read_variance=np.ones(2), gain=1.0, kappa=4, iterations=5
    )
    assert combined.image[0, 0] == 2.0
    assert (combined.used[0, 0], combined.clipped[0, 0]) == (1, 0)


def test_level_and_rate():
    times = np.array([10.0, 30.0, 100.0, 300.0])
    fit = fit_level(0.8 + 0.1 * times, np.full(4, 0.01), times)
    assert fit.determined
    assert fit.level == pytest.approx(0.8)
    assert fit.rate == pytest.approx(0.1)
    # The textbook covariance of a straight line.
    design = np.stack([np.ones(4), times], axis=1)
    covariance = np.linalg.inv(design.T @ design) * 0.01**2
    assert fit.level_error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert fit.rate_error == pytest.approx(np.sqrt(covariance[1, 1]))


def test_one_time_cannot_tell_level_from_rate():
    fit = fit_level(np.array([6.0, 6.2]), np.array([0.1, 0.1]), np.array([60.0, 60.0]))
    assert not fit.determined
    assert fit.level == 0.0
    assert np.isnan(fit.level_error)
    assert fit.rate == pytest.approx(6.1 / 60)
    assert fit.rate_error == pytest.approx(0.1 / np.sqrt(2) / 60)


def test_drifting_levels_widen_the_errors():
    times = np.array([10.0, 30.0, 60.0, 100.0, 150.0, 300.0])
    drift = np.array([0.4, -0.5, 0.3, -0.2, 0.5, -0.4])
    calm = fit_level(0.8 + 0.1 * times, np.full(6, 0.01), times)
    drifting = fit_level(0.8 + 0.1 * times + drift, np.full(6, 0.01), times)
    assert drifting.level_error > 20 * calm.level_error
    assert abs(drifting.level - 0.8) < 3 * drifting.level_error


def test_frames_without_a_level_are_passed_over():
    times = np.array([10.0, 30.0, 100.0, 300.0, 50.0, 60.0])
    medians = 0.8 + 0.1 * times
    medians[4] = np.nan
    errors = np.array([0.01, 0.01, 0.01, 0.01, 0.01, 0.0])
    medians[5] = 1e9
    fit = fit_level(medians, errors, times)
    assert fit.level == pytest.approx(0.8)


def test_nothing_to_fit_is_an_error():
    with pytest.raises(AlgorithmError, match="no dark"):
        fit_level(np.array([np.nan]), np.array([1.0]), np.array([10.0]))
