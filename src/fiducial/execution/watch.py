"""A quantum executor that tells how far the work is and keeps what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsst.pipe.base.quantum_graph_executor import QuantumExecutionResult
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor

from fiducial.errors import FiducialError
from fiducial.execution.job import Failure

type Step = Callable[[str], None]


class WatchedExecutor(SingleQuantumExecutor):
    """Execute quanta one by one; call ``step`` after each, and remember failures.

    Parameters
    ----------
    step
        Called with a short text that names what was just done.
    **kwargs
        As for the base class.
    """

    def __init__(self, *, step: Step, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._step = step
        self.failures: list[Failure] = []

    def execute(self, task_node: Any, /, quantum: Any, *args: Any, **kwargs: Any) -> QuantumExecutionResult:
        """Execute one quantum; an error is kept and then goes on to the graph's executor."""
        data = dict(quantum.dataId.required) if quantum.dataId is not None else {}
        try:
            return super().execute(task_node, quantum, *args, **kwargs)
        except Exception as error:
            self.failures.append(describe(task_node.label, data, error))
            raise
        finally:
            self._step(task_node.label)


def describe(task: str, data: dict[str, str | int], error: BaseException) -> Failure:
    """Turn an error of a task into words; the first error of ours in its chain speaks."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FiducialError):
            return Failure(task, data, cause.message, cause.hint, cause.id)
        cause = cause.__cause__ or cause.__context__
    return Failure(task, data, f"{type(error).__name__}: {error}")
