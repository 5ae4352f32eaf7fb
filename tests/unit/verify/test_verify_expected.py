"""The expected variance, term by term against the formula worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.verify.expected import (
    OverscanError,
    frame_variance,
    master_fraction,
    overscan_error,
    photon_share,
    residual_factor,
)

SHAPE = (2, 3)


def variance(**changes: object) -> np.ndarray:
    values: dict[str, object] = {
        "read_noise": 6.0,
        "signal": 0.0,
        "electrons_per_unit": 1.0,
        "a00": None,
        "overscan_variance": 1.5,
        "shape": SHAPE,
    }
    return frame_variance(**{**values, **changes})  # type: ignore[arg-type]


def test_a_bias_has_read_noise_and_what_the_overscan_adds() -> None:
    assert variance() == pytest.approx(np.full(SHAPE, 36.0 + 1.5))


def test_the_signal_adds_pixel_by_pixel_and_never_takes() -> None:
    signal = np.array([[0.0, 100.0, -50.0], [1e4, np.nan, 7.0]], dtype=np.float32)
    expected = 37.5 + np.array([[0.0, 100.0, 0.0], [1e4, 0.0, 7.0]])
    assert variance(signal=signal) == pytest.approx(expected)


def test_brighter_fatter_lowers_it() -> None:
    """At 50,000 electrons and a00 = -3e-6 the noise is 7 per cent below Poisson."""
    signal = np.full(SHAPE, 50_000.0, dtype=np.float32)
    found = variance(signal=signal, a00=-3e-6, read_noise=0.0, overscan_variance=0.0)
    assert np.sqrt(found / 50_000.0) == pytest.approx(np.full(SHAPE, np.sqrt(0.85)))
    assert 1 - np.sqrt(0.85) == pytest.approx(0.078, abs=0.001)


def test_in_adu_the_signal_is_divided_by_the_gain() -> None:
    """1,000 adu at 2 e/adu: 2,000 e, of noise sqrt(2000) e = sqrt(500) adu. a00 acts on electrons."""
    signal = np.full(SHAPE, 1000.0, dtype=np.float32)
    plain = variance(signal=signal, electrons_per_unit=2.0, read_noise=3.0, overscan_variance=0.0)
    assert plain == pytest.approx(np.full(SHAPE, 9.0 + 500.0))
    fat = variance(signal=signal, electrons_per_unit=2.0, read_noise=3.0, overscan_variance=0.0, a00=-1e-5)
    assert fat == pytest.approx(np.full(SHAPE, 9.0 + 500.0 * (1 - 0.02)))


def test_the_master_takes_from_its_own_frames_and_adds_to_others() -> None:
    assert residual_factor(0.1, in_master=True) == pytest.approx(0.9)
    assert residual_factor(0.1, in_master=False) == pytest.approx(1.1)


def test_the_masters_share_is_its_mean_over_credible_pixels() -> None:
    single = np.full((50, 50), 40.0, dtype=np.float32)
    stack = np.full((50, 50), 4.0, dtype=np.float32)
    usable = np.ones((50, 50), dtype=bool)
    stack[3, 4] = 4e6  # an unstable pixel
    stack[5, 6] = np.nan
    stack[7, 8] = 8.0
    usable[9, 9] = False
    expected = (2496 * 0.1 + 0.2) / 2497
    assert master_fraction(stack, single, usable) == pytest.approx(expected)
    assert master_fraction(stack, single, np.zeros_like(usable)) == 0.0


def test_the_masters_share_is_unbiased_for_the_scatter_of_three_frames() -> None:
    """V_M of three frames is a chi-square of two degrees of freedom: nothing of its tail may be cut.

    Error: the mean of 250,000 of relative variance 1, 1 / 500.
    """
    rng = np.random.default_rng(4)
    stack = rng.standard_normal((3, 500, 500)).astype(np.float32)
    scatter = stack.var(axis=0, ddof=1) / 3
    found = master_fraction(scatter, np.ones((500, 500), np.float32), np.ones((500, 500), bool))
    assert found == pytest.approx(1 / 3, rel=5 / 500)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # RN 4 adu, 32 pixels a row, 100 rows, gain 2
        ("mean_per_row", OverscanError(4 * 16 / 32, 4 * 16 / 32, 4 * 16 / 3200)),
        ("mean", OverscanError(4 * 16 / 3200, 0.0, 4 * 16 / 3200)),
        ("median", OverscanError(4 * np.pi / 2 * 16 / 3200, 0.0, 4 * np.pi / 2 * 16 / 3200)),
        ("legendre", OverscanError(4 * 4 * 16 / 3200, 0.0, 4 * 16 / 3200)),
        ("none", OverscanError(0.0, 0.0, 0.0)),
    ],
)
def test_what_the_overscan_model_adds(method: str, expected: OverscanError) -> None:
    parameters = {"mean_per_row": 100, "legendre": 4, "median": np.pi / 2, "none": 0}.get(method, 1)
    added = np.full(100, parameters * 16 / 3200)
    found = overscan_error(method, added, 4.0, 32, unit=2.0)
    assert (found.pixel, found.row, found.level) == pytest.approx(
        (expected.pixel, expected.row, expected.level)
    )


def test_the_photons_share_is_what_an_a00_acts_on() -> None:
    signal = np.full(SHAPE, 900.0, dtype=np.float32)
    total = np.full(SHAPE, 1000.0, dtype=np.float32)
    assert photon_share(total, 100.0, signal, 1.0) == pytest.approx(900.0 * 0.9)
    assert photon_share(total, 100.0, signal, 2.0) == pytest.approx(1800.0 * 0.9)
