"""Linearity of two real cameras without a ramp of flats: hot pixels of darks, and a gradient of light."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fiducial.algorithms.linearity_pixels import PixelLinearity
from real_nights import pixels
from real_physics import (
    BIASES,
    NODES,
    NOISE,
    Images,
    along_the_light,
    hot_pixels,
    ladder,
    level_of,
    two_times,
)

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ladders(real_data: Path) -> dict[str, Images]:
    return {name: ladder(real_data / "stl1001-2017", name) for name in NOISE}


def test_the_level_without_time_is_known(ladders: dict[str, Images]) -> None:
    # 0.75 to 0.85 adu above the biases; levels of single frames drift by some 0.3.
    for name in NOISE:
        assert level_of(ladders[name]) == pytest.approx(0.8, abs=0.3)


@pytest.fixture(scope="module")
def found(ladders: dict[str, Images]) -> dict[str, PixelLinearity]:
    return {name: hot_pixels(ladders[name], name, 0.001) for name in NOISE}


def test_hot_pixels_fall_behind_by_two_per_cent(found: dict[str, PixelLinearity]) -> None:
    for fit in found.values():
        assert fit.determined
        assert fit.nodes.tolist() == NODES.tolist()
        # Poisson and read noise explain what is left.
        assert fit.chi2 / fit.freedom == pytest.approx(1.0, abs=0.03)
        reached = fit.noisy | fit.used.any(axis=0)
        assert fit.noisy.sum() < 0.05 * reached.sum()
        assert reached.sum() > 10_000
        faint = fit.nodes <= 1000
        assert (np.abs(fit.deviation[faint]) < 4 * fit.error[faint] + 1e-12).all()
        r, error = (values[-1] for values in (fit.deviation, fit.error))
        assert r == pytest.approx(-0.02, abs=4 * error)
        assert r < -5 * error
        # Frames' scales: what the temperature does.
        assert (np.abs(fit.scales) < 4e-3).all()


def test_both_temperatures_agree(found: dict[str, PixelLinearity]) -> None:
    """Rates halve and signals with them: the same pixels are elsewhere on the curve."""
    one, other = found["Neg5"], found["Neg10"]
    free = (one.nodes != one.reference) & (one.nodes >= 100)
    pulls = (one.deviation - other.deviation)[free] / np.hypot(one.error, other.error)[free]
    assert np.abs(pulls).max() < 3.5


def test_scales_of_darks_of_one_time_are_steady(real_data: Path) -> None:
    """What hot pixels do in ten darks of 60 s: a thousandth, which is what the fit is told."""
    folder = real_data / "stl1001-2017"
    bias = np.mean([pixels(path) for path in sorted(folder.glob(BIASES["Neg5"]))], axis=0)
    darks = np.stack([pixels(path) - bias for path in sorted(folder.glob("darks-expos1-Neg5-*"))])
    middle = np.median(darks, axis=0)
    darks -= np.median(darks[:, middle < 30], axis=1)[:, None, None]
    middle = np.median(darks, axis=0)
    hot = (middle > 300) & (middle < 3000)
    scales = np.array([np.median(dark[hot] / middle[hot]) for dark in darks])
    assert np.std(scales, ddof=1) == pytest.approx(0.001, abs=0.0005)


@pytest.fixture(scope="module")
def kast(real_data: Path) -> dict[str, tuple[Images, NDArray[np.bool_]]]:
    return {side: two_times(real_data / "kast-blue", side) for side in ("L", "R")}


BINS = {"L": np.geomspace(300, 14_000, 12), "R": np.geomspace(10_000, 27_000, 6)}


@pytest.mark.parametrize("side", ["L", "R"])
def test_ratio_of_two_times_along_the_light(
    kast: dict[str, tuple[Images, NDArray[np.bool_]]], side: str
) -> None:
    """The ratio of 30 s to 15 s is one number to 0.5 % over a factor of 90 in signal."""
    (short, long), good = kast[side]
    ratios = []
    for low, high in pairwise(BINS[side]):
        inside = good & (short >= low) & (short < high)
        ratios.append(long[inside].sum() / short[inside].sum())
    # The shutter opens for longer than it says, or the lamp was brighter: 1.5 %.
    assert np.array(ratios) == pytest.approx(2.033, rel=3e-3)
    # Not noise: bins of 20,000 pixels are good to some 1e-4. A faint level is 3 adu high in 30 s.
    change = ratios[-1] / ratios[0] - 1
    assert change == pytest.approx({"L": -0.0045, "R": 0.0015}[side], abs=0.0005)


@pytest.mark.parametrize(
    ("side", "nodes"),
    [("L", [300.0, 1000, 3000, 10_000, 25_000]), ("R", [10_000.0, 20_000, 40_000, 60_000])],
)
def test_linearity_along_the_light(
    kast: dict[str, tuple[Images, NDArray[np.bool_]]], side: str, nodes: list[float]
) -> None:
    """The same as a curve: with the ratio of times that is seen at 10,000 adu, within half a per cent."""
    signal, good = kast[side]
    fit = along_the_light(signal, good, side, nodes)
    assert fit.determined
    assert fit.nodes.tolist() == nodes
    # 300,000 pixels: what is seen is there, be it the detector, the lamp's colour or the zero level.
    assert (fit.error < 1.5e-3).all()
    assert np.abs(fit.deviation).max() < {"L": 0.01, "R": 0.005}[side]
    assert fit.chi2 / fit.freedom < 1.2
    assert fit.noisy.sum() < 0.01 * fit.used.any(axis=0).sum()
