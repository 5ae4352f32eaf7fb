"""Pairs of flats: neighbours go together, and every flat that stays alone has its reason."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from fiducial.algorithms.flat_pairing import Flat, Pairing, pair_flats
from fiducial.errors import AlgorithmError


def ids(pairing: Pairing) -> list[tuple[int, int]]:
    return [(first.exposure, second.exposure) for first, second in pairing.pairs]


def flats(*times: float, every: float = 60.0) -> list[Flat]:
    return [Flat(i + 1, time, every * i) for i, time in enumerate(times)]


def test_flats_of_equal_times_are_paired_with_their_neighbours() -> None:
    given = flats(1, 1, 2, 2, 1.005, 1, 4)
    found = pair_flats(given[::-1])
    assert ids(found) == [(1, 2), (3, 4), (5, 6)]
    assert [(one.exposure, one.reason) for one in found.unpaired] == [
        (7, "no other flat has its exposure time 4 s")
    ]


def test_filters_do_not_mix() -> None:
    given = [Flat(1, 5, 0, "g"), Flat(2, 5, 60, "r"), Flat(3, 5, 120, "g"), Flat(4, 5, 180, "r")]
    assert ids(pair_flats(given)) == [(1, 3), (2, 4)]
    found = pair_flats(given[:3])
    assert ids(found) == [(1, 3)]
    assert found.unpaired[0].reason == "no other flat has its exposure time 5 s in filter r"


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_of_separations_is_the_smallest_there_is(seed: int) -> None:
    begins = np.random.default_rng(seed).uniform(0, 1000, 5)
    given = [Flat(i, 1.0, float(begin)) for i, begin in enumerate(begins)]
    found = pair_flats(given)
    total = sum(second.begin - first.begin for first, second in found.pairs)
    least = min(
        abs(begins[a] - begins[b]) + abs(begins[c] - begins[d]) for a, b, c, d, _ in permutations(range(5))
    )
    assert total == pytest.approx(least)
    assert len(found.unpaired) == 1
    assert "odd number" in found.unpaired[0].reason


def test_flats_too_far_apart_are_named_with_their_neighbour() -> None:
    given = [Flat(1, 1, 0), Flat(2, 1, 10), Flat(3, 1, 5000), Flat(4, 1, 9000)]
    found = pair_flats(given, most_separation=600)
    assert ids(found) == [(1, 2)]
    assert [one.exposure for one in found.unpaired] == [3, 4]
    assert found.unpaired[0].reason == "its neighbour 4 is 4000 s away, at most 600 s are allowed"


def test_by_level_whatever_the_times() -> None:
    given = [Flat(1, 1, 0, level=100), Flat(2, 2, 1, level=205), Flat(3, 3, 2, level=200)]
    given += [Flat(4, 9, 3, level=100.5), Flat(5, 9, 4), Flat(6, 9, 5, level=500), Flat(7, 1, 6, level=-3)]
    found = pair_flats(given, "level", tolerance=0.03)
    assert ids(found) == [(1, 4), (2, 3)]
    reasons = {one.exposure: one.reason for one in found.unpaired}
    assert reasons[5] == "its level is not known"
    assert reasons[6] == "no other flat has its level 500 adu"
    assert reasons[7] == "it has no light"


def test_by_order_a_flat_that_is_missing_does_not_upset_the_rest() -> None:
    found = pair_flats(flats(1, 2, 2, 1, 1, 3), "order")
    assert ids(found) == [(2, 3), (4, 5)]
    reasons = {one.exposure: one.reason for one in found.unpaired}
    assert reasons == {
        1: "the next one, 2, has an exposure time of 2 s",
        6: "it is the last one",
    }


def test_times_that_are_none_and_exposures_that_stand_twice() -> None:
    found = pair_flats([Flat(1, 0.0, 0), Flat(2, float("nan"), 1)])
    assert [one.reason for one in found.unpaired] == [
        "its exposure time is 0 s",
        "its exposure time is nan s",
    ]
    with pytest.raises(AlgorithmError, match="exposure 1 stands twice"):
        pair_flats([Flat(1, 1, 0), Flat(1, 1, 1)])


@pytest.mark.parametrize("method", ["time", "level", "order"])
def test_every_flat_is_told_of_once(method) -> None:
    rng = np.random.default_rng(1)
    given = [
        Flat(i, float(rng.integers(0, 4)), 60.0 * i, "gr"[i % 2], float(rng.integers(0, 9)))
        for i in range(101)
    ]
    found = pair_flats(given, method, most_separation=1500)
    told = [number for pair in ids(found) for number in pair] + [one.exposure for one in found.unpaired]
    assert sorted(told) == list(range(101))
    assert found.pairs
