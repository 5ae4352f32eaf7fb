"""Settings as users give them: which pipeline they are for, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiducial.errors import ConfigurationError, UsageError
from fiducial.execution.pipelines import generation_of, known_pipelines, verification_of
from fiducial.execution.run import load_pipeline
from fiducial.execution.settings import Setting, require_known, settings_for


@pytest.mark.parametrize("text", ["", "nonsense", "bias:kappa", "kappa=3", ":kappa=3", "bias:=3", "a=b:c"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a setting") as caught:
        Setting.parse(text)
    assert "TASK:FIELD=VALUE" in caught.value.hint


def test_a_value_may_hold_anything() -> None:
    setting = Setting.parse("verifyBiasJudge:criteria=/data/a=b:c.yaml")
    assert (setting.task, setting.field, setting.value) == ("verifyBiasJudge", "criteria", "/data/a=b:c.yaml")
    assert str(setting) == "verifyBiasJudge:criteria=/data/a=b:c.yaml"


def test_each_pipeline_gets_its_own() -> None:
    wishes = ("bias:kappa=4", "flat:kappa=5", "verifyBias:memory=10", "parameters:chain=['assembly']")
    assert settings_for(generation_of("bias"), wishes) == ("bias:kappa=4",)
    assert settings_for(verification_of("bias"), wishes) == ("verifyBias:memory=10",)
    assert settings_for(generation_of("flat"), wishes) == ("flat:kappa=5", "parameters:chain=['assembly']")


def test_a_task_that_no_pipeline_has_is_named_with_those_there_are() -> None:
    pipelines = [generation_of("bias"), generation_of("dark")]
    require_known(pipelines, ["bias:kappa=4", "dark:kappa=4"])
    with pytest.raises(ConfigurationError, match="there is no task biass") as caught:
        require_known(pipelines, ["bias:kappa=4", "biass:kappa=4"])
    assert "bias, dark" in caught.value.hint
    with pytest.raises(ConfigurationError, match="there is no parameter chian"):
        require_known([generation_of("flat")], ["parameters:chian=[]"])


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("bias:kapa=4", "kapa"),
        ("bias:kappa=four", "four"),
        ("bias:kappa=-1", "kappa"),
        ("bias:chain=['gain']", "no assembly"),
        ("bias:corrections.overscan.method=fancy", "fancy"),
        ("biass:kappa=4", "there is no task biass"),
    ],
)
def test_a_setting_that_its_task_does_not_take_is_refused_at_once(setting: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_pipeline(generation_of("bias"), [setting])


def test_a_setting_arrives() -> None:
    graph = load_pipeline(generation_of("bias"), ["bias:kappa=4.5"]).to_graph()
    assert graph.tasks["bias"].config.kappa == 4.5


@pytest.mark.parametrize("path", known_pipelines(), ids=lambda path: path.name)
def test_every_pipeline_there_is_loads(path: Path) -> None:
    assert load_pipeline(path).to_graph().tasks
