"""The chain of verification is that of the master's own inputs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fiducial.corrections.registry import CorrectionsConfig
from fiducial.verify.detrend import chain_names, overscan_as_master, second_method, world_of_master


def master(unit: str = "electron", **said: Any) -> Any:
    return SimpleNamespace(metadata=said, product=SimpleNamespace(unit=unit))


def test_the_chain_is_that_of_the_masters_inputs() -> None:
    flat = master(**{"FID CHAIN": "saturation,overscan,gain,assembly,bias,variance,nan"})
    assert chain_names("flat", flat, (), "electron") == (
        "saturation",
        "overscan",
        "gain",
        "assembly",
        "bias",
        "nan",
    )


def test_a_chain_that_is_asked_for_is_taken() -> None:
    wanted = ("overscan", "assembly")
    assert chain_names("bias", master(**{"FID CHAIN": "overscan,gain,assembly"}), wanted, "adu") == wanted


@pytest.mark.parametrize(("world", "gain"), [("electron", True), ("adu", False)])
def test_a_master_from_elsewhere_has_the_usual_chain_in_its_unit(world: str, gain: bool) -> None:
    for kind, needs in (("bias", set()), ("dark", {"bias"}), ("flat", {"bias", "dark"})):
        names = chain_names(kind, master(), (), world)
        assert ("gain" in names) is gain
        assert {"bias", "dark", "flat"} & set(names) == needs


def test_the_world_of_a_master() -> None:
    assert world_of_master(master("adu")) == "adu"
    assert world_of_master(master("electron / s")) == "electron"
    assert world_of_master(master("", **{"FID WORLD": "adu"})) == "adu"


def test_the_overscan_model_is_the_masters_unless_another_is_asked_for() -> None:
    said = {
        "FID CHAIN OVERSCAN METHOD": "legendre",
        "FID CHAIN OVERSCAN ORDER": 2,
        "FID CHAIN OVERSCAN SKIP": "3,1",
        "FID CHAIN OVERSCAN PARALLEL": True,
    }
    config = CorrectionsConfig()
    config.saturation.suspect = 0.5
    found = overscan_as_master(config, master(**said))
    assert found.overscan.method == "legendre"
    assert (found.overscan.order, found.overscan.skipLeading, found.overscan.skipTrailing) == (2, 3, 1)
    assert found.overscan.parallel is True
    assert found.saturation.suspect == 0.5
    assert config.overscan.method == "camera"
    config.overscan.method = "mean"
    assert overscan_as_master(config, master(**said)).overscan.method == "mean"
    assert overscan_as_master(config, master()) is config


@pytest.mark.parametrize(
    ("first", "second"),
    [("median_per_row", "clipped_mean"), ("mean", "median_per_row"), ("chebyshev", "median_per_row")],
)
def test_the_second_overscan_model_is_unlike_the_first(first: str, second: str) -> None:
    assert second_method(first) == second
