"""Masks of edges and of bleeding trails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fiducial.corrections.chain import build_chain
from fiducial.corrections.registry import CorrectionsConfig
from fiducial.corrections.strips import plan_strips
from fiducial.errors import ConfigurationError
from fiducial.products.masks import Plane
from frame_arrays import RAW_SHAPE, SHAPE, frame, tiny_camera


def mask_of(
    *names: str, pixels: np.ndarray | None = None, height: int | None = None, **settings: Any
) -> np.ndarray:
    """The mask of a frame; the last of the names is what the settings are for."""
    camera, config = tiny_camera(), CorrectionsConfig()
    config.saturation.suspect = 1.0
    getattr(config, names[-1]).update(**settings)
    chain = build_chain(names, config, camera=camera, detector=0)
    one = frame(camera, pixels)
    chain.prepare(one)
    mask = np.full(SHAPE, -1, np.int32)
    for strip in plan_strips(one.amplifiers, height):
        for segment in chain.run(one, strip):
            mask[segment.place.slices] = segment.mask
    return mask


def saturated_at(*places: tuple[Any, Any]) -> np.ndarray:
    """Raw pixels of which some of the left amplifier's, and their SUSPECT, are saturated."""
    pixels = np.full(RAW_SHAPE, 1000, np.uint16)
    for place in places:
        pixels[place] = 65535
    return pixels


def sat(mask: np.ndarray) -> np.ndarray:
    return (mask & Plane.SAT) != 0


@pytest.mark.parametrize("height", [None, 64, 8])
def test_edges_of_the_detector(height: int | None) -> None:
    mask = mask_of("assembly", "edges", detector=3, height=height)
    inside = mask[3:-3, 3:-3]
    assert not inside.any()
    assert np.count_nonzero(mask == Plane.EDGE) == mask.size - inside.size


def test_edges_of_amplifiers() -> None:
    mask = mask_of("assembly", "edges", detector=0, amplifier=2)
    expected = np.full(SHAPE, Plane.EDGE, np.int32)
    expected[2:-2, 2:18] = expected[2:-2, 22:38] = 0
    assert np.array_equal(mask, expected)


def test_a_trail_becomes_wider() -> None:
    pixels = saturated_at((slice(40, 50), 10))
    mask = mask_of("saturation", "assembly", "bleeds", pixels=pixels, across=2, along=3)
    expected = np.zeros(SHAPE, np.bool_)
    expected[37:53, 8:13] = True
    assert np.array_equal(sat(mask), expected)


def test_charge_does_not_stop_between_amplifiers() -> None:
    pixels = saturated_at((slice(40, 50), 19))
    mask = mask_of("saturation", "assembly", "bleeds", pixels=pixels, across=2, along=0)
    assert sat(mask)[45].nonzero()[0].tolist() == [17, 18, 19, 20, 21]


@pytest.mark.parametrize(("rows", "edge"), [(slice(0, 30), slice(0, 4)), (slice(66, 96), slice(92, 96))])
def test_a_long_trail_spills_at_the_edge(rows: slice, edge: slice) -> None:
    settings = {"across": 0, "along": 0, "trail": 30, "edgeRows": 4}
    mask = mask_of("saturation", "assembly", "bleeds", pixels=saturated_at((rows, 10)), **settings)
    expected = np.zeros(SHAPE, np.bool_)
    expected[rows, 10] = expected[edge, :20] = True  # its amplifier's, not the other's
    assert np.array_equal(sat(mask), expected)


def test_a_short_one_does_not() -> None:
    settings = {"across": 0, "along": 0, "trail": 31, "edgeRows": 4}
    for rows in (slice(0, 30), slice(1, 60)):
        mask = mask_of("saturation", "assembly", "bleeds", pixels=saturated_at((rows, 10)), **settings)
        assert np.count_nonzero(sat(mask)) == rows.stop - rows.start


def test_bleeds_refuse_strips() -> None:
    with pytest.raises(ConfigurationError, match="bleeds needs the whole detector"):
        mask_of("saturation", "assembly", "bleeds", height=64)
