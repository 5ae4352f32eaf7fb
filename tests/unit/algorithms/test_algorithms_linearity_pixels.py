"""Linearity from pixels of unknown rates: curves are recovered, what is wrong is named or passed over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.linearity_pixels import PixelLinearity, pixel_linearity
from fiducial.algorithms.linearity_relative import RelativeCurve
from fiducial.errors import AlgorithmError

TIMES = np.array([10.0, 20.0, 40.0, 80.0, 160.0])
NODES = np.array([50.0, 200.0, 800.0, 3200.0])
CURVE = np.array([0.03, 0.01, 0.0, -0.04])
GAIN, NOISE = 2.0, 3.0


def signals(pixels: int = 400, seed: int = 1, noise: bool = True) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    x = np.exp(rng.uniform(np.log(2), np.log(20), pixels)) * TIMES[:, None]
    mean = x * (1 + np.interp(np.log(x), np.log(NODES), CURVE))
    if not noise:
        return np.asarray(mean)
    return np.asarray(rng.poisson(mean * GAIN) / GAIN + rng.normal(0, NOISE, mean.shape))


def fitted(signal: Any, times: Any = TIMES, nodes: Any = NODES, **wishes: Any) -> PixelLinearity:
    given: dict[str, Any] = {"gain": GAIN, "read_noise": NOISE, "reference": 800.0} | wishes
    return pixel_linearity(signal, times, nodes, **given)


def test_a_curve_without_noise_is_exact() -> None:
    fit = fitted(signals(noise=False))
    # Known to be of the order of 1 before: 1e-6 of that is left.
    assert fit.deviation == pytest.approx(CURVE, abs=1e-5)
    assert fit.levels == pytest.approx(np.zeros(5), abs=1e-5)
    assert fit.used.all()
    assert not fit.noisy.any()
    assert fit.counts.sum() == 2000


def test_levels_and_scales_are_found_where_they_may_be() -> None:
    levels, scales = np.array([1.0, -2.0, 0.5, 3.0, -1.0]), np.array([0.01, -0.01, 0.0, 0.005, -0.005])
    rng = np.random.default_rng(4)
    x = np.exp(rng.uniform(np.log(2), np.log(20), 3000)) * (TIMES * (1 + scales))[:, None]
    mean = x * (1 + np.interp(np.log(x), np.log(NODES), CURVE))
    signal = rng.poisson(mean * GAIN) / GAIN + rng.normal(0, NOISE, x.shape) + levels[:, None]
    fit = fitted(signal, level_error=2.0, stability=0.01)
    assert (np.abs(fit.levels - levels) < 4 * fit.level_errors).all()
    assert (np.abs(fit.scales - scales) < 4 * fit.scale_errors).all()
    assert (fit.level_errors < 2.0).all()
    assert fit.level_errors[0] < 0.4  # ten seconds' worth of faint pixels tell it best


def test_rays_and_blinking_pixels_are_told() -> None:
    signal = signals()
    clean = fitted(signal)
    dirty = signal.copy()
    dirty[2, :40] += 500.0  # one signal each
    dirty[::2, 40:60] *= 3.0  # these blink
    fit = fitted(dirty)
    assert not fit.used[2, :40].any()
    assert fit.used[:, 100:].mean() > 0.99
    assert fit.used[3, :40].mean() > 0.9  # what is left of them counts
    assert not fit.used[:, 40:60].any()
    assert fit.noisy[40:60].all()
    assert np.isnan(fit.rates[40:60]).all()
    assert (np.abs(fit.deviation - clean.deviation) <= fit.error).all()


def test_what_is_not_finite_or_too_bright_is_passed_over() -> None:
    signal = signals()
    signal[4, signal[4] > 2500] = np.nan
    fit = fitted(signal)
    assert not fit.used[~np.isfinite(signal)].any()
    assert (np.abs(fit.deviation - CURVE) < 4 * fit.error + 1e-12).all()
    low = fitted(signals(), maximum=1000.0)
    assert low.nodes.tolist() == [50.0, 200.0, 800.0]  # too few come near the last one
    assert (np.abs(low.deviation - CURVE[:3]) < 4 * low.error + 1e-12).all()


def test_faint_pixels_are_left_out() -> None:
    fit = fitted(signals(), least=1000.0)
    reach = np.nan_to_num(fit.rates) * TIMES.max()
    assert (reach[fit.used.any(axis=0)] > 950).all()
    assert 0 < fit.used.any(axis=0).mean() < 0.9


def test_the_order_of_pixels_and_frames_does_not_matter() -> None:
    signal = signals()
    one, other = fitted(signal), fitted(signal[::-1, ::-1], TIMES[::-1])
    assert other.deviation == pytest.approx(one.deviation, abs=1e-9)
    assert np.array_equal(other.used[::-1, ::-1], one.used)


def test_between_nodes_it_is_linear_in_the_logarithm() -> None:
    fit = fitted(signals())
    values, errors = fit.at(np.array([10.0, 50.0, 100.0, 3200.0, 1e5]))
    middle = 0.5 * (fit.deviation[0] + fit.deviation[1])
    assert values == pytest.approx([fit.deviation[0], fit.deviation[0], middle, *[fit.deviation[3]] * 2])
    assert errors[[0, 1, 3]] == pytest.approx(fit.error[[0, 0, 3]])


def test_weights_have_the_slopes_that_they_say() -> None:
    curve, x = RelativeCurve(NODES), np.array([20.0, 60.0, 300.0, 3000.0, 9000.0])
    step = 1e-6
    low, high = (curve.weights(x * np.exp(side * step))[0] for side in (-1, 1))
    assert curve.weights(x)[1] == pytest.approx((high - low) / (2 * step), abs=1e-6)
    assert curve.weights(x)[0].sum(axis=1) == pytest.approx(np.ones(5))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s, t: (s, np.full(5, 10.0)), "one exposure time"),
        (lambda s, t: (s[:, :5], t), "fewer than two nodes"),
        (lambda s, t: (np.full_like(s, np.nan), t), "fewer than two nodes"),
        (lambda s, t: (-np.abs(s), t), "fewer than two nodes"),
        (lambda s, t: (s * np.random.default_rng(1).uniform(0.5, 2, s.shape), t), "no steady rates"),
    ],
)
def test_bad_data_have_a_reason(change: Any, reason: str) -> None:
    fit = fitted(*change(signals(), TIMES))
    assert not fit.determined
    assert reason in fit.reason
    assert not fit.used.any()


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(AlgorithmError, match="do not fit"):
        fitted(signals(), TIMES[:3])
    with pytest.raises(AlgorithmError, match="increase"):
        fitted(signals(), nodes=NODES[::-1])
    with pytest.raises(AlgorithmError, match="must be positive"):
        fitted(signals(), gain=0.0)
