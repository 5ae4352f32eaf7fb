"""``plan``, ``make`` and ``verify``: from frames to calibrations with a verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from fiducial.cli import options, show
from fiducial.cli.outcome import Exit
from fiducial.cli.progress import progress

FRAME_KINDS = ("bias", "dark", "flat")
"""Made where none is named."""

KINDS = (*FRAME_KINDS, "defects", "linearizer", "ptc", "all")


def _request(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose frames and settings."""
    for option in (
        click.option("--where", default="", help="A further condition, as butler takes it."),
        click.option(
            "--skip-first", type=click.IntRange(0), help="First exposures of a set that only verify."
        ),
        click.option(
            "--wanted", type=click.IntRange(1), help="Frames wanted; of a ramp: of each exposure time."
        ),
        click.option("--minimum", type=click.IntRange(2), help="Frames needed; of a ramp: exposure times."),
        click.option("--bootstrap", is_flag=True, help="Work in adu, without gains."),
        options.settings,
        options.processes,
        click.option(
            "--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads of one step."
        ),
    ):
        function = option(function)
    return options.production(function)


def _as_request(wishes: dict[str, Any]) -> Any:
    from fiducial.selection import parse_state
    from fiducial.service.request import Request

    bootstrap = wishes.pop("bootstrap")
    states: dict[str, Any] = {}
    for text in wishes.pop("state"):
        states |= parse_state(text)
    return Request(world="adu" if bootstrap else "electron", state=states, **wishes)


@click.command()
@options.repository
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@_request
@click.option("--find-dates", is_flag=True, help="List the nights that have enough exposures instead.")
@options.json
def plan(repository: str, kinds: tuple[str, ...], find_dates: bool, json: bool, **wishes: Any) -> int:
    """Say what would be made from which frames, what is left out and why; change nothing.

    \b
    Examples:
      fiducial plan REPO bias dark flat --night 20170908 --state SET-TEMP=-5
      fiducial plan REPO bias --find-dates
      fiducial plan REPO all --night 20260901
    """
    from fiducial import service
    from fiducial.cli.plans import show_dates, show_plans

    request = _as_request(wishes)
    if find_dates:
        dates = service.find_dates(repository, kinds, request)
        show.emit(dates) if json else show_dates(repository, dates)
        return Exit.DONE if dates else Exit.NOTHING
    plans = service.plan(repository, kinds or FRAME_KINDS, request)
    show.emit(plans) if json else show_plans(repository, plans, request)
    if not plans.planned:
        return Exit.NOTHING
    aside = any(c.use == "set_aside" for p in plans.planned for c in p.plan.choices)
    return Exit.SET_ASIDE if aside else Exit.DONE


@click.command()
@options.repository
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@_request
@options.json
def make(repository: str, kinds: tuple[str, ...], json: bool, **wishes: Any) -> int:
    """Generate and verify calibrations; print the collections and the verdicts.

    Defects are found in masters: those made in the same production, or what is certified for the night.
    A linearizer and photon transfer (ptc) need flats of many exposure times, and a bias in adu (--bootstrap).
    "all" makes whatever the night's frames allow, in order: masters in adu, defects, linearizer, ptc, and
    with their gains the masters in electrons; what cannot be made is named with the frames it needs.

    \b
    Examples:
      fiducial make REPO bias dark flat --night 20260901 --ticket CAL-12 --tag monthly
      fiducial make REPO defects --night 20260901
      fiducial make REPO all --night 20260901
    """
    from fiducial import service
    from fiducial.cli.plans import show_production

    request = _as_request(wishes)
    production = service.make(repository, kinds or FRAME_KINDS, request, progress=progress(json))
    show.emit(production) if json else show_production(repository, production)
    return _exit_of(production)


def _exit_of(production: Any) -> int:
    match production.verdict:
        case "not made" | "fail":
            return Exit.FAILED
    aside = any(product.set_aside or product.failures for product in production.products)
    return Exit.SET_ASIDE if aside or production.impossible else Exit.DONE


@click.command()
@options.repository
@click.argument("kind", type=click.Choice(FRAME_KINDS))
@click.option("--run", default="", help="Collection of the calibration; default: what is certified.")
@click.option("--exposures", required=True, metavar="ID,ID..ID", help="Frames to verify against.")
@options.instrument
@options.detectors
@click.option("--output", help="Collection for the result; default: below CAMERA/verify.")
@options.json
def verify(repository: str, kind: str, run: str, exposures: str, json: bool, **wishes: Any) -> int:
    """Verify a calibration against frames that went in, or that did not.

    Without ``--run`` the calibrations certified for each frame's date are used: the question is
    then whether the camera is what it was.

    \b
    Example:
      fiducial verify REPO bias --exposures 2026090100040..2026090100049
    """
    from fiducial import service
    from fiducial.cli.plans import show_verification

    result = service.verify(repository, kind, exposures, run=run, progress=progress(json), **wishes)
    show.emit(result) if json else show_verification(repository, result)
    return Exit.FAILED if result.verdict == "fail" else Exit.DONE
