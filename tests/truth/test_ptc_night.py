"""Photon transfer of a simulated night's ramp: true gains, noises and brighter-fatter matrices come out."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.simulation import NightTruth, simulate_night
from ramp_night import CHAIN, TIMES, flats_of, ramp_plan


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    plan = ramp_plan(lamp_noise=0.003)
    return simulate_night(load_camera("simcam"), tmp_path_factory.mktemp("ramp"), plan=plan, seed=31)


def transfer(truth: NightTruth, fit: str) -> PhotonTransferCurve:
    config = PtcConfig()
    config.chain, config.maxLag, config.fit = CHAIN, 4, fit
    found = PtcTask(config=config).run(raws=flats_of(truth), camera=load_camera("simcam"), detector=0).ptc
    assert isinstance(found, PhotonTransferCurve)
    return found


@pytest.mark.parametrize("fit", ["exponential", "covariance"])
def test_the_true_gain_noise_and_matrix(truth: NightTruth, fit: str) -> None:
    product = transfer(truth, fit)
    assert len(product.pairs) == len(TIMES)
    assert not product.aside
    assert sorted(product.pairs.first_time) == list(TIMES)
    assert (product.pairs.second == product.pairs.first + 1).all()
    known = truth.detectors[0]
    for number, (found, own) in enumerate(zip(product.amplifiers, known.amplifiers, strict=True)):
        a = known.effects.a_matrix[number]
        assert found.fit.determined
        assert abs(found.fit.gain - own.gain) < 4 * found.fit.gain_error
        # 65,536 pixels and 15 pairs: 0.14 per cent for a straight line, thrice that with a curve.
        assert found.fit.gain_error < 0.006 * own.gain
        # Integers add 1/12 adu^2.
        noise = np.sqrt(own.read_noise**2 + own.gain**2 / 12)
        assert abs(found.fit.noise - noise) < 4 * found.fit.noise_error
        assert abs(found.read_noise * own.gain - noise) < 0.02 * noise
        assert abs(found.fit.a[0, 0] - a[0, 0]) < 4 * found.fit.a_error[0, 0]
        assert found.fit.a[0, 0] < -5 * found.fit.a_error[0, 0]
        if fit == "covariance":
            pulls = (found.fit.a[:3, :3] - a[:3, :3]) / found.fit.a_error[:3, :3]
            assert np.abs(pulls).max() < 4.5
            # V / sqrt(N) over mu^2 at 50,000 electrons is 8e-8 for one pair; b fitted too makes it larger.
            assert found.fit.a_error[1, 0] < 2.5e-7
