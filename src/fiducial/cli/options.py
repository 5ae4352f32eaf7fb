"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

repository = click.argument("repository", type=click.Path(file_okay=False), metavar="REPO")

json = click.option("--json", is_flag=True, help="Print the result as JSON, for machines.")

instrument = click.option("--instrument", help="The camera, where the repository holds several.")

night = click.option("--night", type=int, metavar="YYYYMMDD", help="The observing day.")

ticket = click.option("--ticket", help="What the work is filed under; default: night-YYYYMMDD.")

tag = click.option("--tag", default="nightly", show_default=True, help="A readable name of this production.")

rerun = click.option("--rerun", help="Name of this run; default: the date and the next free letter.")

state = click.option(
    "--state", multiple=True, metavar="KEY=VALUE", help="The camera state, e.g. SET-TEMP=-10."
)

detectors = click.option("--detector", "detectors", type=int, multiple=True, help="Only this detector.")

filters = click.option("--filter", "physical_filter", help="Only flats of this filter.")

settings = click.option(
    "-c", "overrides", multiple=True, metavar="TASK:FIELD=VALUE", help="A task's setting, e.g. bias:kappa=4."
)

processes = click.option(
    "-j", "--processes", type=click.IntRange(1), default=1, show_default=True, help="Steps at a time."
)


def production(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which production is meant."""
    for option in (instrument, filters, detectors, state, rerun, tag, ticket, night):
        function = option(function)
    return function
