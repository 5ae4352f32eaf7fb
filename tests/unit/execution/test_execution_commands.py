"""The plain commands that do what a job or a plan does: their own programs must understand them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from lsst.ctrl.mpexec.cli.pipetask import cli as pipetask
from lsst.daf.butler.cli.butler import cli as butler

from fiducial.execution import PIPELINES, Job
from fiducial.selection import commands, data_query
from fiducial.selection.model import KindPlan
from fiducial.selection.naming import production_names

PROGRAMS: dict[str, click.Group] = {"pipetask": pipetask, "butler": butler}


def words_of(command: str) -> list[str]:
    """The words that a shell makes of a command."""
    shell = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True
    )
    return shell.stdout.split("\0")[:-1]


def parsed(command: str) -> tuple[str, dict[str, Any]]:
    """The verb of a command and its parameters, read as the shell and the program would."""
    program, *words = words_of(command)
    group = PROGRAMS[program]
    begin = next(i for i, word in enumerate(words) if word in group.list_commands(click.Context(group)))
    context = group.make_context(program, words[: begin + 1])
    verb = words[begin]
    subcommand = group.get_command(context, verb)
    assert subcommand is not None
    return verb, subcommand.make_context(verb, words[begin + 1 :], parent=context).params


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "pipeline": PIPELINES / "cpBias.yaml",
        "inputs": ("Cam/raw/all", "Cam/calib"),
        "output": "Cam/calib/T/t/biasGen.1a",
        "where": data_query("Cam", [3, 4, 5, 9], [0, 1]),
    }
    return Job(**(values | changes))


def test_a_job_is_a_pipetask_command() -> None:
    verb, parameters = parsed(job().command("/data/repo"))
    assert verb == "run"
    assert parameters["butler_config"] == "/data/repo"
    assert parameters["pipeline"] == str(PIPELINES / "cpBias.yaml")
    assert tuple(parameters["input"]) == ("Cam/raw/all", "Cam/calib")
    assert parameters["output"] == "Cam/calib/T/t/biasGen.1a"
    assert parameters["data_query"] == "instrument='Cam' AND detector IN (0..1) AND exposure IN (3..5, 9)"
    assert parameters["register_dataset_types"] is True
    assert parameters["processes"] == 1


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("bias:kappa=4", "bias:kappa", "4"),
        ("parameters:chain=['overscan', 'assembly']", "parameters:chain", "['overscan', 'assembly']"),
        ("bias:corrections.overscan.method=median", "bias:corrections.overscan.method", "median"),
    ],
)
def test_settings_survive_the_shell(setting: str, key: str, value: str) -> None:
    _, parameters = parsed(job(overrides=(setting,)).command("repo", processes=3))
    assert parameters["config"] == {key: value}
    assert parameters["processes"] == 3


@pytest.mark.parametrize("folder", ["/data/my repo", "/data/it's", "/data/$HOME", '/data/"q"', "/data/a`b`"])
def test_any_folder_survives_the_shell(folder: str) -> None:
    _, parameters = parsed(job(pipeline=Path(folder) / "p.yaml").command(folder))
    assert parameters["butler_config"] == folder
    assert parameters["pipeline"] == f"{folder}/p.yaml"


@pytest.mark.parametrize("text", ["`rm`", "$(rm)", '"', "\\", "it''s"])
def test_any_query_survives_the_shell(text: str) -> None:
    where = f"instrument='Cam' AND exposure.target_name = '{text}'"
    assert parsed(job(where=where).command("repo"))[1]["data_query"] == where


def test_a_run_that_is_continued_is_named() -> None:
    _, parameters = parsed(job(run="Cam/calib/T/t/biasGen.1a/20260115T000000Z").command("repo"))
    assert parameters["output_run"] == "Cam/calib/T/t/biasGen.1a/20260115T000000Z"
    assert parameters["extend_run"] is True
    assert parameters["clobber_outputs"] is True


def test_a_plan_is_a_list_of_valid_commands() -> None:
    plan = KindPlan(
        kind="flat",
        filter="g",
        night=20260115,
        state={},
        generate=(1, 2, 3),
        verify=(4,),
        first=(0,),
        choices=(),
    )
    names = production_names("Cam", "T", "t", "flat", "g", "20260115a")
    lines = commands(
        plan,
        names,
        repo="/data/my repo",
        instrument="Cam",
        detectors=(0,),
        overrides=("parameters:chain=['assembly']",),
        verify_overrides=("verifyFlatJudge:criteria=my limits.yaml",),
        end="2026-02-15",
    )
    read = [parsed(line) for line in lines]
    assert [verb for verb, _ in read] == [
        "run",
        "query-collections",
        "run",
        "certify-calibrations",
        "query-collections",
        "collection-chain",
        "collection-chain",
        "query-collections",
        "export-calibs",
    ]
    generate, verify = read[0][1], read[2][1]
    assert generate["config"] == {"parameters:chain": "['assembly']"}
    assert verify["config"] == {"verifyFlatJudge:criteria": "my limits.yaml"}
    assert "exposure IN (0..4)" in verify["data_query"]
    assert {parameters.get("repo", parameters.get("butler_config")) for _, parameters in read} == {
        "/data/my repo"
    }
