"""The chain as data: which lists of names work, and how its settings are given."""

from __future__ import annotations

import pickle

import pytest

from fiducial.corrections.chain import build_chain, masters_of, require_valid, world_of
from fiducial.corrections.registry import BUILT_IN, CORRECTIONS, CorrectionsConfig
from fiducial.errors import ConfigurationError
from frame_arrays import tiny_camera


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["assembly", "gian"], "no correction is called gian"),
        (["assembly", "assembly"], "assembly twice"),
        (["overscan", "gain"], "no assembly"),
        (["bias", "assembly"], "bias stands before assembly"),
        (["assembly", "overscan"], "overscan stands after assembly"),
        (["assembly", "variance", "bias"], "bias stands after variance"),
        (["assembly", "dark", "variance"], "variance stands after dark"),
        (["assembly", "flat", "dark"], "dark stands after flat"),
    ],
)
def test_chains_that_cannot_work_are_refused(names: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        require_valid(names)


def test_a_chain_keeps_its_order() -> None:
    names = ["overscan", "saturation", "gain", "assembly", "nan"]
    chain = build_chain(names, CorrectionsConfig(), camera=tiny_camera(), detector=0)
    assert list(chain.names) == names


def test_what_a_chain_needs_and_ends_in() -> None:
    names = ["overscan", "gain", "assembly", "bias", "dark"]
    assert masters_of(names) == ("bias", "dark")
    assert world_of(names) == "electron"
    assert world_of(["assembly"]) == "adu"


def test_every_correction_has_its_settings() -> None:
    config = CorrectionsConfig()
    for correction in BUILT_IN:
        assert isinstance(getattr(config, correction.name), correction.ConfigClass)
        assert CORRECTIONS[correction.name] is correction
        assert correction.__doc__


def test_settings_survive_a_pickle() -> None:
    config = CorrectionsConfig()
    config.overscan.method = "legendre"
    again = pickle.loads(pickle.dumps(config))  # noqa: S301 - our own
    assert again.overscan.method == "legendre"
    assert again == config


def test_an_unknown_overscan_method_is_refused() -> None:
    config = CorrectionsConfig()
    with pytest.raises(Exception, match="fancy"):
        config.overscan.method = "fancy"


def test_what_needs_the_whole_detector_is_refused_in_stacks() -> None:
    from fiducial.kinds.dark import DarkConfig
    from fiducial.kinds.detrend import DetrendConfig

    single = DetrendConfig()
    single.chain = ["saturation", "overscan", "gain", "assembly", "bleeds"]
    single.validate()
    stack = DarkConfig()
    stack.chain = ["saturation", "overscan", "gain", "assembly", "bleeds"]
    with pytest.raises(ConfigurationError, match="bleeds needs the whole detector"):
        stack.validate()
    stack.chain = ["saturation", "overscan", "gain", "assembly", "edges"]
    stack.validate()
