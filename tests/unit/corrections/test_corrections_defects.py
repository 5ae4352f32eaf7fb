"""Defects in the chain: pixels are marked, values stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain, masters_of, require_valid
from fiducial.corrections.defects import DefectMaster
from fiducial.corrections.masters import Master
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.strips import plan_strips
from fiducial.errors import CalibrationMismatch, ConfigurationError
from fiducial.products.defects import DefectSet
from fiducial.products.masks import Plane
from frame_arrays import SHAPE, frame, raw_pixels, tiny_camera

CAMERA = tiny_camera()
CHAIN = ["overscan", "gain", "assembly", "defects", "nan"]


def defects() -> DefectSet:
    masks = {name: np.zeros(SHAPE, bool) for name in ("hot", "dust")}
    masks["hot"][7, [3, 33]] = True
    masks["dust"][40:50, 10:20] = True
    return DefectSet.from_masks(masks, instrument="TinyCam", detector=0, shape=SHAPE)


def chain(found: DefectSet | None) -> object:
    masters: dict[str, Master] = {} if found is None else {"defects": DefectMaster("defects", found, "id")}
    return build_chain(CHAIN, CorrectionsConfig(), camera=CAMERA, detector=0, masters=masters)


def test_defects_are_marked_bad_in_every_strip_and_keep_their_values() -> None:
    given = frame(CAMERA, raw_pixels(CAMERA, 100.0))
    made = chain(defects())
    made.prepare(given)
    mask = np.zeros(SHAPE, np.int32)
    for strip in plan_strips(given.amplifiers, 32):
        for segment in made.run(given, strip):
            mask[segment.place.slices] = segment.mask
            assert np.isfinite(segment.image).all()
    assert np.array_equal((mask & int(Plane.BAD)) != 0, defects().mask())
    notes = made.notes()
    assert notes["DEFECTS PIXELS"] == 2
    assert len(str(notes["DEFECTS HASH"])) == 64


def test_the_chain_asks_for_defects_and_refuses_others() -> None:
    require_valid(CHAIN)
    assert masters_of(CHAIN) == ("defects",)
    with pytest.raises(ConfigurationError, match="no defects"):
        chain(None)
    with pytest.raises(CalibrationMismatch, match="detector 1"):
        chain(replace(defects(), detector=1))
    with pytest.raises(ConfigurationError, match="before assembly"):
        require_valid(["defects", "assembly"])
