"""Work in other processes: progress and failures as their reports tell them."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from lsst.pipe.base.quantum_reports import ExceptionInfo, ExecutionStatus, QuantumReport

from fiducial.errors import NothingToDo
from fiducial.execution.follow import following, reported_failures
from fiducial.execution.watch import WatchedExecutor


@dataclass
class Reports:
    quantaReports: list[QuantumReport] = field(default_factory=list)  # noqa: N815 - the middleware's name


@dataclass
class Runner:
    """Has what is asked of a graph executor; without a report it has not begun."""

    report: Reports | None = None

    def getReport(self) -> Reports:
        if self.report is None:
            raise RuntimeError("getReport() called before execute()")
        return self.report


def quantum(detector: int, error: Exception | None = None, **more: Any) -> QuantumReport:
    if error is not None:
        more |= {"status": ExecutionStatus.FAILURE, "exceptionInfo": ExceptionInfo.from_exception(error)}
    return QuantumReport(dataId={"instrument": "Cam", "detector": detector}, taskLabel="bias", **more)


def test_every_report_is_told_once() -> None:
    runner: Any = Runner()
    told: list[str] = []
    with following(runner, told.append):
        runner.report = Reports()
        for detector in range(3):
            runner.report.quantaReports.append(quantum(detector))
            time.sleep(0.05)
    assert told == ["bias"] * 3


def test_following_ends_when_the_work_fails() -> None:
    runner: Any = Runner(Reports([quantum(0)]))
    told: list[str] = []
    with pytest.raises(RuntimeError, match="failed"), following(runner, told.append):
        raise RuntimeError("one or more tasks failed")
    assert told == ["bias"]


def test_failures_are_read_from_the_reports() -> None:
    ours = NothingToDo("2 frames, 3 are needed", hint="offer more")
    killed = quantum(3, status=ExecutionStatus.FAILURE, exitCode=-9)
    skipped = quantum(4, status=ExecutionStatus.SKIPPED)
    runner: Any = Runner(
        Reports([quantum(0), quantum(1, ours), quantum(2, ValueError("odd")), killed, skipped])
    )
    first, second, third = reported_failures(runner)
    assert (first.message, first.hint, first.error) == ("2 frames, 3 are needed", "offer more", "nothing")
    assert (first.task, first.data["detector"]) == ("bias", 1)
    assert (second.message, second.error) == ("ValueError: odd", "")
    assert "killed by signal 9" in third.message
    assert "memory" in third.hint


def test_nothing_is_reported_before_the_work_begins() -> None:
    runner: Any = Runner()
    assert reported_failures(runner) == ()


def test_a_bar_on_the_terminal_stays_in_its_process() -> None:
    def bar(label: str) -> None:
        """It cannot be pickled: it is a function within a function."""

    executor = WatchedExecutor(limited_butler_factory=dict, step=bar)
    again = pickle.loads(pickle.dumps(executor))  # noqa: S301 - our own
    assert again.failures == []
    again._step("bias")
