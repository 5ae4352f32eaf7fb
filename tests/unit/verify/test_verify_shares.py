"""What a master shares with a frame, against weights worked out by hand and against draws."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fiducial.products.metadata import InputNote
from fiducial.verify.shares import InputWeights, left_over


def inputs(*values: tuple[float, float]) -> list[InputNote]:
    return [InputNote(k, "2026-01-01T00:00:00", scale, time) for k, (scale, time) in enumerate(values)]


def weights(kind: str, *values: tuple[float, float]) -> InputWeights:
    found = InputWeights.of(kind, inputs(*values))
    assert found is not None
    return found


def test_a_bias_of_n_frames_has_a_nth_of_their_variance() -> None:
    assert weights("bias", *[(1.0, 0.0)] * 8).fraction(1.0, 36.0, 0.0) == pytest.approx(1 / 8)


def test_a_dark_weighs_by_time() -> None:
    """Read noise alone: V_M = V / sum(t^2), so a frame of 300 s beside two of 100 s has 9/11 of it."""
    dark = weights("dark", (100.0, 100.0), (100.0, 100.0), (300.0, 300.0))
    assert dark.fraction(300.0, 36.0, 0.0) == pytest.approx(9 / 11)
    assert dark.fraction(100.0, 36.0, 0.0) == pytest.approx(1 / 11)
    assert dark.total == pytest.approx(500 / 110_000)
    assert dark.time == 1.0


def test_a_dark_of_much_charge_weighs_by_its_shot_noise() -> None:
    """Where the charge makes the noise, V = d t: weights t^2 / V = t / d, and 300 s has 3/5."""
    dark = weights("dark", (100.0, 100.0), (100.0, 100.0), (300.0, 300.0))
    assert dark.fraction(300.0, 1e-9, 10.0) == pytest.approx(3 / 5)


def test_a_flat_has_the_coefficients_of_its_levels() -> None:
    flat = weights("flat", (20_000.0, 5.0), (25_000.0, 5.0))
    assert flat.total == pytest.approx(0.5 * (1 / 20_000 + 1 / 25_000))
    assert flat.time == pytest.approx(5.0 * flat.total)


def test_a_master_from_elsewhere_says_nothing() -> None:
    assert InputWeights.of("bias", []) is None
    assert InputWeights.of("dark", inputs((0.0, 0.0))) is None


@pytest.mark.parametrize("in_master", [True, False])
def test_the_fraction_is_that_of_drawn_frames(in_master: bool) -> None:
    """Weighted mean of darks of three times; variance of F - t M over 200,000 pixels, to 5 sqrt(2 / n)."""
    rng = np.random.default_rng(6)
    times = np.array([60.0, 60.0, 120.0, 240.0])
    read, rate, n = 25.0, 0.2, 200_000
    sigma = np.sqrt(read + rate * times)
    frames = rng.standard_normal((4, n)) * sigma[:, None]
    w = times**2 / sigma**2
    master = (w[:, None] * frames / times[:, None]).sum(axis=0) / w.sum()
    frame = frames[2] if in_master else rng.standard_normal(n) * sigma[2]
    fraction = weights("dark", *[(t, t) for t in times]).fraction(120.0, read, rate)
    expected = sigma[2] ** 2 * (1 - fraction if in_master else 1 + fraction)
    assert np.var(frame - 120.0 * master) == pytest.approx(expected, rel=5 * np.sqrt(2 / n))


def master(kind: str, content: str, **said: Any) -> Any:
    return SimpleNamespace(kind=kind, content_hash=content, metadata=said)


def test_a_common_bias_cancels_in_darks_of_one_time() -> None:
    bias = master("bias", "abc")
    dark = master("dark", "x", **{"FID CHAIN BIAS HASH": "abc"})
    of_one_time = weights("dark", (60.0, 60.0), (60.0, 60.0))
    ((found, factor),) = left_over(
        "dark", of_one_time, {"bias": bias}, under_test=dark, scale=60.0, time=60.0
    )
    assert found is bias
    assert factor == pytest.approx(0.0)
    ((_, longer),) = left_over("dark", of_one_time, {"bias": bias}, under_test=dark, scale=300.0, time=300.0)
    assert longer == pytest.approx((1 - 300 / 60) ** 2)


def test_another_bias_adds_its_own_error() -> None:
    dark = master("dark", "x", **{"FID CHAIN BIAS HASH": "of another"})
    of_one_time = weights("dark", (60.0, 60.0))
    ((_, factor),) = left_over(
        "dark", of_one_time, {"bias": master("bias", "abc")}, under_test=dark, scale=60.0, time=60.0
    )
    assert factor == pytest.approx(2.0)


def test_of_a_master_from_elsewhere_all_errors_remain() -> None:
    used = {"bias": master("bias", "abc"), "dark": master("dark", "def")}
    found = left_over("flat", None, used, under_test=master("flat", "x"), scale=2e4, time=5.0)
    assert [factor for _, factor in found] == [1.0, 25.0]
