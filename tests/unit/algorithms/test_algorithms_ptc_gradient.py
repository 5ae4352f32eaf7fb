"""Photon transfer by bins of the local signal: points are those of the pixels, what is unusable stays out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import convolve

from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise, fit_variances
from fiducial.algorithms.ptc_gradient import GradientCurve, gradient_curve
from fiducial.algorithms.ptc_level import level_gains, with_neighbours
from fiducial.errors import AlgorithmError

GAIN, NOISE = 1.5, 8.0
LIGHT = np.geomspace(50, 20_000, 384) * np.ones((128, 1))

type Floats = NDArray[np.float64]


def pair(seed: int = 1, lamp: float = 1.02, light: Floats = LIGHT) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    one, other = (
        rng.poisson(light * scale * GAIN) / GAIN + rng.normal(0, NOISE, light.shape) for scale in (1.0, lamp)
    )
    return one, other


def test_points_lie_on_the_curve_of_the_pixels() -> None:
    found = gradient_curve([pair(1), pair(2)])
    curve = found.curve
    assert set(found.pair) == {0, 1}
    assert (np.diff(curve.means[found.pair == 0]) > 0).all()
    expected = curve.means / GAIN + NOISE**2
    pulls = (curve.variances / expected - 1) * np.sqrt(curve.counts[:, 0, 0] / 2)
    assert np.abs(pulls).max() < 4
    assert np.mean(np.square(pulls)) == pytest.approx(1.0, abs=4 * np.sqrt(2 / len(found)))
    # Eight rows of blocks: nearly all are in bins of eight blocks or more.
    assert found.blocks.sum() >= 0.9 * 2 * 8 * 24
    fit = fit_variances(curve)
    assert abs(fit.gain - GAIN) < 4 * fit.gain_error


def test_a_lamp_that_drifts_leaves_no_trace() -> None:
    steady, drifting = (gradient_curve([pair(3, lamp)]).curve for lamp in (1.0, 1.05))
    expected = drifting.means / GAIN + NOISE**2
    assert np.mean(drifting.variances / expected) == pytest.approx(
        1.0, abs=4 * np.sqrt(2 / steady.counts.sum())
    )


def test_small_blocks_are_freed_of_what_their_means_take() -> None:
    """Blocks of four pixels lose a sixteenth of the variance to their mean."""
    found = gradient_curve([pair(seed) for seed in range(4)], block=4)
    curve = found.curve
    ratio = curve.variances / (curve.means / GAIN + NOISE**2)
    weights = curve.counts[:, 0, 0]
    assert np.average(ratio, weights=weights) == pytest.approx(1.0, abs=4 * np.sqrt(2 / weights.sum()))


def test_covariances_of_neighbours_are_those_put_in() -> None:
    rng = np.random.default_rng(5)
    kernel = np.array([[0.0, 0.03, 0.0], [0.02, 1.0, 0.02], [0.0, 0.03, 0.0]])
    pairs = []
    for _ in range(4):
        frames = []
        for _ in range(2):
            noise = convolve(rng.normal(0, 1, LIGHT.shape), kernel, mode="wrap")
            frames.append(LIGHT + noise * np.sqrt(LIGHT / GAIN))
        pairs.append((frames[0], frames[1]))
    curve = gradient_curve(pairs, max_lag=2, block=8).curve
    own = np.square(kernel).sum()
    weights = curve.counts[:, 0, 0]
    for (i, j), expected in {(0, 0): own, (1, 0): 2 * 0.03, (0, 1): 2 * 0.02, (2, 2): 0.0}.items():
        found = np.average(curve.covariances[:, i, j] / (curve.means / GAIN), weights=weights)
        assert found == pytest.approx(expected, abs=5 * np.sqrt((2 if i == j == 0 else 1) / weights.sum()))
    total = with_neighbours(curve, 1)
    ratio = np.average(total.variances / (total.means / GAIN), weights=total.counts[:, 0, 0])
    # (1.1)^2 less what lies two pixels away: 0.03^2 and 0.02^2 at both sides.
    expected = np.sum(kernel) ** 2 - 2 * (0.03**2 + 0.02**2)
    assert ratio == pytest.approx(expected, abs=5 * np.sqrt(2 / total.counts.sum()))
    assert total.counts[0, 0, 0] == curve.counts[0, 0, 0] // 9


def test_cosmic_rays_and_bad_pixels_stay_out() -> None:
    steps = np.repeat(1.25 ** np.arange(18.5, 42, 2), 32) * np.ones((128, 1))  # amid their bins
    one, other = pair(6, light=steps)
    rng = np.random.default_rng(7)
    hit = rng.random(one.shape) < 5e-4
    one[hit] += 30_000.0
    other[5, 7] = np.nan
    bad = np.zeros(one.shape, np.bool_)
    bad[:, 100:105] = True
    one[bad] = 1e6
    found = gradient_curve([(one, other)], ~bad)
    clean = gradient_curve([pair(6, light=steps)], ~bad)
    assert len(found) == len(clean)
    assert found.clipped.sum() == np.count_nonzero(hit & ~bad & np.isfinite(other))
    error = np.sqrt(2 / clean.curve.counts[:, 0, 0])
    assert (np.abs(found.curve.variances / clean.curve.variances - 1) < 0.5 * error).all()


@pytest.mark.parametrize("what", ["dark", "nan", "small", "none"])
def test_without_light_there_are_no_points(what: str) -> None:
    rng = np.random.default_rng(8)
    pairs: Any = {
        "dark": [tuple(rng.normal(0, NOISE, (2, 64, 64)))],
        "nan": [(np.full((64, 64), np.nan), np.full((64, 64), 5.0))],
        "small": [(np.ones((10, 10)), np.ones((10, 10)))],
        "none": [],
    }[what]
    found = gradient_curve(pairs, max_lag=1)
    assert isinstance(found, GradientCurve)
    assert len(found) == 0
    assert found.curve.covariances.shape == (0, 2, 2)
    assert fit_variances(found.curve).reason == "no pair of flats is usable"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(AlgorithmError, match="make no curve"):
        gradient_curve([pair()], block=1)
    with pytest.raises(AlgorithmError, match="make no curve"):
        gradient_curve([pair()], step=1.0)
    with pytest.raises(AlgorithmError, match="reach to lag 0"):
        with_neighbours(gradient_curve([pair()]).curve, 1)


def test_each_level_has_a_gain_and_an_error() -> None:
    found = gradient_curve([pair(seed) for seed in range(6)], max_lag=1).curve
    for curve in (found, with_neighbours(found, 1)):
        gains, errors = level_gains(curve, ReadNoise(NOISE, 0.05))
        pulls = (gains - GAIN) / errors
        # Errors follow the measured variance, which is to some ten per cent at the faint end: skewed.
        assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.68, abs=4 * np.sqrt(0.22 / len(pulls)))
        bright = curve.means > 2000
        assert abs(np.average(pulls[bright])) < 4 / np.sqrt(np.count_nonzero(bright))
    nothing = TransferCurve(
        np.array([np.nan, 10.0]), np.full((2, 1, 1), 30.0), np.full((2, 1, 1), 1000, np.int64)
    )
    gains, errors = level_gains(nothing, ReadNoise(NOISE, 0.0))
    assert np.isnan(gains).all()
    assert np.isnan(errors).all()
