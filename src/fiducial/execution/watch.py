"""A quantum executor that tells how far the work is and keeps what went wrong."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from collections.abc import Callable
from typing import Any

from lsst.pipe.base.quantum_graph_executor import QuantumExecutionResult
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor

from fiducial.errors import FiducialError, first_of_ours
from fiducial.execution.job import Failure
from fiducial.repository.staging import StagingButler
from fiducial.repository.storage import storage_cause

type Step = Callable[[str], None]


def _pass_over(label: str) -> None:
    """Tell nobody: progress is told by the process that the user sees."""


class WatchedExecutor(SingleQuantumExecutor):
    """Execute quanta one by one; call ``step`` after each, and remember failures.

    In a process of its own (`fiducial.execution.follow.following`) it does neither: there the first
    error of ours goes on in place of what it was wrapped in, for the report to the parent.

    Parameters
    ----------
    step
        Called with the label of the task that was just done.
    **kwargs
        As for the base class.
    """

    def __init__(self, *, step: Step, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._step = step
        self.failures: list[Failure] = []

    def __getstate__(self) -> dict[str, Any]:
        # A bar on a terminal cannot go to another process.
        return {**self.__dict__, "_step": _pass_over, "failures": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # The repository keeps what the tasks log; without a handler warnings would go to the terminal too.
        logging.getLogger("lsst").addHandler(logging.NullHandler())

    def execute(self, task_node: Any, /, quantum: Any, *args: Any, **kwargs: Any) -> QuantumExecutionResult:
        """Execute one quantum; an error is kept and then goes on to the graph's executor."""
        data = dict(quantum.dataId.required) if quantum.dataId is not None else {}
        try:
            return super().execute(task_node, quantum, *args, **kwargs)
        except Exception as error:
            self.failures.append(describe(task_node.label, data, error))
            ours = _ours(error)
            if ours is not None and multiprocessing.parent_process() is not None:
                # This process ends here, and would end with a traceback of what the report says already.
                sys.stderr = open(os.devnull, "w")  # noqa: SIM115
                raise ours from error
            raise
        finally:
            self._step(task_node.label)

    def _run_quantum(
        self, task: Any, quantum: Any, task_node: Any, /, limited_butler: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Run a task with a butler that writes its files before it locks the registry."""
        return super()._run_quantum(task, quantum, task_node, StagingButler(limited_butler), *args, **kwargs)  # type: ignore[arg-type]


def describe(task: str, data: dict[str, str | int], error: BaseException) -> Failure:
    """Turn an error of a task into words; the first error of ours in its chain speaks."""
    ours = _ours(error)
    if ours is not None:
        return Failure(task, data, ours.message, ours.hint, ours.id)
    return Failure(task, data, f"{type(error).__name__}: {error}")


def _ours(error: BaseException) -> FiducialError | None:
    """The error of ours that was wrapped, or what a complaint about the disk means."""
    return first_of_ours(error) or storage_cause(error, "the repository")
