"""The gain of a pair of flats agrees with that of the curve that is in force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.pairs import flat_pair_gain
from fiducial.algorithms.poisson_share import share_of_a00, share_of_curve
from fiducial.algorithms.ptc_models import exponential_variance
from fiducial.verify.daily_gain import daily_gain
from verify_products import SETTINGS, transfer

A00 = -2e-6
GAIN, NOISE = 2.0, 4.0  # electron/adu and adu: those of the product
KNOWN = transfer(SETTINGS["two"], np.random.default_rng(1), a00=A00).amplifiers[0]


def flats(
    seed: int, gain: float = GAIN, mean: float = 25_000.0, gradient: float = 0.0
) -> NDArray[np.float64]:
    """Two flats whose pixels have the variance of the curve at their own light."""
    rng = np.random.default_rng([seed, 3])
    light = mean * (1 + gradient * np.linspace(-1, 1, 128)) * np.ones((2, 128, 1))
    variance = exponential_variance(light, gain, A00, NOISE**2)[0]
    return np.asarray(light + np.sqrt(variance) * rng.standard_normal(light.shape))


@pytest.mark.parametrize("gradient", [0.0, 0.4])
def test_known_brighter_fatter_is_taken_out(gradient: float) -> None:
    pairs = [flats(seed, gradient=gradient) for seed in range(150)]
    found = [flat_pair_gain(*pair, read_noise=NOISE, share=share_of_a00(A00)) for pair in pairs]
    pulls = np.array([(one.gain - GAIN) / one.error for one in found])
    assert abs(pulls.mean()) < 3 / np.sqrt(150)
    assert abs(np.mean(np.abs(pulls) < 1) - 0.6827) < 4 * 0.038
    # Without it: 50,000 electrons take 0.1 and a bit of the variance.
    plain = np.mean([flat_pair_gain(*pair, read_noise=NOISE).gain for pair in pairs[:20]])
    assert plain / GAIN == pytest.approx(1.11, abs=0.02)


def test_shares() -> None:
    electrons = np.array([0.0, 1e-3, 1e3, 1e5])
    share = share_of_a00(A00)(electrons)
    assert share[0] == 1.0
    np.testing.assert_allclose(share[2:], (1 - np.exp(-4e-6 * electrons[2:])) / (4e-6 * electrons[2:]))
    means = np.append(np.linspace(500.0, 60_000.0, 40), np.nan)
    curve = exponential_variance(means, GAIN, A00, NOISE**2)[0]
    stored = share_of_curve(means, curve, GAIN, NOISE**2)
    np.testing.assert_allclose(stored(electrons), share, atol=1e-4)
    assert stored(np.array([1e9]))[0] == pytest.approx(share_of_a00(A00)(np.array([120_000.0]))[0])


@pytest.mark.parametrize("change", [0.0, 0.03])
def test_a_pair_says_how_the_gain_has_changed(change: float) -> None:
    found = [daily_gain(*flats(seed, GAIN * (1 + change)), KNOWN) for seed in range(100)]
    changes = np.array([one.change for one in found])
    error = found[0].change_error
    assert error == pytest.approx(np.sqrt(2 / 128**2), rel=0.15)
    assert changes.mean() == pytest.approx(change, abs=4 * error / 10 + 2 * KNOWN.fit.gain_error / GAIN)
    assert changes.std() == pytest.approx(error, rel=0.3)
    assert found[0].gain / KNOWN.fit.gain - 1 == pytest.approx(found[0].change)
    assert found[0].error > found[0].gain * KNOWN.fit.gain_error / KNOWN.fit.gain
    assert found[0].mean == pytest.approx(25_000, rel=1e-3)


def test_what_is_not_determined_gives_none() -> None:
    off = replace(KNOWN, fit=replace(KNOWN.fit, determined=False, reason="dead"))
    with pytest.raises(ValueError, match="dead"):
        daily_gain(*flats(1), off)
    # Without an overscan the noise is that of the curve.
    bare = replace(KNOWN, read_noise=np.nan)
    assert daily_gain(*flats(1), bare).gain == pytest.approx(daily_gain(*flats(1), KNOWN).gain, rel=1e-3)
