"""Which master a stack of exposures gets: by their time, from certified calibrations and from runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from lsst.pipe.base import Pipeline
from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder

from fiducial.errors import NothingToDo
from fiducial.execution import PIPELINES
from fiducial.repository import Repository
from repository_frames import put_bias, tiny_camera, write_night

DAYS = (20240326, 20240327, 20240328)
TINY = "TinyCam"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Darks of three days; a bias certified for the first day, one for the second, none for the third."""
    home = tmp_path_factory.mktemp("lookup")
    with Repository.create(home / "repo", tiny_camera()) as found:
        for day in DAYS:
            files = write_night(home / str(day), day=day, kind="dark", EXPTIME=10.0)
            found.ingest(files)
        noons = [f"2024-03-{day}T12:00:00" for day in (26, 27, 28)]
        for number, (begin, end) in enumerate(pairwise(noons)):
            run, certified = f"{TINY}/biasGen/{number}", f"{TINY}/calib/bias.{number}"
            put_bias(found, run, seed=10 * number)
            found.certify("bias", run, certified, begin=begin, end=end)
            found.prepend_chain(f"{TINY}/calib", [certified])
        put_bias(found, f"{TINY}/biasGen/new", seed=90)
        yield found


def biases_of(repository: Repository, days: Sequence[int], *runs: str) -> dict[int, list[UUID]]:
    """The biases that the graph gives the dark of each detector."""
    chosen = " OR ".join(f"exposure.day_obs = {day}" for day in days)
    builder = AllDimensionsQuantumGraphBuilder(
        Pipeline.fromFile(str(PIPELINES / "cpDark.yaml")).to_graph(),
        repository.butler,
        input_collections=[*runs, f"{TINY}/raw/all", f"{TINY}/calib"],
        output_run=f"{TINY}/out",
        where=f"instrument='{TINY}' AND ({chosen})",
    )
    graph: Any = builder.finish(attach_datastore_records=False).assemble()
    (quanta,) = [graph.build_execution_quanta(task_label="dark")]
    return {
        int(quantum.dataId["detector"]): [ref.id for ref in quantum.inputs["bias"]]
        for quantum in quanta.values()
    }


def in_run(repository: Repository, run: str) -> dict[int, list[UUID]]:
    refs = repository.butler.query_datasets("bias", run)
    return {int(ref.dataId["detector"]): [ref.id] for ref in refs}


@pytest.mark.parametrize("number", [0, 1])
def test_by_the_time_of_the_exposures(repository: Repository, number: int) -> None:
    expected = in_run(repository, f"{TINY}/biasGen/{number}")
    assert biases_of(repository, [DAYS[number]]) == expected


def test_a_run_that_comes_first_is_used_whatever_the_time(repository: Repository) -> None:
    new = f"{TINY}/biasGen/new"
    assert biases_of(repository, [DAYS[2]], new) == in_run(repository, new)


def test_exposures_that_need_different_masters_are_not_stacked(repository: Repository) -> None:
    with pytest.raises(NothingToDo, match="the exposures of TinyCam 0 do not share one bias: "):
        biases_of(repository, DAYS[:2])


def test_no_master_for_some_of_the_exposures(repository: Repository) -> None:
    with pytest.raises(NothingToDo, match=r"do not share one bias: .*none at"):
        biases_of(repository, DAYS[1:])


def test_no_master_at_all(repository: Repository) -> None:
    with pytest.raises(NothingToDo, match="no bias for TinyCam 0 is valid at") as caught:
        biases_of(repository, DAYS[2:])
    assert f"{TINY}/calib" in caught.value.hint
