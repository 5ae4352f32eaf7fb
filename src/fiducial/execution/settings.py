"""Settings of tasks as users give them: ``TASK:FIELD=VALUE``, as ``pipetask -c`` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from fiducial.errors import ConfigurationError, UsageError

PARAMETERS = "parameters"
"""In place of a task: the parameters of the pipeline, which several tasks share."""


@dataclass(frozen=True)
class Setting:
    """One setting; the value is text, the task's configuration knows its type."""

    task: str
    field: str
    value: str

    def __str__(self) -> str:
        return f"{self.task}:{self.field}={self.value}"

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Read a setting.

        Raises
        ------
        UsageError
            It is not of that form.
        """
        name, equals, value = text.partition("=")
        task, colon, field = (part.strip() for part in name.partition(":"))
        if not (equals and colon and task and field):
            raise UsageError(
                f"{text!r} is not a setting", hint="write it as TASK:FIELD=VALUE, for instance bias:kappa=4"
            )
        return cls(task, field, value.strip())


def settings_for(pipeline: Path, settings: Iterable[str]) -> tuple[str, ...]:
    """Choose the settings whose task (or parameter) a pipeline has."""
    chosen = ((text, Setting.parse(text)) for text in settings)
    return tuple(text for text, setting in chosen if _has(pipeline, setting))


def require_known(pipelines: Sequence[Path], settings: Iterable[str]) -> None:
    """Refuse settings of tasks that none of the pipelines has.

    Raises
    ------
    UsageError, ConfigurationError
        A setting is not of the form of one, or names a task that is not there.
    """
    for text in settings:
        setting = Setting.parse(text)
        if not any(_has(pipeline, setting) for pipeline in pipelines):
            raise unknown_task(setting, [task for pipeline in pipelines for task in tasks_of(pipeline)])


def unknown_task(setting: Setting, known: Iterable[str]) -> ConfigurationError:
    """Say which tasks there are."""
    what = "parameter" if setting.task == PARAMETERS else "task"
    name = setting.field if setting.task == PARAMETERS else setting.task
    return ConfigurationError(
        f"{setting}: there is no {what} {name}",
        hint=f"There are the tasks {', '.join(dict.fromkeys(known))}.",
    )


def tasks_of(pipeline: Path) -> tuple[str, ...]:
    """The labels of a pipeline's tasks."""
    return tuple(_content(pipeline, "tasks"))


def _has(pipeline: Path, setting: Setting) -> bool:
    if setting.task == PARAMETERS:
        return setting.field in _content(pipeline, PARAMETERS)
    return setting.task in tasks_of(pipeline)


def _content(pipeline: Path, part: str) -> dict[str, object]:
    found: dict[str, object] = (yaml.safe_load(pipeline.read_text("utf-8")) or {}).get(part) or {}
    return found
