"""What is to be run, and what came of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"


@dataclass(frozen=True)
class Job:
    """One pipeline on chosen data: the same as one ``pipetask run`` command."""

    pipeline: Path
    inputs: tuple[str, ...]
    output: str  # a chain; the run below it gets the time as its name
    where: str
    overrides: tuple[str, ...] = ()  # "task:field=value", as -c takes them
    run: str = ""  # the run to write or continue; empty: a new one below output

    def command(self, repository: str, *, processes: int = 1) -> str:
        """Write the job as a ``pipetask`` command that does the same, quoted for a POSIX shell."""
        parts = [
            "pipetask --long-log run",
            f"-b {shlex.quote(repository)}",
            f"-p {shlex.quote(str(self.pipeline))}",
            f"-i {shlex.quote(','.join(self.inputs))}",
            f"-o {shlex.quote(self.output)}",
            *([f"--output-run {shlex.quote(self.run)} --extend-run --clobber-outputs"] if self.run else []),
            *(f"-c {shlex.quote(override)}" for override in self.overrides),
            f"-d {_double_quoted(self.where)}",
            *([f"-j {processes}"] if processes > 1 else []),
            "--register-dataset-types",
        ]
        return " \\\n  ".join(parts)


def _double_quoted(text: str) -> str:
    """Quote text that has single quotes in it, as data queries do, so that people can still read it."""
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


@dataclass(frozen=True)
class Failure:
    """One step that did not finish: which task, on what, and why."""

    task: str
    data: dict[str, str | int]
    message: str
    hint: str = ""
    error: str = ""  # id of the fiducial error; empty where it is not one of ours


@dataclass(frozen=True)
class Outcome:
    """What a job left behind."""

    job: Job
    run: str
    folder: Path  # command, configuration and log of the run, beside its products
    expected: int  # datasets that should exist now
    missing: tuple[str, ...]  # those that do not
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether everything expected exists."""
        return not self.missing and not self.failures
