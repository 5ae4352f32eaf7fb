"""Running a job: the graph, the quanta, and the look afterwards that everything expected exists."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import Butler, CollectionType
from lsst.pipe.base import ExecutionResources, Instrument, Pipeline, TaskFactory
from lsst.pipe.base.mp_graph_executor import MPGraphExecutor
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph
from lsst.pipe.base.quantum_graph_builder import QuantumGraphBuilderError
from lsst.pipe.base.separable_pipeline_executor import SeparablePipelineExecutor
from lsst.utils.threads import disable_implicit_threading

from fiducial.errors import NothingToDo
from fiducial.execution.job import Failure, Job, Outcome
from fiducial.execution.trace import trace
from fiducial.execution.watch import WatchedExecutor

if TYPE_CHECKING:
    from fiducial.repository import Repository

_log = logging.getLogger(__name__)
_TIMEOUT = 7 * 24 * 3600.0  # seconds that one quantum may take: the executor wants a number


def run_job(
    repository: Repository,
    job: Job,
    *,
    processes: int = 1,
    threads: int = 2,
    settings: dict[str, Any] | None = None,
    begin: Callable[[int], None] = lambda total: None,
    step: Callable[[str], None] = lambda label: None,
) -> Outcome:
    """Run a job in this process, or in several.

    Parameters
    ----------
    repository
        Where the data are; opened for writing.
    job
        What to run.
    processes
        1 runs every quantum here; more start a process each.
    threads
        Threads that the kernels of one quantum may use.
    settings
        What the user asked for; kept beside the products.
    begin, step
        Called with the number of quanta, and after each.

    Raises
    ------
    NothingToDo
        The graph is empty: no data match.
    """
    started = time.monotonic()
    run = job.run or f"{job.output}/{Instrument.makeCollectionTimestamp()}"
    butler = _output_butler(repository.butler, job, run)
    pipeline = load_pipeline(job.pipeline, job.overrides)
    folder = Path(repository.root) / run / "fiducial"
    details = {"run": run, "inputs": job.inputs, "where": job.where, **(settings or {})}
    command = job.command(str(repository.root), processes=processes)
    with trace(folder, command=command, settings=details, pipeline=str(pipeline)):
        executor = SeparablePipelineExecutor(
            butler, clobber_output=bool(job.run), skip_existing_in=[run] if job.run else None
        )
        graph = _build(executor, pipeline, job)
        begin(len(graph))
        executor.pre_execute_qgraph(graph, register_dataset_types=True)
        failures = _execute(executor, graph, butler, processes, threads, step)
        missing = tuple(_missing(butler, graph))
        for failure in failures:
            _log.error("%s %s: %s", failure.task, failure.data, failure.message)
        for name in missing:
            _log.error("not made: %s", name)
    expected = sum(1 for _ in _outputs(graph))
    return Outcome(job, run, folder, expected, missing, failures, time.monotonic() - started)


def load_pipeline(path: Path, overrides: Iterable[str] = ()) -> Pipeline:
    """Load a pipeline and apply overrides of the form ``task:field=value``."""
    pipeline = Pipeline.from_uri(str(path))
    for override in overrides:
        label, _, assignment = override.partition(":")
        field, _, value = assignment.partition("=")
        pipeline.addConfigOverride(label, field, value)
    return pipeline


def register_dataset_types(butler: Butler, pipelines: Iterable[Path]) -> None:
    """Register everything that pipelines write, so that a plain ``pipetask run`` finds it known."""
    for path in pipelines:
        load_pipeline(path).to_graph(registry=butler.registry).register_dataset_types(butler)


def _output_butler(butler: Butler, job: Job, run: str) -> Butler:
    """Make the run, and the chain that holds it before its inputs, as ``pipetask`` does."""
    collections = butler.collections
    collections.register(run, CollectionType.RUN)
    collections.register(job.output, CollectionType.CHAINED)
    inputs = collections.query(job.inputs, flatten_chains=True)
    previous = collections.get_info(job.output).children
    members = dict.fromkeys([run, *(name for name in previous if name.startswith(job.output)), *inputs])
    collections.redefine_chain(job.output, tuple(members))
    return butler.clone(collections=[run, *job.inputs], run=run)


def _build(executor: SeparablePipelineExecutor, pipeline: Pipeline, job: Job) -> PredictedQuantumGraph:
    try:
        graph = executor.build_quantum_graph(pipeline, where=job.where)
    except (QuantumGraphBuilderError, FileNotFoundError) as error:
        raise NothingToDo(
            f"{job.pipeline.stem}: {error}", hint="`fiducial plan` says what there is and what is missing"
        ) from error
    if len(graph) == 0:
        raise NothingToDo(
            f"{job.pipeline.stem}: nothing to do for {job.where}",
            hint=f"looked in {', '.join(job.inputs)}; `fiducial plan` says what there is",
        )
    return graph


def _execute(
    executor: SeparablePipelineExecutor,
    graph: PredictedQuantumGraph,
    butler: Butler,
    processes: int,
    threads: int,
    step: Callable[[str], None],
) -> tuple[Failure, ...]:
    disable_implicit_threading()  # our kernels take their threads from the resources
    watched = WatchedExecutor(
        butler=butler,
        task_factory=TaskFactory(),
        resources=ExecutionResources(num_cores=threads),
        clobber_outputs=True,
        raise_on_partial_outputs=False,
        step=step,
    )
    runner = MPGraphExecutor(num_proc=processes, timeout=_TIMEOUT, quantum_executor=watched)
    try:
        executor.run_pipeline(graph, graph_executor=runner, num_proc=processes)
    except Exception as error:
        # The failures that were watched say more than the summary that ends here.
        if not watched.failures:
            return (Failure("run", {}, f"{type(error).__name__}: {error}"),)
    return tuple(watched.failures)


def _outputs(graph: PredictedQuantumGraph) -> Iterable[Any]:
    """Yield the products that a graph should make: not the logs and metadata of its tasks."""
    for task_label in graph.quanta_by_task:
        node = graph.pipeline_graph.tasks[task_label]
        wanted = {edge.parent_dataset_type_name for edge in node.outputs.values()}
        for quantum in graph.build_execution_quanta(task_label=task_label).values():
            for dataset_type, refs in quantum.outputs.items():
                if dataset_type.name in wanted:
                    yield from refs


def _missing(butler: Butler, graph: PredictedQuantumGraph) -> list[str]:
    """Name each product that should exist and does not."""
    refs = list(_outputs(graph))
    stored = butler.stored_many(refs)
    return [f"{ref.datasetType.name} {dict(ref.dataId.required)}" for ref in refs if not stored[ref]]
