"""The gain of one pair of flats is that of photon transfer of the same night: brighter-fatter and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fiducial.algorithms.pairs import flat_pair_gain
from fiducial.cameras import load_camera
from fiducial.corrections.chain import build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.single_pass import correct_frame
from fiducial.kinds.inputs import open_frames
from fiducial.kinds.ptc import PtcConfig, PtcTask
from fiducial.simulation import simulate_night
from fiducial.verify.daily_gain import daily_gain
from ramp_night import CHAIN, TIMES, flats_of, ramp_plan

HELD_OUT = (6.5, 8.5, 10.5)


@pytest.mark.parametrize("fit", ["exponential", "covariance"])
def test_pairs_that_are_not_in_the_curve_agree_with_it(tmp_path: Path, fit: str) -> None:
    camera = load_camera("simcam")
    truth = simulate_night(camera, tmp_path, plan=ramp_plan(), seed=31)
    raws = flats_of(truth)
    frames, _ = open_frames(raws, camera, 0, {})
    out = {frame.exposure for frame in frames if frame.facts.exposure_time in HELD_OUT}
    assert len(out) == 2 * len(HELD_OUT)
    config = PtcConfig()
    config.chain, config.maxLag, config.fit = CHAIN, 4, fit
    kept = [raw for raw in raws if raw.exposure not in out]
    product = PtcTask(config=config).run(raws=kept, camera=camera, detector=0).ptc
    assert len(product.pairs) == len(TIMES) - len(HELD_OUT)
    chain = build_chain(CHAIN, CorrectionsConfig(), camera=camera, detector=0)
    images: dict[float, list[np.ndarray]] = {}
    for frame in frames:
        if frame.exposure in out:
            chain.prepare(frame)
            images.setdefault(frame.facts.exposure_time, []).append(correct_frame(chain, frame).image)
    pulls, plain = [], []
    for amp, known in zip(camera.amplifiers(0), product.amplifiers, strict=True):
        for one, other in images.values():
            pair = one[amp.detector.slices], other[amp.detector.slices]
            found = daily_gain(*pair, known)
            # 65,536 pixels: 0.55 per cent, and what the curve has.
            assert 0.005 < found.change_error < 0.009
            pulls.append(found.change / found.change_error)
            plain.append(flat_pair_gain(*pair, read_noise=known.read_noise).gain / known.fit.gain - 1)
    assert np.abs(pulls).max() < 4
    # Pairs of one amplifier share its curve: the mean of six is known to half an error or so.
    assert abs(np.mean(pulls)) < 2
    assert np.mean(plain) > 0.05  # 32,000 to 52,000 electrons
