"""Frames and their roles."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from fiducial.errors import HeaderError, UnreadableFrame
from fiducial.products.metadata import InputNote
from fiducial.verify.opening import Offered, first_exposures_of, mjd_of, own_error, role_of

NIGHT = datetime(2026, 1, 15, 20, 0)
INPUTS = {k: InputNote(k, (NIGHT + timedelta(minutes=k)).isoformat(), 1.0, 0.0) for k in range(10, 20)}


@pytest.mark.parametrize(
    ("exposure", "begin", "role"),
    [
        (12, NIGHT, "input"),
        (10, NIGHT, "input"),  # a first exposure that went in: what is wrong with it is in the master
        (9, NIGHT, "first"),
        (25, NIGHT + timedelta(hours=6), "held_out"),
        (25, NIGHT + timedelta(hours=30), "other_day"),
        (25, NIGHT - timedelta(days=3), "other_day"),
    ],
)
def test_roles(exposure: int, begin: datetime, role: str) -> None:
    assert role_of(exposure, begin, INPUTS, frozenset({9, 10})) == role


def test_a_master_from_elsewhere_has_no_inputs() -> None:
    assert role_of(12, NIGHT, {}, frozenset()) == "held_out"
    assert role_of(12, NIGHT, {}, frozenset({12})) == "first"


def test_the_middle_of_an_exposure() -> None:
    facts: Any = SimpleNamespace(begin=datetime(2000, 1, 1, 12), end=datetime(2000, 1, 1, 12, 0, 20))
    assert mjd_of(facts) == pytest.approx(51544.5 + 10 / 86400, abs=1e-9)


def test_first_exposures_that_are_named_are_believed() -> None:
    camera: Any = None
    assert first_exposures_of([], camera, [4, 5]) == {4, 5}
    assert first_exposures_of([], camera) == frozenset()


class Wrapped:
    """A handle as the middleware's, which wraps what a formatter raises."""

    path = "b1.fits"

    def get(self) -> Any:
        try:
            raise UnreadableFrame("b1.fits is truncated", file="b1.fits")
        except UnreadableFrame as error:
            raise ValueError("Failure from formatter") from error


def test_our_own_error_is_found_in_the_middlewares() -> None:
    camera: Any = None
    with pytest.raises(UnreadableFrame, match="truncated"):
        Offered(1, Wrapped(), NIGHT).open(camera, 0, None)


@pytest.mark.parametrize("error", [FileNotFoundError("b1.fits"), RuntimeError("Size of file b1.fits")])
def test_the_middlewares_own_complaints_of_a_file_are_ours(error: Exception) -> None:
    found = own_error(error)
    assert isinstance(found, UnreadableFrame)
    assert "b1.fits" in found.message
    assert own_error(ZeroDivisionError("a fault of ours")).args == ("a fault of ours",)


def test_an_error_that_is_its_own_cause_does_not_hang() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert own_error(one) is one


def test_a_file_that_changed_since_is_refused() -> None:
    camera: Any = None
    record: Any = SimpleNamespace(facts=SimpleNamespace(exposure=2))
    handle: Any = SimpleNamespace(get=lambda: SimpleNamespace(path="b1.fits"))
    with pytest.raises(HeaderError, match=r"b1\.fits says it is exposure 2"):
        Offered(1, handle, NIGHT).open(camera, 0, record)
