"""Plans, productions and verdicts as tables."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fiducial.cli import show

_USES = {
    "generate": "used",
    "verify": "verify only",
    "first": "first exposure, verify only",
    "left_out": "left out",
    "set_aside": "set aside",
}


def show_dates(repository: str, dates: Sequence[Any]) -> None:
    """List nights, with what they have of each kind."""
    rows = [
        (
            row.night,
            row.kind,
            row.filter,
            _state(row.state),
            row.usable,
            row.frames,
            ", ".join(f"{time:g}" for time in row.exposure_times),
            row.signal,
        )
        for row in dates
    ]
    columns = ("night", "kind", "filter", "state", "usable", "of", "times (s)", "signal (adu)")
    show.table("nights with enough exposures", columns, rows)
    if dates:
        show.next_step(f"fiducial plan {repository} --night {dates[-1].night}")
    else:
        show.say("no night has enough exposures")


def show_plans(repository: str, plans: Any, request: Any) -> None:
    """Show every plan: its frames with reasons, what it costs, and the commands that do the same."""
    for planned in plans.planned:
        _show_choices(planned)
        for note in planned.notes:
            show.say(note)
        cost = planned.forecast
        show.say(
            f"forecast: reads {show.size(cost.read_bytes)}, writes {show.size(cost.disk_bytes)}, "
            f"memory below {show.size(cost.memory)}, about {cost.seconds:.0f} s"
        )
        show.say("the same by hand:")
        for command in planned.commands:
            show.say(f"{command}\n")
    _show_impossible(plans.impossible)
    if plans.planned:
        made = " ".join(plans.asked)
        show.next_step(f"fiducial make {repository} {made}{_asked(request)}")


def _asked(request: Any) -> str:
    """Write what was asked for as options, so that the same frames are meant."""
    options: list[tuple[str, Any]] = [
        ("--night", request.night),
        ("--instrument", request.instrument),
        ("--ticket", request.ticket),
        ("--tag", request.tag if request.tag != type(request).tag else None),
        ("--rerun", request.rerun),
        ("--filter", request.physical_filter),
        *(("--state", f"{key}={value}") for key, value in request.state.items()),
        *(("--detector", detector) for detector in request.detectors),
        ("--where", request.where or None),
        ("--skip-first", request.skip_first),
        ("--wanted", request.wanted),
        ("--minimum", request.minimum),
        *(("-c", setting) for setting in request.overrides),
    ]
    written = [f" {name} {shlex.quote(str(value))}" for name, value in options if value is not None]
    return "".join(written) + (" --bootstrap" if request.world == "adu" else "")


def _title(plan: Any) -> str:
    name = f"{plan.kind} {plan.filter}" if plan.filter else plan.kind
    state = _state(plan.state)
    return f"{name} ({state})" if state else name


def _state(state: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in state.items() if value is not None)


def _show_choices(planned: Any) -> None:
    plan = planned.plan
    rows = [
        (choice.exposure, _USES[choice.use], choice.reason, choice.value, choice.limit)
        for choice in plan.choices
    ]
    show.table(f"{_title(plan)} -> {planned.names.gen}", ("exposure", "use", "why", "value", "limit"), rows)
    uses = Counter(choice.use for choice in plan.choices)
    parts = [f"{uses[use]} {words}" for use, words in _USES.items() if uses[use]]
    show.say(f"{' + '.join(parts)} = {len(plan.choices)} offered")


def _show_impossible(impossible: Sequence[Any]) -> None:
    for one in impossible:
        show.say(f"{one.kind}: cannot be made: {one.reason}")
        if one.needed:
            show.say(f"  needed: {one.needed}")
        if one.hint:
            show.say(f"  {one.hint}")


def show_production(repository: str, production: Any) -> None:
    """Show what was made, where it is, and what verification said."""
    rows = [
        (
            _title(made.planned.plan),
            made.verdict,
            len(made.planned.plan.generate),
            made.set_aside,
            made.run,
            round(made.seconds, 1),
        )
        for made in production.products
    ]
    show.table("production", ("product", "verdict", "frames", "set aside", "run", "seconds"), rows)
    for made in production.products:
        for failure in made.failures:
            show.say(f"{failure.task} {failure.data}: {failure.message}")
            if failure.hint:
                show.say(f"  {failure.hint}")
        for name in made.missing:
            show.say(f"not made: {name}")
        for reason in made.reasons:
            show.say(f"{made.planned.plan.kind}: {reason}")
    _show_impossible(production.impossible)
    runs = [made.run for made in production.products if made.run]
    if not runs:
        return
    show.next_step(f"fiducial report {repository} {' '.join(runs)}")
    for made in production.products:
        if made.verdict != "not made" and made.planned.plan.kind == "defects":
            show.next_step(f"fiducial defects {repository} --collection {made.run}")
    if production.verdict in ("pass", "warn"):
        night = str(production.products[0].planned.plan.night)
        begin = f"{night[:4]}-{night[4:6]}-{night[6:]}"
        show.next_step(f"fiducial certify {repository} {' '.join(runs)} --begin {begin}")


def show_verification(repository: str, result: Any) -> None:
    """Show a verdict with the tests that were nearest to their limits."""
    show.say(f"{result.kind}: {result.verdict}")
    for reason in result.reasons:
        show.say(f"  {reason}")
    rows = [
        (
            r["test"],
            r["exposure"],
            r["detector"],
            r["amplifier"],
            r["value"],
            r["uncertainty"],
            r["limit"],
            r["outcome"],
        )
        for r in result.worst
    ]
    columns = ("test", "exposure", "detector", "amplifier", "value", "uncertainty", "limit", "outcome")
    show.table("nearest to their limits", columns, rows)
    show.next_step(f"fiducial report {repository} {result.run}")
