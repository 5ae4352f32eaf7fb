"""Work in other processes, followed from here: progress, and what went wrong there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fiducial import errors
from fiducial.execution.job import Failure

if TYPE_CHECKING:
    from lsst.pipe.base.mp_graph_executor import MPGraphExecutor

    from fiducial.execution.watch import Step

_PERIOD = 0.2  # s between two looks


@contextmanager
def following(runner: MPGraphExecutor, step: Step) -> Iterator[None]:
    """Call ``step`` with the task's label for every quantum that the runner reports.

    Parameters
    ----------
    runner
        A graph executor that starts a process for each quantum.
    step
        Called from a thread, and never by two at the same time.
    """
    over = threading.Event()

    def follow() -> None:
        told = 0
        while True:
            last = over.wait(_PERIOD)
            reports = _reports(runner)
            for report in reports[told:]:
                step(report.taskLabel or "")
            told = len(reports)
            if last:
                return

    thread = threading.Thread(target=follow, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def reported_failures(runner: MPGraphExecutor) -> tuple[Failure, ...]:
    """List the quanta that failed, with what their reports say; not those that were never begun."""
    return tuple(
        _failure(report) for report in _reports(runner) if report.status.name in ("FAILURE", "TIMEOUT")
    )


def _reports(runner: MPGraphExecutor) -> list[Any]:
    try:
        return list(runner.getReport().quantaReports)
    except RuntimeError:  # it has not begun
        return []


def _failure(report: Any) -> Failure:
    task, data = report.taskLabel or "", dict(report.dataId)
    if report.exceptionInfo is None:
        ended = (
            f"killed by signal {-report.exitCode}" if report.exitCode < 0 else f"exit code {report.exitCode}"
        )
        hint = "the machine may have run out of memory: plan says what one process needs"
        return Failure(task, data, f"the process of this step ended early: {ended}", hint)
    room, _, name = report.exceptionInfo.className.rpartition(".")
    kind = getattr(errors, name, None) if room == errors.__name__ else None
    if kind is None:
        return Failure(task, data, f"{name}: {report.exceptionInfo.message}")
    message, _, hint = report.exceptionInfo.message.partition("\n  ")
    return Failure(task, data, message, hint, kind.id)
