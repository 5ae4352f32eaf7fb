"""Chains without the corrections for which there is no master."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import pytest

from fiducial.corrections.chain import require_valid
from fiducial.service import chains
from fiducial.service.before import Before
from selection_frames import make_camera

CHAIN = ["saturation", "overscan", "gain", "assembly", "bias", "dark", "flat", "nan"]


@dataclass
class Repository:
    """Knows which masters are certified: kind, detector and filter."""

    certified: set[tuple[str, int, str | None]]
    butler: Any = None
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def find_calibration(
        self, kind: str, exposure: int, detector: int, *, physical_filter: str | None = None
    ) -> object | None:
        self.asked.append((kind, exposure, detector))
        return object() if (kind, detector, physical_filter) in self.certified else None


def adapt(*certified: tuple[str, int, str | None], **wishes: Any) -> chains.Adapted:
    repository: Any = Repository(set(certified))
    values: dict[str, Any] = {"exposure": 7, "detectors": [0, 1], "physical_filter": "g"} | wishes
    return chains.adapt_chain(repository, "detrend", CHAIN, **values)


BOTH = [("dark", 0, None), ("dark", 1, None), ("flat", 0, "g"), ("flat", 1, "g")]


def test_where_all_masters_are_there_nothing_changes() -> None:
    assert adapt(*BOTH) == chains.Adapted()


@pytest.mark.parametrize(
    ("certified", "left_out"),
    [
        ([], ["dark", "flat"]),
        (BOTH[:2], ["flat"]),
        (BOTH[2:], ["dark"]),
        (BOTH[1:], ["dark"]),  # one detector lacks it
        ([*BOTH[:3], ("flat", 1, "r")], ["flat"]),  # of another filter
    ],
)
def test_what_one_detector_lacks_is_left_out_and_said(
    certified: list[tuple[str, int, str | None]], left_out: list[str]
) -> None:
    adapted = adapt(*certified)
    chain = [name for name in CHAIN if name not in left_out]
    assert adapted.overrides == (f"detrend:chain={chain}",)
    assert adapted.notes == tuple(
        f"no {k} is there for exposure 7: its correction is left out" for k in left_out
    )


def test_a_chain_that_the_user_gave_is_left_as_it_is() -> None:
    assert adapt(wished=("detrend:chain=['assembly']",)) == chains.Adapted()
    assert adapt(wished=("detrend:memory=100",)) != chains.Adapted()


def test_what_is_made_before_counts_as_there() -> None:
    assert adapt(*BOTH[2:], before=Before(coming=("dark",))) == chains.Adapted()


def test_bootstraps_need_masters_in_adu() -> None:
    assert adapt(*BOTH, stage="Bootstrap").notes
    adu = [(f"{kind}Bootstrap", detector, band) for kind, detector, band in BOTH]
    assert adapt(*adu, stage="Bootstrap") == chains.Adapted()


def test_only_flats_do_without_a_dark() -> None:
    repository: Any = Repository(set())
    assert chains.adapt_product(repository, "dark", exposure=7, detectors=[0]) == chains.Adapted()
    assert repository.asked == []
    adapted = chains.adapt_product(repository, "flat", exposure=7, detectors=[0])
    assert "'dark'" not in adapted.overrides[0]
    assert "'bias'" in adapted.overrides[0]
    bootstrap = chains.adapt_product(repository, "flatBootstrap", exposure=7, detectors=[0])
    assert "'gain'" not in bootstrap.overrides[0]
    assert ("darkBootstrap", 7, 0) in repository.asked


def ramp(
    *certified: str, before: Before | None = None, product: str = "ptc", **wishes: Any
) -> chains.Adapted:
    repository: Any = Repository({(kind, 0, None) for kind in certified})
    return chains.adapt_product(
        repository, product, exposure=7, detectors=[0], before=before or Before(), **wishes
    )


def chain_in(adapted: chains.Adapted, label: str = "ptc") -> list[str]:
    (setting,) = adapted.overrides
    name, value = setting.split("=", 1)
    assert name == f"{label}:chain"
    return list(ast.literal_eval(value))


def test_a_dark_and_a_linearizer_that_are_there_are_used_by_photon_transfer() -> None:
    assert ramp() == chains.Adapted()
    dark = ramp("darkBootstrap")
    assert chain_in(dark).index("dark") == chain_in(dark).index("bias") + 1
    assert dark.notes == ("a darkBootstrap is there for exposure 7: dark is put into the chain",)
    both = chain_in(ramp("darkBootstrap", "linearizer"))
    assert both.index("overscan") < both.index("linearity") < both.index("assembly")
    require_valid(both)


def test_a_dark_in_electrons_is_of_no_use_to_a_ramp() -> None:
    assert ramp("dark") == chains.Adapted()


def test_what_was_made_before_in_the_same_production_is_used_unless_it_failed() -> None:
    assert "linearity" in chain_in(ramp(before=Before(coming=("linearizer",))))
    failed = Before(coming=("linearizer",), failed=frozenset({"linearizer"}))
    assert ramp(before=failed).overrides == ()
    assert ramp(before=failed).notes == (
        "the linearizer of this production did not pass: linearity is left out",
    )


def test_a_chain_of_the_users_own_is_left_as_it_is_for_ramps_too() -> None:
    assert ramp("linearizer", wished=("ptc:chain=['assembly']",)) == chains.Adapted()


@pytest.mark.parametrize("product", ["flat", "flatBootstrap"])
def test_flats_are_linearised_where_a_linearizer_is(product: str) -> None:
    stage = product.removeprefix("flat")
    chain = chain_in(ramp(f"dark{stage}", "linearizer", product=product), "parameters")
    place = chain.index("linearity")
    assert chain[place - 1] == ("overscan" if stage else "gain")
    assert chain[place + 1] == "assembly"
    assert "dark" in chain
    require_valid(chain)


def test_gains_are_those_of_photon_transfer_where_it_is() -> None:
    assert ramp(product="bias") == chains.Adapted()
    there = ramp("ptc", product="bias")
    assert there.overrides == ("bias:gains=ptc",)
    assert there.notes == ("gains are those of the ptc for exposure 7",)
    failed = Before(coming=("ptc",), failed=frozenset({"ptc"}))
    assert ramp(product="bias", before=failed).notes == (
        "the ptc of this production did not pass: gains are those of the camera file",
    )
    assert ramp("ptc", product="biasBootstrap") == chains.Adapted()


@pytest.mark.parametrize("wish", ["bias:gains=camera", "bias:chain=['overscan','assembly']"])
def test_gains_of_the_users_choice_stay(wish: str) -> None:
    assert ramp("ptc", product="bias", wished=(wish,)) == chains.Adapted()


def test_what_is_coming_in_another_camera_state_is_not_used_unasked() -> None:
    camera = make_camera()
    repository: Any = Repository(set())
    repository.camera = lambda: camera
    before = Before(coming=("linearizer",), states={"linearizer": {"SET-TEMP": -5.0}})
    wishes: dict[str, Any] = {"exposure": 7, "detectors": [0], "before": before}
    other = chains.adapt_product(repository, "ptc", state={"SET-TEMP": -10.0}, **wishes)
    assert other.overrides == ()
    assert other.notes == (
        "the linearizer is of another camera state (SET-TEMP -5.0, not -10.0): linearity is left out",
    )
    same = chains.adapt_product(repository, "ptc", state={"SET-TEMP": -5.2}, **wishes)
    assert "linearity" in chain_in(same)


def test_turn_offs_are_put_in_before_linearity_where_they_are_asked_for() -> None:
    both = [("linearizer", 0, None), ("linearizer", 1, None), ("ptc", 0, None), ("ptc", 1, None)]
    chain = chain_in(adapt(*BOTH, *both, added=("linearity", "suspect")), "detrend")
    assert chain[:6] == ["saturation", "overscan", "gain", "suspect", "linearity", "assembly"]
    require_valid(chain)
    assert "suspect" not in chain_in(adapt(*BOTH, *both[:2], added=("linearity", "suspect")), "detrend")
