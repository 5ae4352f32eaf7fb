"""SUSPECT above the turn-off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.algorithms.linearity_models import Spline
from fiducial.corrections.chain import build_chain, masters_of, require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.masks import Plane
from frame_arrays import GAIN, frame, raw_pixels, tiny_camera
from linearity_samples import linearity_master
from transfer_samples import transfer

CHAIN = ("saturation", "overscan", "suspect", "gain", "assembly")


def corrected(*names: str, **settings: Any) -> list[Segment]:
    """A ramp of 0, 1000, 2000... adu above the level along the rows of each amplifier."""
    camera, config = tiny_camera(), CorrectionsConfig()
    config.saturation.suspect = 1.0
    config.suspect.update(**settings)
    chain = build_chain(names or CHAIN, config, camera=camera, detector=0)
    ramp = 1000.0 * np.arange(20)
    one = frame(camera, raw_pixels(camera, {"A": ramp, "B": ramp}))
    chain.prepare(one)
    return chain.run(one, plan_strips(one.amplifiers)[0])


def marked(segment: Segment) -> int:
    """Columns that are SUSPECT, in all rows alike."""
    suspect = segment.mask == Plane.SUSPECT
    assert (suspect.all(axis=0) | ~suspect.any(axis=0)).all()
    return int(suspect.any(axis=0).sum())


def test_one_turn_off_for_all() -> None:
    assert [marked(s) for s in corrected(turnoff=15000.0)] == [4, 4]  # 16000 to 19000


def test_each_amplifier_its_own() -> None:
    assert [marked(s) for s in corrected(turnoffs={"A": 9999.0, "B": 17500.0})] == [10, 2]
    assert [marked(s) for s in corrected(turnoffs={"B": 17500.0})] == [0, 2]
    assert [marked(s) for s in corrected(turnoffs={"B": 17500.0}, turnoff=500.0)] == [19, 2]


def test_in_electrons_on_either_side_of_the_gain() -> None:
    behind = ("overscan", "gain", "suspect", "assembly")
    # Gains 2 and 4: 30,000 electrons are 15,000 and 7,500 adu.
    assert [marked(s) for s in corrected(turnoff=30000.0, unit="electron")] == [4, 12]
    assert [marked(s) for s in corrected(*behind, turnoff=30000.0, unit="electron")] == [4, 12]
    assert [marked(s) for s in corrected(*behind, turnoff=15000.0)] == [4, 4]


def test_saturation_stays() -> None:
    camera, config = tiny_camera(), CorrectionsConfig()
    config.suspect.turnoff = 1000.0
    pixels = raw_pixels(camera)
    pixels[5, 5] = 60000.0
    chain = build_chain(CHAIN, config, camera=camera, detector=0)
    one = frame(camera, pixels)
    lower, _ = chain.run(one, plan_strips(one.amplifiers)[0])
    assert lower.mask[5, 5] == Plane.SAT | Plane.SUSPECT
    assert np.count_nonzero(lower.mask) == 1


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no turn-off is set"):
        corrected()
    with pytest.raises(ConfigurationError, match="turnoffs name C, and TinyCam has no such"):
        corrected(turnoffs={"C": 1.0})
    with pytest.raises(ConfigurationError, match="overscan stands after suspect"):
        require_valid(["suspect", "overscan", "assembly"])


def test_the_header_has_the_values() -> None:
    config = CorrectionsConfig()
    config.suspect.turnoffs = {"A": 9999.0}
    notes = build_chain(CHAIN, config, camera=tiny_camera(), detector=0).notes()
    assert notes["SUSPECT A"] == 9999.0
    assert "SUSPECT B" not in notes


def with_transfer(*names: str, masters: dict[str, Any], **settings: Any) -> list[Segment]:
    camera, config = tiny_camera(), CorrectionsConfig()
    config.saturation.suspect = 1.0
    config.suspect.update(source="ptc", **settings)
    chain = build_chain(names or CHAIN, config, camera=camera, detector=0, masters=masters)
    ramp = 1000.0 * np.arange(20)
    one = frame(camera, raw_pixels(camera, {"A": ramp, "B": ramp}))
    chain.prepare(one)
    return chain.run(one, plan_strips(one.amplifiers)[0])


def test_turn_offs_of_photon_transfer_are_those_that_it_found() -> None:
    curve = transfer(GAIN, {"A": 12500.0})
    assert [marked(s) for s in with_transfer(masters={"ptc": curve})] == [7, 0]
    assert [marked(s) for s in with_transfer(masters={"ptc": curve}, turnoff=17500.0)] == [7, 2]
    behind = ("overscan", "gain", "suspect", "assembly")
    assert [marked(s) for s in with_transfer(*behind, masters={"ptc": curve})] == [7, 0]


def test_turn_offs_behind_linearity_are_taken_back_before_it() -> None:
    nodes = np.array([0.0, 1e4, 2e4])
    curves = {"A": Spline(nodes, np.array([0.0, 500.0, 2000.0])), "B": None}  # 0.05 m^2 / 1e4
    masters = {
        "ptc": transfer(GAIN, {"A": 12500.0, "B": 12500.0}, **{"FID CHAIN": "overscan,linearity,assembly"})
    }
    assert [marked(s) for s in with_transfer(masters=masters)] == [7, 7]
    masters["linearizer"] = linearity_master(curves)
    # 11,000 becomes 11,605 and 12,000 becomes 12,720.
    assert [marked(s) for s in with_transfer(masters=masters)] == [8, 7]


def test_photon_transfer_has_to_be_there_and_to_fit() -> None:
    config = CorrectionsConfig()
    names = ["overscan", "suspect", "linearity", "assembly"]
    assert masters_of(names, config) == ("linearizer",)
    config.suspect.source = "ptc"
    assert masters_of(names, config) == ("ptc", "linearizer")
    assert masters_of(names) == ("linearizer",)
    with pytest.raises(ConfigurationError, match="suspect with source=ptc needs photon transfer"):
        with_transfer(masters={})
    with pytest.raises(CalibrationMismatch, match="detector 1"):
        with_transfer(masters={"ptc": transfer(GAIN, detector=1)})
    slow = {"ptc": transfer(GAIN, {"A": 1.0}, **{"FID STATE SEQFILE": "slow.seq"})}
    with pytest.raises(CalibrationMismatch, match="SEQFILE") as caught:
        with_transfer(masters=slow)
    assert "corrections.suspect.matchState=False" in caught.value.hint
    with_transfer(masters=slow, matchState=False)


def test_the_header_says_where_turn_offs_are_from() -> None:
    config, camera = CorrectionsConfig(), tiny_camera()
    config.suspect.source = "ptc"
    curve = transfer(GAIN, {"A": 12500.0})
    notes = build_chain(CHAIN, config, camera=camera, detector=0, masters={"ptc": curve}).notes()
    assert notes["SUSPECT SOURCE"] == "ptc"
    assert notes["SUSPECT HASH"] == curve.content_hash
    assert notes["SUSPECT A"] == 12500.0
    assert "SUSPECT B" not in notes
