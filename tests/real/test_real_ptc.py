"""Photon transfer of real nights: they have one level of flats, which is said; and what that level says.

The gains to agree with are those of the README beside the frames, by their own definition: adjacent pairs of
flats, 5-sigma clip, with or without the covariances of neighbours.
"""

from __future__ import annotations

from math import hypot, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_real_kinds import Handle, bias_of, biases_at, dark_of, darks_at, night_of

from fiducial.algorithms.ptc_curve import TransferCurve
from fiducial.algorithms.ptc_fit import ReadNoise
from fiducial.algorithms.ptc_level import level_gains, with_neighbours
from fiducial.corrections.masters import Master
from fiducial.kinds.inputs import Offered
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.ptc import AmplifierTransfer, PhotonTransferCurve

pytestmark = pytest.mark.real


def transfer_of(given: dict[str, Any], masters: dict[str, Master], **wishes: Any) -> PhotonTransferCurve:
    config = PtcConfig()
    config.chain = ["saturation", "overscan", "assembly", *masters, "nan"]
    config.maxLag = 4
    for name, value in wishes.items():
        setattr(config, name, value)
    found = PtcTask(config=config).run(**given, masters=masters).ptc
    assert isinstance(found, PhotonTransferCurve)
    return found


def gains(one: AmplifierTransfer, read_noise: float, lag: int = 0) -> tuple[float, float]:
    """Mean over the pairs, and its error."""
    curve = TransferCurve(one.mean, one.covariances, one.counts, one.noise_weight)
    if lag:
        curve = with_neighbours(curve, lag)
    values, errors = level_gains(curve, ReadNoise(read_noise, 0.003))
    return float(np.mean(values)), float(np.sqrt(np.mean(np.square(errors)) / len(errors)))


ESIS = {"BL": (4.03, 2.527), "BR": (3.87, 2.504), "TL": (4.17, 2.528), "TR": (4.24, 2.514)}
"""Read noise and gain of the README, DN and e/DN."""


def stl_transfer(data: Path) -> PhotonTransferCurve:
    night = night_of("stl1001", data / "stl1001-2017")
    bias = bias_of(night, biases_at(-5.0))
    dark = dark_of(night, darks_at(-5.0, ten=False), bias)
    masters = {"bias": Master("bias", bias), "dark": Master("dark", dark)}
    return transfer_of(night.given(lambda f: f.frame_type == "flat"), masters)


def kast_transfer(data: Path, **wishes: Any) -> PhotonTransferCurve:
    night = night_of("kast-blue", data / "kast-blue")
    masters = {"bias": Master("bias", bias_of(night, lambda f: f.frame_type == "bias"))}
    return transfer_of(night.given(lambda f: f.frame_type == "flat"), masters, **wishes)


def esis_transfer(data: Path) -> PhotonTransferCurve:
    night = night_of("esis", data / "esis")
    raws = [Offered(f.exposure, Handle(p)) for f, p in night.frames if p.name[7:11] in ("4803", "4804")]
    return transfer_of({"raws": raws, "camera": night.camera, "detector": 1}, {})


@pytest.fixture(scope="module")
def stl(real_data: Path) -> PhotonTransferCurve:
    return stl_transfer(real_data)


def test_stl1001_has_one_level(stl: PhotonTransferCurve) -> None:
    (one,) = stl.amplifiers
    assert len(stl.pairs) == 5
    assert stl.aside == ()
    assert not one.fit.determined
    assert one.fit.reason.startswith("one level only: pairs from 186")
    assert np.isnan(one.fit.gain)
    assert np.isnan(one.read_noise)  # no overscan
    assert "FID AMP A GAIN" not in stl.metadata


def test_stl1001_gain_of_its_level(stl: PhotonTransferCurve) -> None:
    (one,) = stl.amplifiers
    gain, error = gains(one, 6.702)
    # Five pairs of 2^20 pixels: sqrt(2 / 5 / 2^20) of the variance.
    assert error == pytest.approx(gain * sqrt(2 / 5 / 2**20), rel=0.05)
    assert abs(gain - 1.934) < hypot(0.002, error)
    # "About 0.8 % lower with neighbour covariances added"; the sum has three times the error.
    lower, its_error = gains(one, 6.702, lag=1)
    assert its_error == pytest.approx(3 * error, rel=0.05)
    assert abs(1 - lower / gain - 0.008) < hypot(0.0005, its_error / gain)


@pytest.mark.parametrize("model", ["exponential", "polynomial", "covariance"])
def test_kast_has_one_level_and_two_flats_without_a_partner(real_data: Path, model: str) -> None:
    found = kast_transfer(real_data, fit=model)
    assert len(found.pairs) == 5
    # The flat of 30 s, saturated in 56,808 pixels, and one of eleven of 15 s.
    assert {note.exposure: note.reason for note in found.aside} == {
        2015051900002: "no other flat has its exposure time 30 s in filter Open",
        2015051900003: "an odd number of flats have its exposure time 15 s in filter Open",
    }
    for one, noise in zip(found.amplifiers, (2.860, 2.704), strict=True):
        assert one.fit.reason.startswith("one level only: pairs from ")
        assert not one.fit.determined
        # Of 24 overscan columns, whose first are left out: the image's, to a few per cent.
        assert one.read_noise == pytest.approx(noise, rel=0.03)


def test_esis_has_one_pair(real_data: Path) -> None:
    found = esis_transfer(real_data)
    assert len(found.pairs) == 1
    lower = []
    for one in found.amplifiers:
        noise, expected = ESIS[one.name]
        assert one.fit.reason == "1 usable pair of flats, at least 4 are needed"
        gain, error = gains(one, noise)
        # By blocks of 32 x 32 pixels there, as a whole here.
        assert abs(gain - expected) < 2 * hypot(0.005, error)
        lower.append(1 - gains(one, noise, lag=2)[0] / gain)
    # "About 3 % lower with neighbour covariances": to two rows and columns, five times the error of one gain.
    assert abs(np.mean(lower) - 0.03) < hypot(0.005, 5 * 0.005 / 2.5 / sqrt(4))
