"""The order of a production, and what is said of a product whose masters are not there."""

from __future__ import annotations

from typing import Any

import pytest

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo, UsageError
from fiducial.service.before import Before, require_masters
from fiducial.service.request import Request
from fiducial.service.steps import Step, frames_needed, needed_by, steps_of

SETTINGS = SelectionDefaults(skip_first=1, minimum=4)


class Repository:
    """Knows which masters are certified."""

    butler: Any = None

    def __init__(self, *certified: tuple[str, int]) -> None:
        self.certified = set(certified)

    def find_calibration(self, kind: str, exposure: int, detector: int, **_: Any) -> object | None:
        return object() if (kind, detector) in self.certified else None


def test_everything_in_the_order_in_which_it_is_needed() -> None:
    assert [step.product for step in steps_of(["all"], "electron")] == [
        "biasBootstrap",
        "darkBootstrap",
        "flatBootstrap",
        "defects",
        "linearizer",
        "ptc",
        "bias",
        "dark",
        "flat",
    ]


def test_everything_in_adu_ends_before_the_gains_are_used() -> None:
    assert [step.product for step in steps_of(["all"], "adu")][-1] == "ptc"


@pytest.mark.parametrize(
    ("kinds", "world", "products"),
    [
        (["flat", "bias"], "electron", ["bias", "flat"]),
        (["flat", "bias"], "adu", ["biasBootstrap", "flatBootstrap"]),
        # What measures the gain comes before what is made with it, and after what it needs.
        (["bias", "ptc", "defects"], "electron", ["ptc", "bias", "defects"]),
        (["ptc", "bias", "linearizer"], "adu", ["biasBootstrap", "linearizer", "ptc"]),
    ],
)
def test_kinds_that_are_asked_for(kinds: list[str], world: Any, products: list[str]) -> None:
    assert [step.product for step in steps_of(kinds, world)] == products


def test_an_unknown_kind() -> None:
    with pytest.raises(UsageError, match="called bais") as caught:
        steps_of(["bais", "all"], "electron")
    assert "ptc, and all" in caught.value.hint


def test_what_is_needed() -> None:
    assert needed_by("darkBootstrap") == needed_by("flatBootstrap") == needed_by("ptc") == ("biasBootstrap",)
    assert needed_by("dark") == needed_by("flat") == ("bias",)
    assert needed_by("bias") == needed_by("biasBootstrap") == needed_by("defects") == ()


def test_the_frames_that_would_be_needed() -> None:
    said = {kind: frames_needed(Step(kind, "adu"), SETTINGS) for kind in ("bias", "flat", "ptc", "defects")}
    assert said["bias"] == "4 biases of one camera state, besides the first 1 of a set"
    assert said["flat"].startswith("4 flats of one filter and exposure time")
    assert said["ptc"].startswith("two flats of each of 4 exposure times")
    assert said["defects"] == ""


def lacks(product: str, repository: Repository, before: Before, *settings: str) -> str:
    """What is said of what is missing; empty if nothing is."""
    found: Any = repository
    request = Request(night=20260115, overrides=settings)
    try:
        require_masters(found, product, exposure=7, detectors=[0, 1], before=before, request=request)
    except NothingToDo as error:
        return f"{error.message} | {error.hint}"
    return ""


def test_a_ramp_needs_its_bias() -> None:
    none = (
        "ptc needs a biasBootstrap, and none is certified for exposure 7 | "
        "fiducial make REPO bias --bootstrap --night 20260115; `make REPO all` makes what is needed, in order"
    )
    assert lacks("ptc", Repository(), Before()) == none
    assert lacks("ptc", Repository(("biasBootstrap", 0)), Before()) == none  # not of both detectors
    assert lacks("ptc", Repository(("biasBootstrap", 0), ("biasBootstrap", 1)), Before()) == ""
    assert lacks("ptc", Repository(), Before(coming=("biasBootstrap",))) == ""
    assert lacks("ptc", Repository(), Before(), "ptc:chain=['overscan','assembly']") == ""
    assert lacks("ptc", Repository(), Before(), "parameters:chain=['overscan','assembly']") == none


def test_what_needs_a_master_that_was_lost_says_so() -> None:
    lost = Before(lost=frozenset({"bias"}))
    assert "could not be made in this production" in lacks("dark", Repository(), lost)
    assert lacks("dark", Repository(("bias", 0), ("bias", 1)), lost) == ""
    assert lacks("darkBootstrap", Repository(), lost) == ""
    assert lacks("flat", Repository(), lost, "parameters:chain=['overscan','assembly']") == ""
    # What was not asked for is left to the graph.
    assert lacks("dark", Repository(), Before()) == ""


def test_what_was_made_with_a_master_that_did_not_pass_says_so() -> None:
    before = Before().with_run("biasBootstrap", "run/1", "fail").with_run("linearizer", "run/2", "warn")
    assert before.runs == ("run/1", "run/2")
    assert before.warnings_for("ptc") == (
        "made with the biasBootstrap of this production, which did not pass its verification",
    )
    assert before.warnings_for("bias") == ()
    assert Before().without("dark").lost == {"dark"}
