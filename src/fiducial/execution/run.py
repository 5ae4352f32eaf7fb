"""Running a job: the graph, the quanta, and the look afterwards that everything expected exists."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import Butler, CollectionType
from lsst.pipe.base import ExecutionResources, Instrument, Pipeline
from lsst.pipe.base.mp_graph_executor import MPGraphExecutor
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph
from lsst.pipe.base.quantum_graph_builder import QuantumGraphBuilderError
from lsst.pipe.base.separable_pipeline_executor import SeparablePipelineExecutor
from lsst.utils.threads import disable_implicit_threading

from fiducial.errors import ConfigurationError, NothingToDo, StorageError, first_of_ours
from fiducial.execution.follow import following, reported_failures
from fiducial.execution.job import Failure, Job, Outcome
from fiducial.execution.settings import Setting, unknown_task
from fiducial.execution.tasks import OneTaskFactory
from fiducial.execution.trace import trace
from fiducial.execution.versions import record_versions
from fiducial.execution.watch import WatchedExecutor, describe
from fiducial.repository.client import require_collections
from fiducial.repository.storage import storage_errors

if TYPE_CHECKING:
    from fiducial.repository import Repository

_log = logging.getLogger(__name__)
_NEEDED_BY_WORKERS = (
    "fiducial.products.images",
    "fiducial.repository.formatters_image",
    "fiducial.repository.formatters_raw",
    "lsst.pipe.base.mp_graph_executor",
)
_NEXT_SECOND = 0.1  # s between looks for it
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
    ConfigurationError
        A setting of the job is not one of its tasks'.
    RepositoryError
        An input collection is not there.
    StorageError
        The disk is full, or may not be written.
    """
    started = time.monotonic()
    pipeline = load_pipeline(job.pipeline, job.overrides)
    require_collections(repository.butler, job.inputs)
    with storage_errors(repository.root):
        with _output_butler(repository.butler, job) as butler:
            executor = SeparablePipelineExecutor(
                butler, clobber_output=bool(job.run), skip_existing_in=[job.run] if job.run else None
            )
            graph = _build(executor, pipeline, job)
        run = str(butler.run)
        folder = Path(repository.root) / run / "fiducial"
        command = job.command(str(repository.root), processes=processes)
        details = {"run": run, "inputs": job.inputs, "where": job.where, **(settings or {})}
        with trace(folder, command=command, settings=details, pipeline=str(pipeline)):
            begin(len(graph))
            executor.pre_execute_qgraph(graph, register_dataset_types=True, save_versions=False)
            record_versions(graph, butler)
            failures = _execute(executor, graph, butler, processes, threads, step)
            _end_if_full(failures)
            missing = tuple(_missing(butler, graph))
            for failure in failures:
                _log.error("%s %s: %s", failure.task, failure.data, failure.message)
            for name in missing:
                _log.error("not made: %s", name)
        expected = sum(1 for _ in _outputs(graph))
        return Outcome(job, run, folder, expected, missing, failures, time.monotonic() - started)


def _end_if_full(failures: Iterable[Failure]) -> None:
    """A full disk is no matter of one detector: it ends the whole command."""
    for failure in failures:
        if failure.error == StorageError.id:
            raise StorageError(failure.message, hint=failure.hint)


def load_pipeline(path: Path, settings: Iterable[str] = ()) -> Pipeline:
    """Load a pipeline and apply settings of the form ``task:field=value``.

    Raises
    ------
    UsageError, ConfigurationError
        A setting is not of that form, or its task does not take it.
    """
    pipeline = Pipeline.from_uri(str(path))
    parsed = [Setting.parse(text) for text in settings]
    for setting in parsed:
        try:
            pipeline.addConfigOverride(setting.task, setting.field, setting.value)
        except LookupError as error:
            raise unknown_task(setting, pipeline.task_labels) from error
    if parsed:
        _check_settings(pipeline, parsed)
    return pipeline


def _check_settings(pipeline: Pipeline, settings: Sequence[Setting]) -> None:
    """Configure all tasks once, to see what a setting does before anything is made."""
    try:
        pipeline.to_graph()
    except (AttributeError, LookupError, NameError, SyntaxError, TypeError, ValueError) as error:
        # What configurations raise for a field that is not there, or a value that does not fit it.
        if (ours := first_of_ours(error)) is not None:
            raise ours from error
        lines = str(error.__cause__ or error).splitlines()
        raise ConfigurationError(
            f"{', '.join(map(str, settings))}: {lines[0] if lines else type(error).__name__}",
            hint="`pipetask build -p PIPELINE --show config` lists the settings of a pipeline's tasks",
        ) from error


def register_dataset_types(butler: Butler, pipelines: Iterable[Path]) -> None:
    """Register everything that pipelines write, so that a plain ``pipetask run`` finds it known."""
    for path in pipelines:
        load_pipeline(path).to_graph(registry=butler.registry).register_dataset_types(butler)


@contextmanager
def _output_butler(butler: Butler, job: Job) -> Iterator[Butler]:
    """Make the run, and the chain that holds it before its inputs, as ``pipetask`` does.

    Where there turns out to be nothing to run, neither stays.
    """
    collections = butler.collections
    inputs = collections.query(job.inputs, flatten_chains=True)
    new_chain = collections.register(job.output, CollectionType.CHAINED)
    run, new_run = _registered_run(butler, job)
    previous = collections.get_info(job.output).children
    members = dict.fromkeys([run, *(name for name in previous if name.startswith(job.output)), *inputs])
    collections.redefine_chain(job.output, tuple(members))
    try:
        yield butler.clone(collections=[run, *job.inputs], run=run)
    except BaseException:
        collections.redefine_chain(job.output, previous)
        if new_chain:
            collections.x_remove(job.output)
        if new_run:
            collections.x_remove(run)
        raise


def _registered_run(butler: Butler, job: Job) -> tuple[str, bool]:
    """The run that a job continues, or a new one named by the second; and whether it is new."""
    if job.run:
        return job.run, butler.collections.register(job.run, CollectionType.RUN)
    while True:
        run = f"{job.output}/{Instrument.makeCollectionTimestamp()}"
        if butler.collections.register(run, CollectionType.RUN):
            return run, True
        time.sleep(_NEXT_SECOND)  # another run has this second's name


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
        task_factory=OneTaskFactory(),
        resources=ExecutionResources(num_cores=threads),
        clobber_outputs=True,
        raise_on_partial_outputs=False,
        step=step,
    )
    _import_once(graph)
    runner = MPGraphExecutor(
        num_proc=processes, timeout=_TIMEOUT, quantum_executor=watched, start_method="forkserver"
    )
    try:
        with _imports_set_apart(), following(runner, step) if processes > 1 else nullcontext():
            executor.run_pipeline(graph, graph_executor=runner, num_proc=processes)
    except Exception as error:
        # The failures that were watched or reported say more than the summary that ends here.
        known = tuple(watched.failures) or reported_failures(runner)
        return known or (describe("run", {}, error),)
    return ()


@contextmanager
def _imports_set_apart() -> Iterator[None]:
    """Spare the collector what lives as long as the process: it is run after every master that is read."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _import_once(graph: PredictedQuantumGraph) -> None:
    """Let the server that workers are forked from import what all of them need; it starts with the first."""
    tasks = {node.task_class.__module__ for node in graph.pipeline_graph.tasks.values()}
    multiprocessing.set_forkserver_preload([*sorted(tasks), *_NEEDED_BY_WORKERS])


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
