"""What would be made from which frames, and the plain commands that would do the same; nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fiducial.service.planner import Planner
from fiducial.service.plans import Plans
from fiducial.service.request import Request
from fiducial.service.steps import ALL, steps_of

if TYPE_CHECKING:
    from fiducial.repository import Repository


def plan(root: str | Path, kinds: Sequence[str], request: Request) -> Plans:
    """Say what would be made from which frames; change nothing.

    Parameters
    ----------
    root
        Folder of the repository.
    kinds
        Any of bias, dark, flat, defects, linearizer, ptc, or all; they are planned in the order in which they
        need each other (`fiducial.service.steps.steps_of`).
    request
        Night, state, names and settings.
    """
    from fiducial.repository import Repository

    with Repository.open(root, instrument=request.instrument) as repository:
        return plan_in(repository, kinds, request)


def plan_in(repository: Repository, kinds: Sequence[str], request: Request) -> Plans:
    """Plan in a repository that is open already."""
    steps = steps_of(kinds, request.world)
    check_settings([step.product for step in steps], request.overrides)
    planner = Planner(repository, request)
    for step in steps:
        planner.add(step, everything=ALL in kinds)
    return Plans(request.night, tuple(planner.planned), tuple(planner.impossible), ALL in kinds)


def check_settings(products: Sequence[str], settings: Sequence[str]) -> None:
    """Refuse settings that none of the products' pipelines takes, before anything is made.

    Raises
    ------
    UsageError, ConfigurationError
        A setting is not of the form of one, its task or field is not there, or its value does not fit.
    """
    if not settings:
        return
    from fiducial.execution.pipelines import generation_of, verification_of
    from fiducial.execution.run import load_pipeline
    from fiducial.execution.settings import require_known, settings_for

    pipelines = [path for product in products for path in (generation_of(product), verification_of(product))]
    require_known(pipelines, settings)
    for pipeline in pipelines:
        load_pipeline(pipeline, settings_for(pipeline, settings))
