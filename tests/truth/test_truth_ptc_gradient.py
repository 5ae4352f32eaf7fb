"""Photon transfer along a gradient of light: gain, noise and a00 unbiased, errors that cover 68 per cent.

1,000 independent estimates of each in two settings: the mean pull is known to 0.032, the coverage to 1.5 per
cent.
"""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.ptc_fit import fit_variances
from fiducial.algorithms.ptc_gradient import gradient_curve
from fiducial.algorithms.ptc_models import exponential_variance

pytestmark = pytest.mark.slow

ESTIMATES = 1000


@pytest.mark.parametrize(("gain", "noise", "a00", "rays"), [(1.2, 6.0, -2e-6, 0.0), (2.0, 10.0, -4e-6, 2e-4)])
def test_gain_noise_and_a00(gain: float, noise: float, a00: float, rays: float) -> None:
    rng = np.random.default_rng(41)
    light = np.geomspace(15, 20_000, 256) * np.ones((64, 1))
    variance = exponential_variance(light.ravel(), gain, a00, noise**2)[0].reshape(light.shape)
    truth = np.array([gain, noise * gain, a00])
    pulls, reduced = [], []
    for _ in range(ESTIMATES):
        frames = [
            light * lamp + rng.normal(0, 1, light.shape) * np.sqrt(variance)
            for lamp in 1 + rng.normal(0, 0.005, 2)
        ]
        frames[0][rng.random(light.shape) < rays] += 3000.0
        found = gradient_curve([(frames[0], frames[1])], block=8, step=1.5)
        fit = fit_variances(found.curve, samples=0)
        assert fit.determined
        assert fit.noise_constrained
        values = np.array([fit.gain, fit.noise, fit.a00])
        pulls.append((values - truth) / [fit.gain_error, fit.noise_error, fit.a00_error])
        reduced.append(fit.chi2 / fit.freedom)
    judged = np.array(pulls)
    assert np.abs(judged.mean(axis=0)).max() < 0.1
    assert np.abs(np.mean(np.abs(judged) < 1, axis=0) - 0.6827).max() < 0.045
    # Bins of signals up to a factor of 1.5 have a little more of a fourth moment than a Gaussian.
    assert np.mean(reduced) == pytest.approx(1.0, abs=0.06)
