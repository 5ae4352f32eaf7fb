"""Running pipelines: the graph, the workers, and the look afterwards that everything expected exists."""

from fiducial.execution.job import PIPELINES, Failure, Job, Outcome

__all__ = ["PIPELINES", "Failure", "Job", "Outcome"]
