"""A noise held against limits."""

from __future__ import annotations

from math import isnan, nan, sqrt

import numpy as np
import pytest

from fiducial.algorithms.noise_limits import judge_noise


@pytest.mark.parametrize(
    ("noise", "outcome"), [(4.0, "ok"), (1.9, "low"), (2.1, "ok"), (7.9, "ok"), (8.5, "high"), (0.0, "low")]
)
def test_outcomes(noise: float, outcome: str) -> None:
    # With 10,000 degrees of freedom errors are 0.7 per cent: three of them are within these values.
    assert judge_noise(noise, 10_000, 4.0, low=0.5, high=2.0).outcome == outcome


def test_what_is_badly_known_is_not_blamed() -> None:
    assert judge_noise(9.0, 10_000, 4.0, low=0.5, high=2.0).outcome == "high"
    verdict = judge_noise(9.0, 8, 4.0, low=0.5, high=2.0)
    assert verdict.outcome == "ok"
    assert verdict.error == pytest.approx(2.25 / sqrt(16))


def test_unknown() -> None:
    verdict = judge_noise(nan, 100, 4.0, low=0.5, high=2.0)
    assert verdict.outcome == "unknown"
    assert isnan(verdict.ratio)
    assert judge_noise(4.0, 0, 4.0, low=0.5, high=2.0).outcome == "unknown"


def test_the_error_is_that_of_a_standard_deviation() -> None:
    rng = np.random.default_rng(1)
    found = np.std(rng.standard_normal((2000, 200)), axis=1, ddof=1)
    error = judge_noise(1.0, 199, 1.0, low=0.5, high=2.0).error
    # Of 2000 values, known to 1 / sqrt(4000).
    assert found.std() == pytest.approx(error, rel=5 / sqrt(4000))
