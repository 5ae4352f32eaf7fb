"""The order of a chain follows from one table, for corrections that are there and for those to come."""

from __future__ import annotations

from itertools import permutations

import pytest

from fiducial.corrections.base import Correction
from fiducial.corrections.chain import require_valid
from fiducial.corrections.places import TABLE, in_order, stage_of
from fiducial.corrections.registry import BUILT_IN, CORRECTIONS
from fiducial.errors import ConfigurationError

COMING = ("crosstalk", "cti", "brighter_fatter", "fringe")


@pytest.fixture
def coming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corrections of those names, as a plug-in would bring them."""
    for name in COMING:
        made = type(name.title(), (Correction,), {"name": name, "__doc__": name})
        monkeypatch.setitem(CORRECTIONS, name, made)


def test_the_table_is_in_its_own_order() -> None:
    names = [place.name for place in TABLE]
    assert len(set(names)) == len(names)
    for number, place in enumerate(TABLE):
        assert set(place.behind) <= set(names[:number]), place.name
    raw = [place.stage for place in TABLE]
    assert raw == sorted(raw, reverse=True)  # assembly is the last of the raw ones
    assert names[raw.index("detector") - 1] == "assembly"


def test_every_correction_has_a_place_and_works_where_the_table_says() -> None:
    names = {place.name for place in TABLE}
    assert {correction.name for correction in BUILT_IN} | set(COMING) == names
    for correction in BUILT_IN:
        assert stage_of(correction.name, correction) == correction.stage


@pytest.mark.usefixtures("coming")
def test_the_table_itself_is_a_chain() -> None:
    require_valid([place.name for place in TABLE])


@pytest.mark.usefixtures("coming")
@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["crosstalk", "overscan", "assembly"], "crosstalk stands before overscan"),
        (["overscan", "crosstalk", "saturation", "assembly"], "crosstalk stands before saturation"),
        (["overscan", "linearity", "crosstalk", "assembly"], "linearity stands before crosstalk"),
        (["overscan", "assembly", "crosstalk"], "crosstalk stands after assembly, and works on raw"),
        (["overscan", "cti", "linearity", "assembly"], "cti stands before linearity"),
        (["overscan", "cti", "gain", "assembly"], "cti stands before gain"),
        (["brighter_fatter", "assembly"], "brighter_fatter stands before assembly"),
        (["assembly", "brighter_fatter", "bias"], "brighter_fatter stands before bias"),
        (["assembly", "flat", "brighter_fatter"], "brighter_fatter stands after flat"),
        (["assembly", "fringe", "flat"], "flat stands after fringe"),
        (["assembly", "interpolate", "fringe"], "fringe stands after interpolate"),
    ],
)
def test_what_is_to_come_has_its_place(names: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        require_valid(names)


@pytest.mark.usefixtures("coming")
@pytest.mark.parametrize("gain", [0, 1, 2, 3])
def test_crosstalk_stands_on_either_side_of_the_gain(gain: int) -> None:
    names = ["overscan", "crosstalk", "linearity"]
    require_valid(["saturation", *names[:gain], "gain", *names[gain:], "assembly"])


def test_pairs_are_refused_in_one_order_only() -> None:
    """Every pair of corrections can stand in the order of the table; the other order is refused or free."""
    free = 0
    for first, second in permutations([place.name for place in TABLE if place.name in CORRECTIONS], 2):
        if "assembly" in (first, second) or stage_of(first, CORRECTIONS[first]) != stage_of(
            second, CORRECTIONS[second]
        ):
            continue
        raw = CORRECTIONS[first].stage == "raw"
        names = [first, second, "assembly"] if raw else ["assembly", first, second]
        if in_order([first, second]) == (first, second):
            require_valid(names)
        else:
            behind = next(place.behind for place in TABLE if place.name == first)
            if second in behind:
                with pytest.raises(ConfigurationError, match="stands"):
                    require_valid(names)
            else:
                require_valid(names)
                free += 1
    assert free > 10


def test_the_hint_says_the_order() -> None:
    with pytest.raises(ConfigurationError) as caught:
        require_valid(["saturation", "overscan", "assembly", "bias", "dark", "variance", "nan"])
    assert caught.value.message == "variance stands after dark"
    assert caught.value.hint.endswith(": saturation, overscan, assembly, bias, variance, dark, nan.")
    assert in_order(["gain", "mine", "overscan"]) == ("overscan", "gain", "mine")


def test_what_a_plug_in_says_of_itself_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"name": "mine", "stage": "raw", "after": ("gain",), "before": ("linearity",), "__doc__": "mine"}
    monkeypatch.setitem(CORRECTIONS, "mine", type("Mine", (Correction,), own))
    require_valid(["overscan", "gain", "mine", "linearity", "assembly"])
    with pytest.raises(ConfigurationError, match="gain stands after mine"):
        require_valid(["mine", "gain", "assembly"])
    with pytest.raises(ConfigurationError, match="mine stands after linearity"):
        require_valid(["linearity", "mine", "assembly"])
    with pytest.raises(ConfigurationError, match="mine stands after assembly, and works on raw amplifiers"):
        require_valid(["assembly", "mine"])
