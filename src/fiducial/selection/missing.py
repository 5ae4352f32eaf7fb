"""What there is and what is missing, where nothing can be made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from fiducial.cameras.model import SelectionDefaults
from fiducial.errors import NothingToDo
from fiducial.selection.exposures import Exposure
from fiducial.selection.state import StateGroup, describe_state
from fiducial.selection.survey import Candidate, Survey

SHOWN = 5  # reasons that are told one by one


def no_frames(
    base: str,
    everything: Sequence[Exposure],
    mine: frozenset[int],
    night: int | None,
    physical_filter: str | None,
) -> NothingToDo:
    """Say that there are no frames of the type, and which types there are."""
    when = "" if night is None else f" of {night}"
    here = [exposure for exposure in everything if exposure.id in mine]
    of_type = [exposure for exposure in here if exposure.facts.frame_type == base]
    if of_type:
        filters = counted(exposure.facts.filter for exposure in of_type)
        return NothingToDo(
            f"no {base} frames{when} in filter {physical_filter}: there are {filters}",
            hint="ask for one of these filters",
        )
    if here:
        types = counted(exposure.facts.frame_type for exposure in here)
        return NothingToDo(
            f"no {base} frames{when}: there are {types}",
            hint="if some of these are what is missing, correct the frame types in the camera's file and "
            "ingest again",
        )
    nights = sorted({exposure.night for exposure in everything})
    return NothingToDo(
        f"no frames{when} at all"
        + (f": there are nights from {nights[0]} to {nights[-1]}" if nights else ""),
        hint="ask for one of these nights (`plan --find-dates` lists them)"
        if nights
        else "ingest frames first",
    )


def no_such_state(base: str, state: Mapping[str, object], groups: Sequence[StateGroup]) -> NothingToDo:
    """Say that no frames are in the camera state asked for, and which states there are."""
    there = "; ".join(f"{len(group.exposures)} of {describe_state(group.state)}" for group in groups)
    return NothingToDo(
        f"no {base} frames with {describe_state(state)}: there are {there}",
        hint="ask for one of these states",
    )


def too_few(base: str, found: Survey, best: Candidate, settings: SelectionDefaults) -> NothingToDo:
    """Say how many frames there are, why so few of them are usable, and how many are missing."""
    there = [e for e in best.group.exposures if e.night == best.night and e.id in found.mine]
    if best.filter is not None:
        there = [exposure for exposure in there if exposure.facts.filter == best.filter]
    aside = [found.aside[e.id] for e in there if e.id in found.aside]
    first = [e for e in there if e.id in found.first and e.id not in found.aside]
    unlike = [e for e in there if e.id in found.unlike and e.id not in found.aside]
    sets = {found.set_of[exposure.id] for exposure in there}
    parts = [f"{len(there)} of {best.night} in {number_of(len(sets), 'set')}"]
    if first:
        parts.append(f"{number_of(len(first), 'first exposure')} left out")
    if aside:
        parts.append(f"{len(aside)} set aside")
    if unlike:
        parts.append(f"{len(unlike)} of another level")
    what = f"{base} in {best.filter}" if best.filter is not None else base
    usable = number_of(len(best.usable), "usable frame")
    message = f"{what}: {usable}, {settings.minimum} are needed ({', '.join(parts)})"
    message += "".join(f"\n  {finding.exposure}: {finding.reason}" for finding in aside[:SHOWN])
    if len(aside) > SHOWN:
        message += f"\n  and {len(aside) - SHOWN} more set aside"
    elsewhere = {
        describe_state(g.state): n
        for g in found.groups
        if g is not best.group and (n := sum(e.id in found.mine for e in g.exposures))
    }
    if elsewhere:
        states = "; ".join(f"{n} with {state}" for state, n in elsewhere.items())
        message += f"\n  in other camera states or binnings: {states}"
    return NothingToDo(
        message,
        hint=f"take more frames in one set, or lower `minimum` ({settings.minimum}) or `skip_first` "
        f"({settings.skip_first}) of the selection",
    )


def counted(names: Iterable[str]) -> str:
    """Count equal names: ``3 dark, 5 flat``."""
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(names).items()))


def number_of(count: int, what: str) -> str:
    """Write a number of things: ``1 flat``, ``2 flats``."""
    return f"{count} {what}" + ("" if count == 1 else "s")
