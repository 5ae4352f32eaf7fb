"""The same production in process, by ``pipetask run -j 2``, and quantum-backed: equal content."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import Butler

from commands import butler, environment, fiducial, pipetask
from fiducial.execution import PIPELINES
from fiducial.selection import data_query
from fiducial.service import content_hashes

pytestmark = pytest.mark.xdist_group("night")

KINDS = ("bias", "dark", "flat")
WAYS = ("in process", "pipetask", "quantum-backed")
EXPECTED = {
    "bias": {"bias": 2},
    "dark": {"dark": 2},
    "flat": {"flatLevels": 2, "flatScales": 1, "flat": 2},
}
"""Dataset types of each pipeline, and how many of each there are with two detectors and one filter."""


@pytest.fixture(scope="module")
def plans(
    made: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Any]]:
    """A repository, and what is planned in it; the plans' commands are to be called as they are."""
    repository = Path(shutil.copytree(made[0], tmp_path_factory.mktemp("same") / "repo"))
    planned = fiducial("plan", repository, *KINDS, "--tag", "pipetask", "-j", 2, "--json").json()
    return repository, planned["planned"]


@pytest.fixture(scope="module")
def runs(made: tuple[Path, dict[str, str]], plans: tuple[Path, list[Any]]) -> dict[str, dict[str, str]]:
    """Where each way left each kind: a run, or the chain above it."""
    repository, planned = plans
    return {
        "in process": made[1],
        # Before the plan's commands, which certify.
        "quantum-backed": _quantum_backed(repository, planned),
        "pipetask": _as_the_plan_says(planned),
    }


def _as_the_plan_says(planned: list[Any]) -> dict[str, str]:
    """Call the commands that make, certify and chain, by a shell and without a change."""
    for one in planned:
        wanted = [c for c in one["commands"] if "/cp" in c or "certify" in c or "collection-chain" in c]
        assert len(wanted) == 4
        assert wanted[0].endswith("-j 2")
        for command in wanted[: 1 if one["plan"]["kind"] == "flat" else 4]:
            ended = subprocess.run(
                ["/bin/sh", "-c", command], env=environment(), capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return {one["plan"]["kind"]: one["names"]["gen"] for one in planned}


def _quantum_backed(repository: Path, planned: list[Any]) -> dict[str, str]:
    """Build graphs, run them without a registry, and bring the products in at the end."""
    runs: dict[str, str] = {}
    for one in planned:
        kind = one["plan"]["kind"]
        graph = repository.parent / f"{kind}.qg"
        output = one["names"]["gen"].replace("/pipetask/", "/quantum/")
        pipetask(
            *("qgraph", "-b", repository, "-p", PIPELINES / f"cp{kind.capitalize()}.yaml"),
            *("-i", ",".join([*runs.values(), "SimCam/calib", "SimCam/raw/all"]), "-o", output),
            *("-d", data_query("SimCam", one["plan"]["generate"])),
            *("--qgraph-datastore-records", "-q", graph),
        )
        pipetask("pre-exec-init-qbb", repository, graph)
        pipetask("run-qbb", repository, graph)
        butler("transfer-from-graph", graph, repository, "--register-dataset-types", "--update-output-chain")
        with Butler.from_config(repository) as store:
            runs[kind] = store.collections.get_info(output).children[0]
        assert runs[kind].startswith(f"{output}/")
    return runs


@pytest.mark.parametrize("kind", KINDS)
def test_every_expected_dataset_exists(
    plans: tuple[Path, list[Any]], runs: dict[str, dict[str, str]], kind: str
) -> None:
    with Butler.from_config(plans[0]) as store:
        for way in WAYS:
            for name, count in EXPECTED[kind].items():
                refs = store.query_datasets(name, runs[way][kind])
                assert len(refs) == count, (way, name)
                assert all(store.stored(ref) for ref in refs), (way, name)
                assert all(store.get(ref) is not None for ref in refs)


@pytest.mark.parametrize("kind", KINDS)
def test_content_hashes_are_equal(
    plans: tuple[Path, list[Any]], runs: dict[str, dict[str, str]], kind: str
) -> None:
    hashes = {way: content_hashes(plans[0], runs[way][kind], [kind]) for way in WAYS}
    first = hashes["in process"]
    assert len(first) == 2
    assert len(set(first.values())) == 2  # two detectors are not one
    assert hashes == dict.fromkeys(WAYS, first)
    if kind == "bias":
        assert fiducial("hash", plans[0], runs["pipetask"][kind], kind, "--json").json() == first


def test_the_exposures_are_those_of_the_plan(
    plans: tuple[Path, list[Any]], runs: dict[str, dict[str, str]]
) -> None:
    repository, planned = plans
    with Butler.from_config(repository) as store:
        for one in planned:
            kind, generate = one["plan"]["kind"], one["plan"]["generate"]
            for way in WAYS:
                for ref in store.query_datasets(kind, runs[way][kind]):
                    metadata = store.get(ref).metadata
                    assert [metadata[f"FID INPUT {i} ID"] for i in range(len(generate))] == generate
