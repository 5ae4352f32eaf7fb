"""Gains in force: what masters were made with counts, and masters that disagree are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fiducial.corrections.gains_in_force import as_measured, gain_keys, with_gains, with_gains_in_force
from fiducial.errors import CalibrationMismatch
from frame_arrays import GAIN, tiny_camera

CAMERA = tiny_camera()


def made_with(world: str = "electron", **gains: float) -> Any:
    metadata = {"FID WORLD": world} | {f"FID AMP {name} GAIN": gain for name, gain in gains.items()}
    return SimpleNamespace(product=SimpleNamespace(metadata=metadata))


def gains(camera: Any, detector: int = 0) -> dict[str, float]:
    return {amp.name: amp.gain for amp in camera.amplifiers(detector)}


def test_the_bias_says_the_gains() -> None:
    camera = with_gains_in_force(CAMERA, 0, {"bias": made_with(A=2.1, B=3.9)})
    assert gains(camera) == {"A": 2.1, "B": 3.9}
    assert gains(camera, 1) == GAIN
    assert gains(with_gains_in_force(CAMERA, 0, {"dark": made_with(A=2.1)})) == {"A": 2.1, "B": 4.0}


@pytest.mark.parametrize("masters", [None, {}, {"bias": made_with("adu", A=9.0)}, {"ptc": made_with(A=9.0)}])
def test_without_a_master_in_electrons_they_are_those_of_the_camera(masters: Any) -> None:
    assert with_gains_in_force(CAMERA, 0, masters) is CAMERA


def test_masters_that_disagree_are_refused_with_both_numbers() -> None:
    masters = {"bias": made_with(A=2.1, B=4.0), "dark": made_with(A=2.1, B=4.1)}
    with pytest.raises(CalibrationMismatch, match=r"4\.1 e-/adu in amplifier B, the bias with 4") as caught:
        with_gains_in_force(CAMERA, 0, masters)
    assert caught.value.hint == "Make the dark again with this bias, or take one that was made with it."
    close = {"bias": made_with(A=2.1, B=4.0), "flat": made_with(A=2.1 * (1 + 5e-7), B=4.0)}
    assert gains(with_gains_in_force(CAMERA, 0, close))["A"] == 2.1


def test_masters_without_the_cards_count_as_made_with_the_camera_file() -> None:
    assert with_gains_in_force(CAMERA, 0, {"bias": made_with(), "dark": made_with(**GAIN)}) is CAMERA
    with pytest.raises(CalibrationMismatch, match=r"amplifier A, the bias with 2\.1"):
        with_gains_in_force(CAMERA, 0, {"bias": made_with(A=2.1, B=4.0), "dark": made_with()})


def test_noise_and_gains_together() -> None:
    bias = made_with(A=2.1, B=4.0)
    bias.product.metadata["FID AMP A NOISE"] = 7.25  # electrons
    first, second = as_measured(CAMERA, 0, {"bias": bias}).amplifiers(0)
    assert (first.gain, first.read_noise) == (2.1, 7.25)
    assert second == CAMERA.amplifiers(0)[1]


def test_a_bias_says_where_each_gain_is_from() -> None:
    camera = with_gains(CAMERA, 0, {"A": 2.1})
    assert gain_keys(camera, 0, {"A": (2.1, 0.01)}) == {
        "FID GAINS": "ptc",
        "FID AMP A GAIN SOURCE": "ptc",
        "FID AMP A GAIN ERROR": 0.01,
        "FID AMP B GAIN SOURCE": "camera",
    }
    assert gain_keys(CAMERA, 0, None) == {"FID GAINS": "camera"}
