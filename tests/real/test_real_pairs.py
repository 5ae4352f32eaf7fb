"""Read noise and gain of three real cameras, by pairs of their frames.

The expected numbers stand in the README beside the frames. Read noise: 5-sigma clipped differences of
disjoint neighbours in time. Gain: differences within blocks, disjoint neighbours, correlations of
neighbouring pixels not added. Two estimates of one number agree when they differ by less than both errors
in quadrature.
"""

from __future__ import annotations

from math import hypot, sqrt
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from fiducial.algorithms.overscan import fit_overscan
from fiducial.algorithms.pairs import PairGain, flat_pair_gain, mean_gain, neighbour_pairs, pair_noise
from fiducial.algorithms.statistics import autocorrelation_factors

pytestmark = pytest.mark.real


def pixels(path: Path):
    with fits.open(path) as hdus:
        image = next(hdu for hdu in hdus if hdu.is_image and hdu.data is not None)
        return image.data.astype(np.float64)


def mean_noise(frames, section=np.s_[:, :]):
    pairs = [
        pair_noise(frames[i][section], frames[j][section]) for i, j in neighbour_pairs(np.arange(len(frames)))
    ]
    return float(np.mean([p.sigma for p in pairs])), pairs[0].error / sqrt(len(pairs))


def gain_of_neighbours(flats, bias, read_noise, *, block=16, separation=1) -> PairGain:
    return mean_gain(
        [
            flat_pair_gain(flats[i], flats[j], level_a=bias, level_b=bias, block=block, read_noise=read_noise)
            for i, j in neighbour_pairs(np.arange(len(flats)), separation)
        ]
    )


@pytest.fixture(scope="module")
def stl1001(real_data):
    folder = real_data / "stl1001-2017"

    def frames(pattern):
        return [pixels(path) for path in sorted(folder.glob(pattern))]

    return {
        "cold": frames("bias-Neg10-*"),
        "warm": frames("biases-Neg5-*"),
        "flats": frames("flat-expos23s-*"),
    }


@pytest.mark.parametrize(("which", "noise", "error"), [("cold", 6.560, 0.002), ("warm", 6.702, 0.003)])
def test_stl1001_read_noise(stl1001, which, noise, error):
    assert len(stl1001[which]) == 10
    sigma, own_error = mean_noise(stl1001[which])
    assert own_error == pytest.approx(0.002, abs=0.0005)
    assert abs(sigma - noise) < hypot(error, own_error)


def test_stl1001_gain_of_adjacent_flats(stl1001):
    bias = np.mean(stl1001["warm"], axis=0)
    gain = gain_of_neighbours(stl1001["flats"], bias, 6.702)
    assert gain.error == pytest.approx(0.0012, abs=0.0003)
    assert abs(gain.gain - 1.934) < hypot(0.002, gain.error)
    assert gain.mean == pytest.approx(18_710, abs=20)


def test_stl1001_gain_falls_with_the_time_between_flats(stl1001):
    bias = np.mean(stl1001["warm"], axis=0)
    gains = [gain_of_neighbours(stl1001["flats"], bias, 6.702, separation=s).gain for s in (1, 3, 5, 7, 9)]
    assert (np.diff(gains) < 0).all()
    # Scaled as a whole, the definition of the 1.88; blocks of their own scale take out part of the drift.
    whole = gain_of_neighbours(stl1001["flats"], bias, 6.702, separation=9, block=1024)
    assert abs(whole.gain - 1.88) < 0.005 + whole.error  # given to two decimals
    assert gains[-1] == pytest.approx(1.894, abs=0.006)


@pytest.mark.parametrize("block", [8, 32, 1024])
def test_stl1001_gain_does_not_depend_on_the_blocks(stl1001, block):
    """The light is flat and adjacent flats differ by 0.1 %: what is left in their difference is noise."""
    bias = np.mean(stl1001["warm"], axis=0)
    usual, own = (gain_of_neighbours(stl1001["flats"], bias, 6.702, block=side) for side in (16, block))
    # The same pixels, but for degrees of freedom: a tenth of the error at most is left.
    assert abs(own.gain - usual.gain) < 0.3 * usual.error
    assert abs(own.gain - 1.934) < hypot(0.002, own.error)


def test_stl1001_neighbours_carry_part_of_the_variance(stl1001):
    a, b = stl1001["flats"][:2]
    c1, _ = autocorrelation_factors(a - b * a.mean() / b.mean(), max_lag=1)
    # 0.8 per cent; white noise of 1024 x 1024 pixels leaves 2 * sqrt(4) / 1024 = 0.4 per cent.
    assert c1 - 1 == pytest.approx(0.008, abs=0.004)


KAST = {
    "left": {"data": np.s_[:, :1024], "overscan": np.s_[:, 2048:2080], "first_column_left": True},
    "right": {"data": np.s_[:, 1024:2048], "overscan": np.s_[:, 2080:2112], "first_column_left": False},
}


@pytest.fixture(scope="module")
def kast(real_data):
    folder = real_data / "kast-blue"
    return {
        "biases": [pixels(folder / f"b{i}.fits.fz") for i in range(14, 24)],
        "flats": [pixels(folder / f"b{i}.fits.fz") for i in range(3, 13)],  # five disjoint pairs
    }


@pytest.mark.parametrize(
    ("amplifier", "noise", "level", "with_edges"), [("left", 2.860, 943, 3.11), ("right", 2.704, 965, 3.40)]
)
def test_kast_read_noise_of_image_and_overscan(kast, amplifier, noise, level, with_edges):
    amp = KAST[amplifier]
    sigma, own_error = mean_noise(kast["biases"], amp["data"])
    assert abs(sigma - noise) < hypot(0.002, own_error)

    models = [
        fit_overscan(
            bias[amp["overscan"]],
            method="mean_per_row",
            order=0,
            skip_leading=2,
            skip_trailing=2,
            first_column_left=amp["first_column_left"],
        )
        for bias in kast["biases"]
    ]
    # 350 rows x 27 free pixels x 10 frames: 0.23 per cent of the noise.
    overscan_noise = np.mean([m.noise for m in models])
    assert overscan_noise == pytest.approx(sigma, abs=3 * 0.0023 * sigma + 0.02)
    assert np.mean([m.level.mean() for m in models]) == pytest.approx(level, abs=1)
    edges = [np.std(bias[amp["overscan"]] - np.mean(bias[amp["overscan"]])) for bias in kast["biases"]]
    # A plain standard deviation of all 32 columns; whether the given one was clipped is not said.
    assert np.mean(edges) == pytest.approx(with_edges, abs=0.06)


@pytest.mark.parametrize(
    ("amplifier", "gain", "error", "noise"), [("left", 1.205, 0.005, 2.860), ("right", 1.248, 0.002, 2.704)]
)
def test_kast_gain(kast, amplifier, gain, error, noise):
    amp = KAST[amplifier]
    bias = np.mean(kast["biases"], axis=0)[amp["data"]]
    own = gain_of_neighbours([flat[amp["data"]] for flat in kast["flats"]], bias, noise)
    assert abs(own.gain - gain) < hypot(error, own.error)


ESIS = {
    "BL": (np.s_[:520, 50:1074], np.s_[:520, :50], 4.03, 2.527),
    "BR": (np.s_[:520, 1078:2102], np.s_[:520, 2102:], 3.87, 2.504),
    "TL": (np.s_[520:, 50:1074], np.s_[520:, :50], 4.17, 2.528),
    "TR": (np.s_[520:, 1078:2102], np.s_[520:, 2102:], 4.24, 2.514),
}


@pytest.fixture(scope="module")
def esis(real_data):
    return {
        number: pixels(real_data / "esis" / "led" / f"ESIS1_0{number}.fits.fz")
        for number in (4803, 4804, 4860, 4861)
    }


@pytest.mark.parametrize("tap", ESIS)
def test_esis_read_noise_and_gain(esis, tap):
    data, blank, noise, gain = ESIS[tap]
    pair = pair_noise(esis[4860][data], esis[4861][data])
    # Given to two decimals.
    assert abs(pair.sigma - noise) < 0.005 + pair.error
    a, b = (esis[number] for number in (4803, 4804))
    own = flat_pair_gain(
        a[data],
        b[data],
        level_a=float(np.median(a[blank])),
        level_b=float(np.median(b[blank])),
        block=32,
        read_noise=pair.sigma,
    )
    assert own.error == pytest.approx(0.005, abs=0.0005)
    assert abs(own.gain - gain) < hypot(0.005, own.error)
