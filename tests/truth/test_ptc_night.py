"""Photon transfer of a simulated night's ramp: true gains, noises and brighter-fatter matrices come out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fiducial.cameras import load_camera
from fiducial.frames.raw import RawFrame
from fiducial.kinds.inputs import Offered
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.products.ptc import PhotonTransferCurve
from fiducial.simulation import Effects, NightPlan, NightTruth, Physics, Ramp, simulate_night
from fiducial.simulation.effects import BrighterFatter

TIMES = (0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5)
PLAN = NightPlan(
    biases=0,
    darks=0,
    flats=0,
    science=0,
    filters=("g",),
    detectors=(0,),
    physics=Physics(
        cosmic_rays=0.0,
        dark_rate=0.0,
        hot_fraction=0.0,
        lamp_noise=0.003,
        effects=Effects(brighter_fatter=BrighterFatter(a00=-2e-6)),
    ),
    ramp=Ramp(times=TIMES, rate=5000.0, order="shuffled"),
)


@dataclass(frozen=True)
class Stored:
    """A file, opened when it is asked for."""

    path: Path

    def get(self) -> RawFrame:
        return RawFrame.open(self.path)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> NightTruth:
    return simulate_night(load_camera("simcam"), tmp_path_factory.mktemp("ramp"), plan=PLAN, seed=31)


def transfer(truth: NightTruth, fit: str) -> PhotonTransferCurve:
    config = PtcConfig()
    config.chain = ["saturation", "overscan", "assembly", "nan"]
    config.maxLag = 4
    config.fit = fit
    raws = [Offered(e.exposure, Stored(truth.folder / e.files[0])) for e in truth.of_type("flat")]
    found = PtcTask(config=config).run(raws=raws, camera=load_camera("simcam"), detector=0).ptc
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
