"""SUSPECT above the turn-off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain, require_valid
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.segment import Segment
from fiducial.corrections.strips import plan_strips
from fiducial.errors import ConfigurationError
from fiducial.products.masks import Plane
from frame_arrays import frame, raw_pixels, tiny_camera

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
