"""Pipelines: each loads by itself, with the names that other pipelines and people expect."""

from __future__ import annotations

import pytest
from lsst.pipe.base import Pipeline

from fiducial.errors import ConfigurationError
from fiducial.execution import PIPELINES
from fiducial.kinds.bias import BiasConfig, BiasConnections
from fiducial.kinds.dark import DarkConfig, DarkConnections
from fiducial.kinds.detrend import DetrendConfig, DetrendConnections

EXPECTED = {
    "cpBias": {"bias": ({"raw", "frameFacts"}, {"camera"}, "bias")},
    "cpBiasBootstrap": {"biasBootstrap": ({"raw", "frameFacts"}, {"camera"}, "biasBootstrap")},
    "cpDark": {"dark": ({"raw", "frameFacts"}, {"camera", "bias"}, "dark")},
    "cpDarkBootstrap": {
        "darkBootstrap": ({"raw", "frameFacts"}, {"camera", "biasBootstrap"}, "darkBootstrap")
    },
    "cpFlat": {
        "flatLevels": ({"raw", "frameFacts"}, {"camera", "bias", "dark"}, "flatLevels"),
        "flatSolve": ({"flatLevels"}, set(), "flatScales"),
        "flat": ({"raw", "frameFacts", "flatScales"}, {"camera", "bias", "dark"}, "flat"),
    },
    "cpFlatBootstrap": {
        "flatLevelsBootstrap": (
            {"raw", "frameFacts"},
            {"camera", "biasBootstrap", "darkBootstrap"},
            "flatLevelsBootstrap",
        ),
        "flatSolveBootstrap": ({"flatLevelsBootstrap"}, set(), "flatScalesBootstrap"),
        "flatBootstrap": (
            {"raw", "frameFacts", "flatScalesBootstrap"},
            {"camera", "biasBootstrap", "darkBootstrap"},
            "flatBootstrap",
        ),
    },
    "cpDefects": {"defects": ({"raw"}, {"camera", "bias", "dark", "flat"}, "defects")},
    "Detrend": {"detrend": ({"raw", "frameFacts"}, {"camera", "bias", "dark", "flat"}, "detrended")},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_pipeline_reads_and_writes(name: str) -> None:
    graph = Pipeline.fromFile(str(PIPELINES / f"{name}.yaml")).to_graph()
    assert set(graph.tasks) == set(EXPECTED[name])
    for label, (inputs, prerequisites, output) in EXPECTED[name].items():
        task = graph.tasks[label]
        assert {edge.dataset_type_name for edge in task.inputs.values()} == inputs
        assert {edge.dataset_type_name for edge in task.prerequisite_inputs.values()} == prerequisites
        assert {edge.dataset_type_name for edge in task.outputs.values()} == {output}
        bootstrap = label.endswith("Bootstrap")
        if hasattr(task.config, "chain"):
            assert ("gain" in task.config.chain) is not bootstrap


def test_levels_and_flat_have_one_chain_by_a_parameter() -> None:
    pipeline = Pipeline.fromFile(str(PIPELINES / "cpFlat.yaml"))
    chain = ["saturation", "overscan", "gain", "assembly", "bias", "nan"]
    pipeline.addConfigOverride("parameters", "chain", chain)
    graph = pipeline.to_graph()
    for label in ("flatLevels", "flat"):
        assert list(graph.tasks[label].config.chain) == chain
        assert set(graph.tasks[label].prerequisite_inputs) == {"camera", "bias"}


def test_masters_that_the_chain_does_not_need_are_not_looked_for() -> None:
    config = DarkConfig()
    config.chain = ["overscan", "gain", "assembly"]
    assert DarkConnections(config=config).prerequisiteInputs == {"camera"}
    assert DarkConnections(config=DarkConfig()).prerequisiteInputs == {"camera", "bias"}
    assert BiasConnections(config=BiasConfig()).prerequisiteInputs == {"camera"}
    detrend = DetrendConfig()
    detrend.chain = ["overscan", "assembly", "bias"]
    assert DetrendConnections(config=detrend).prerequisiteInputs == {"camera", "bias"}


def test_a_chain_that_cannot_work_is_refused_before_anything_runs() -> None:
    config = BiasConfig()
    config.chain = ["overscan", "gain"]
    with pytest.raises(ConfigurationError, match="no assembly"):
        config.validate()


def test_corrections_are_set_as_on_the_command_line() -> None:
    pipeline = Pipeline.fromFile(str(PIPELINES / "cpBias.yaml"))
    pipeline.addConfigOverride("bias", "corrections.overscan.method", "legendre")
    pipeline.addConfigOverride("bias", "chain", ["overscan", "assembly"])
    config = pipeline.to_graph().tasks["bias"].config
    assert config.corrections.overscan.method == "legendre"
    assert list(config.chain) == ["overscan", "assembly"]
