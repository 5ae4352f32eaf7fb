"""Edges and trails of flags."""

from __future__ import annotations

import numpy as np
import pytest

from fiducial.algorithms.edges import edge_band
from fiducial.algorithms.trails import grow, runs_from_edge


@pytest.mark.parametrize("width", [0, 1, 2, 3, 9])
def test_the_band_is_what_is_near_an_edge(width: int) -> None:
    y, x = np.mgrid[:7, :5]
    distance = np.minimum(np.minimum(y, 6 - y), np.minimum(x, 4 - x))
    assert np.array_equal(edge_band((7, 5), width), distance < width)


@pytest.mark.parametrize(("across", "along"), [(0, 0), (1, 0), (0, 3), (2, 5)])
def test_growing_is_a_rectangle_about_each_pixel(across: int, along: int) -> None:
    rng = np.random.default_rng(5)
    flags = rng.random((60, 50)) < 0.01
    flags[0, 0] = flags[20:40, 17] = True
    expected = np.zeros_like(flags)
    for y, x in np.argwhere(flags):
        expected[max(y - along, 0) : y + along + 1, max(x - across, 0) : x + across + 1] = True
    assert np.array_equal(grow(flags, across=across, along=along), expected)


def test_nothing_grows_to_nothing() -> None:
    assert not grow(np.zeros((5, 5), np.bool_), across=2, along=2).any()


def test_runs_begin_at_the_edge_and_have_no_gap() -> None:
    flags = np.zeros((6, 5), np.bool_)
    flags[:, 0] = flags[:3, 1] = flags[1:, 2] = flags[[0, 2, 3], 3] = True
    assert runs_from_edge(flags).tolist() == [6, 3, 0, 1, 0]
    assert runs_from_edge(flags[::-1]).tolist() == [6, 0, 5, 0, 0]
