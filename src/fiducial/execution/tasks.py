"""Tasks made once for a run: what a task keeps from one quantum to the next goes when the run ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, override

from lsst.pipe.base import PipelineTask, TaskFactory

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef, LimitedButler
    from lsst.pipe.base.pipeline_graph import TaskNode


class OneTaskFactory(TaskFactory):
    """Makes each task when it is first asked for; the middleware asks again for every quantum."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, PipelineTask] = {}

    @override
    def makeTask(
        self,
        task_node: TaskNode,
        /,
        butler: LimitedButler,
        initInputRefs: Iterable[DatasetRef] | None,
    ) -> PipelineTask:
        """Give the task of that label, its metadata empty as those of a new one."""
        task = self._made.get(task_node.label)
        if task is None:
            task = self._made[task_node.label] = super().makeTask(task_node, butler, initInputRefs)
        task.emptyMetadata()
        return task
