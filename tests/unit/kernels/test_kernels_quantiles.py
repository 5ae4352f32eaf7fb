"""Quantiles against numpy's percentiles of the sorted values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.kernels import quantiles

FRACTIONS = [0.0, 0.05, 0.16, 1 / 3, 0.5, 0.84, 0.95, 0.999, 1.0]


def check(found: NDArray[np.float64], values: NDArray[np.float32]) -> None:
    """Compare with numpy. Both interpolate in float64: a few roundings of the larger neighbour apart."""
    exact = values.astype(np.float64)
    neighbours = [np.abs(np.quantile(exact, FRACTIONS, method=side)) for side in ("lower", "higher")]
    apart = np.abs(found - np.quantile(exact, FRACTIONS))
    assert (apart <= 4 * np.finfo(np.float64).eps * np.maximum(*neighbours)).all()


def scenes() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(70_001)
    return {
        "noise about zero": noise,
        "a level": 30_000 + 50 * noise,
        "rounded, with ties": np.rint(3 * noise),
        "all alike": np.full(1000, -7.25),
        "both zeros": np.where(noise > 0, 0.0, -0.0),
        "one value": np.array([4.5]),
        "two values": np.array([9.0, -1.0]),
        "far apart": noise * 10.0 ** rng.integers(-37, 37, noise.size),
    }


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("scene", scenes())
def test_quantiles_are_those_of_the_sorted_values(scene: str, threads: int) -> None:
    values = scenes()[scene].astype(np.float32)
    found, size = quantiles(values, None, FRACTIONS, threads=threads)
    assert size == values.size
    check(found, values)


def test_values_that_are_masked_or_not_finite_do_not_count() -> None:
    rng = np.random.default_rng(6)
    values = rng.standard_normal((90, 70)).astype(np.float32)
    usable = rng.random(values.shape) < 0.7
    values[~usable] = 1e9
    values[3, :] = [np.nan, np.inf, -np.inf, np.nan, np.inf] * 14
    found, size = quantiles(values, usable, FRACTIONS)
    good = usable & np.isfinite(values)
    assert size == np.count_nonzero(good)
    check(found, values[good])


def test_nothing_to_go_by_gives_no_number() -> None:
    for values in (np.full(5, np.nan, np.float32), np.zeros(0, np.float32)):
        found, size = quantiles(values, None, [0.5])
        assert size == 0
        assert np.isnan(found).all()


def test_what_does_not_fit_is_refused() -> None:
    values = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match=r"usable \(4,\)"):
        quantiles(values, np.ones(4, bool), [0.5])
    with pytest.raises(ValueError, match="not all from 0 to 1"):
        quantiles(values, None, [0.5, 1.1])
