"""Camera states: which exposures were taken with the camera in the same state, and how to ask for one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fiducial.cameras import state_differences
from fiducial.cameras.facts import FrameFacts, StateValue
from fiducial.cameras.model import Camera
from fiducial.errors import UsageError
from fiducial.selection.exposures import Exposure

BINNING = "binning"  # asked for like a key of the state, though it has its own place among the facts

_NUMBER = re.compile(r"^[+-]?(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d+)?$")  # 007 is a name, not a number

type Signature = tuple[object, ...]


@dataclass(slots=True, eq=False)
class StateGroup:
    """Exposures of one camera state and binning, in the order in which they were taken.

    ``facts`` stand for the group: they hold every key of the state that any of its exposures tells.
    """

    facts: FrameFacts
    exposures: list[Exposure] = field(default_factory=list)

    @property
    def state(self) -> dict[str, StateValue]:
        """The keys of the state that are known, and the binning where it is not 1x1."""
        known = {key: value for key, value in self.facts.state.items() if value is not None}
        binning = self.facts.binning
        return known | ({BINNING: f"{binning[0]}x{binning[1]}"} if binning not in (None, (1, 1)) else {})


def group_states(exposures: Sequence[Exposure], camera: Camera) -> list[StateGroup]:
    """Group exposures by camera state and binning; what is unknown matches anything.

    Exposures whose state is known best found the groups. One that matches several groups, because
    what tells them apart is unknown of it, goes to the group that was exposed nearest to it in time.

    Parameters
    ----------
    exposures
        Of one frame type, in the order in which they were taken.
    camera
        Its state rules say which keys count, and how closely they must agree.

    Returns
    -------
    list of StateGroup
        In the order of their first exposures.
    """
    alike: dict[Signature, list[Exposure]] = {}
    for exposure in exposures:
        alike.setdefault(signature(exposure.facts), []).append(exposure)
    groups: list[StateGroup] = []
    for members in sorted(alike.values(), key=lambda members: _unknown(members[0].facts)):
        facts = members[0].facts
        matching = [group for group in groups if not differences(camera, group.facts, facts)]
        if not matching:
            matching = [StateGroup(facts)]
            groups += matching
        if len(matching) == 1:
            matching[0].exposures = _merged(matching[0].exposures, members)
            matching[0].facts = _completed(matching[0].facts, facts)
        else:
            _share_out(members, matching)
    return sorted(groups, key=lambda group: group.exposures[0].order)


def differences(camera: Camera, a: FrameFacts, b: FrameFacts) -> dict[str, tuple[object, object]]:
    """Return what tells two camera states apart: key to both values; the binning is one of the keys."""
    found: dict[str, tuple[object, object]] = dict(state_differences(camera, a, b))
    if a.binning is not None and b.binning is not None and a.binning != b.binning:
        found[BINNING] = ("{}x{}".format(*a.binning), "{}x{}".format(*b.binning))
    return found


def parse_state(text: str | Iterable[str]) -> dict[str, StateValue]:
    """Read a camera state asked for, such as ``SET-TEMP=-10`` or ``SEQFILE=fast.seq,SET-TEMP=-10``.

    Parameters
    ----------
    text
        One text or several; each holds ``KEY=VALUE``, or several of them with commas between.

    Returns
    -------
    dict
        Key to value: a whole number, a number, true or false, or else a text.

    Raises
    ------
    UsageError
        If there is no ``=``, no key or no value.
    """
    wanted: dict[str, StateValue] = {}
    for part in (p for one in ([text] if isinstance(text, str) else text) for p in one.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise UsageError(f"{part!r} is not a camera state", hint="write it as KEY=VALUE: SET-TEMP=-10")
        wanted[key] = _value(value)
    return wanted


def describe_state(state: Mapping[str, object]) -> str:
    """Write a camera state as it is asked for: ``SET-TEMP=-10,SEQFILE=fast.seq``."""
    return ",".join(f"{key}={_shown(value)}" for key, value in state.items()) or "not known"


def in_state(group: StateGroup, wanted: Mapping[str, StateValue], camera: Camera) -> bool:
    """Whether a group is in the state asked for; a key that is unknown of it does not speak against it.

    Raises
    ------
    UsageError
        If the camera has no such key.
    """
    keys = camera.headers.state
    if unknown := [key for key in wanted if key not in keys and key != BINNING]:
        raise UsageError(
            f"{', '.join(unknown)} is no part of the camera state of {camera.name}",
            hint=f"there are {', '.join([*keys, BINNING])}",
        )
    if BINNING in wanted and _pair(wanted[BINNING]) != "{}x{}".format(*(group.facts.binning or (1, 1))):
        return False
    told = group.facts.state
    asked = group.facts.model_copy(
        update={
            "state": {
                # A number may come as text from a command line; a text that looks like one stays as it is.
                key: _value(value) if isinstance(value, str) and not isinstance(told.get(key), str) else value
                for key, value in wanted.items()
            }
        }
    )
    return not state_differences(camera, group.facts, asked)


def signature(facts: FrameFacts) -> Signature:
    """Return what is equal for exposures of the same camera state and binning, unknown ones included."""
    return (facts.binning, *sorted(facts.state.items(), key=lambda item: item[0]))


def _unknown(facts: FrameFacts) -> int:
    return sum(value is None for value in facts.state.values()) + (facts.binning is None) - len(facts.state)


def _completed(facts: FrameFacts, other: FrameFacts) -> FrameFacts:
    """Return the facts with the state that only the other one knows."""
    new = {k: v for k, v in other.state.items() if v is not None and facts.state.get(k) is None}
    binning = facts.binning if facts.binning is not None else other.binning
    if not new and binning == facts.binning:
        return facts
    return facts.model_copy(update={"state": {**facts.state, **new}, "binning": binning})


def _merged(a: list[Exposure], b: list[Exposure]) -> list[Exposure]:
    return sorted([*a, *b], key=lambda exposure: exposure.order)


def _share_out(members: Sequence[Exposure], groups: Sequence[StateGroup]) -> None:
    """Give each exposure to the group that was exposed nearest to it in time."""
    times = [[exposure.facts.begin for exposure in group.exposures] for group in groups]
    found: list[list[Exposure]] = [[] for _ in groups]
    for exposure in members:
        begin = exposure.facts.begin
        distances = []
        for begins in times:
            at = bisect_left(begins, begin)
            near = [abs(begin - other) for other in begins[max(at - 1, 0) : at + 1]]
            distances.append(min(near, default=timedelta.max))
        found[distances.index(min(distances))].append(exposure)
    for group, new in zip(groups, found, strict=True):
        group.exposures = _merged(group.exposures, new)


def _value(text: str) -> StateValue:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _NUMBER.match(text) is None:
        return text
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pair(value: StateValue) -> str:
    """Write a binning as it is compared: ``2`` and ``2x2`` are the same."""
    text = str(value).lower().replace(" ", "")
    return text if "x" in text else f"{text}x{text}"
