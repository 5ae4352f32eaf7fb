"""Pairs of flats for photon transfer: which frames go together, and why others stay alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, nan
from typing import Literal

from fiducial.errors import AlgorithmError

type PairingMethod = Literal["time", "level", "order"]


@dataclass(frozen=True, slots=True)
class Flat:
    """What pairing looks at.

    Attributes
    ----------
    exposure : int
        Its id.
    time : float
        Exposure time, s.
    begin : float
        When it was taken, s since any moment.
    physical_filter : str
        Flats of different filters are never paired.
    level : float
        Signal, adu; NaN: not known.
    """

    exposure: int
    time: float
    begin: float
    physical_filter: str = ""
    level: float = nan


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A flat that is in no pair, and why."""

    exposure: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """Every flat is in exactly one of a pair and the unpaired.

    Attributes
    ----------
    pairs : tuple of (Flat, Flat)
        The earlier one first; pairs by the time of their first.
    unpaired : tuple of Unpaired
        By exposure id.
    """

    pairs: tuple[tuple[Flat, Flat], ...]
    unpaired: tuple[Unpaired, ...]


def pair_flats(
    flats: Sequence[Flat],
    method: PairingMethod = "time",
    *,
    tolerance: float = 0.01,
    most_separation: float | None = None,
) -> Pairing:
    """Pair flats of one level.

    Parameters
    ----------
    flats : sequence of Flat
        In any order.
    method : str
        ``time``: of equal exposure times, so that the separations in time have the smallest sum; ``level``:
        of equal levels, so that the differences of levels have the smallest sum; ``order``: each with the
        next one taken, if that has the same exposure time.
    tolerance : float
        How much exposure times (``level``: levels) may differ, relative to the shorter one.
    most_separation : float, optional
        Flats that are further apart, s, are not paired: a lamp drifts.

    Returns
    -------
    Pairing

    Raises
    ------
    AlgorithmError
        An exposure stands twice.

    Notes
    -----
    Of points on a line the matching of the smallest sum of distances pairs neighbours: the first with the
    second, the third with the fourth. Of an odd number that one is left out whose absence makes the sum the
    smallest.
    """
    ids = [flat.exposure for flat in flats]
    if twice := sorted({number for number in ids if ids.count(number) > 1}):
        raise AlgorithmError(f"exposure {twice[0]} stands twice", hint="Offer each flat once.")
    alone: list[Unpaired] = []
    good: list[Flat] = []
    for flat in sorted(flats, key=lambda flat: (flat.begin, flat.exposure)):
        problem = _problem(flat, method)
        if problem:
            alone.append(Unpaired(flat.exposure, problem))
        else:
            good.append(flat)
    if method == "order":
        pairs = _in_order(good, tolerance, most_separation, alone)
    else:
        pairs = []
        for run in _groups(good, method, tolerance):
            pairs += _of_run(run, method, most_separation, alone)
    return Pairing(
        tuple(sorted(pairs, key=lambda pair: (pair[0].begin, pair[0].exposure))),
        tuple(sorted(alone, key=lambda one: one.exposure)),
    )


def _problem(flat: Flat, method: PairingMethod) -> str:
    """Why a flat cannot be in any pair; empty if it can."""
    if not (isfinite(flat.time) and flat.time > 0):
        return f"its exposure time is {flat.time:g} s"
    if method == "level" and not (isfinite(flat.level) and flat.level > 0):
        return "its level is not known" if not isfinite(flat.level) else "it has no light"
    return ""


def _groups(flats: Sequence[Flat], method: PairingMethod, tolerance: float) -> list[list[Flat]]:
    """Flats that may be paired with each other: of one filter and one exposure time or level."""
    value = _value_of(method)
    ordered = sorted(flats, key=lambda flat: (flat.physical_filter, value(flat), flat.begin, flat.exposure))
    groups: list[list[Flat]] = []
    for _, own in groupby(ordered, key=lambda flat: flat.physical_filter):
        start = -1.0
        for flat in own:
            # Levels are a continuum: what counts is the next one. Exposure times are set.
            if start < 0 or value(flat) > start * (1.0 + tolerance):
                groups.append([])
            groups[-1].append(flat)
            if method == "level" or len(groups[-1]) == 1:
                start = value(flat)
    return groups


def _value_of(method: PairingMethod) -> Callable[[Flat], float]:
    return (lambda flat: flat.level) if method == "level" else (lambda flat: flat.time)


def _of_run(
    group: list[Flat], method: PairingMethod, most: float | None, alone: list[Unpaired]
) -> list[tuple[Flat, Flat]]:
    """Pair a group by time, or by level; what is left over is added to ``alone``."""
    if method == "time":
        line = sorted(group, key=lambda flat: (flat.begin, flat.exposure))
        places = [flat.begin for flat in line]
    else:
        line = sorted(group, key=lambda flat: (flat.level, flat.exposure))
        places = [flat.level for flat in line]
    what = f"exposure time {group[0].time:g} s" if method == "time" else f"level {group[0].level:.6g} adu"
    band = f" in filter {group[0].physical_filter}" if group[0].physical_filter else ""
    if len(line) == 1:
        alone.append(Unpaired(line[0].exposure, f"no other flat has its {what}{band}"))
        return []
    if len(line) % 2:
        out = line.pop(_left_out(places))
        alone.append(Unpaired(out.exposure, f"an odd number of flats have its {what}{band}"))
    found = []
    for one, other in zip(line[::2], line[1::2], strict=True):
        first, second = sorted((one, other), key=lambda flat: (flat.begin, flat.exposure))
        if _apart(first, second, most, alone):
            continue
        found.append((first, second))
    return found


def _left_out(places: Sequence[float]) -> int:
    """Which of an odd number of points on a line, in order, to leave out."""
    # Leaving out number 2 k pairs those before it among themselves, and those behind it.
    total = sum(places[k + 1] - places[k] for k in range(1, len(places) - 1, 2))
    best, least = 0, total
    for k in range(0, len(places) - 2, 2):
        total += (places[k + 1] - places[k]) - (places[k + 2] - places[k + 1])
        if total < least:
            best, least = k + 2, total
    return best


def _apart(first: Flat, second: Flat, most: float | None, alone: list[Unpaired]) -> bool:
    """Whether two flats are too far apart in time; then both stay alone."""
    separation = second.begin - first.begin
    if most is None or separation <= most:
        return False
    for flat, other in ((first, second), (second, first)):
        reason = f"its neighbour {other.exposure} is {separation:.6g} s away, at most {most:g} s are allowed"
        alone.append(Unpaired(flat.exposure, reason))
    return True


def _in_order(
    flats: list[Flat], tolerance: float, most: float | None, alone: list[Unpaired]
) -> list[tuple[Flat, Flat]]:
    """Each flat with the next one, if that is of its kind; a flat that is not is passed over."""
    found = []
    k = 0
    while k < len(flats):
        reason = _not_alike(flats[k], flats[k + 1], tolerance) if k + 1 < len(flats) else "it is the last one"
        if reason:
            alone.append(Unpaired(flats[k].exposure, reason))
            k += 1
            continue
        if not _apart(flats[k], flats[k + 1], most, alone):
            found.append((flats[k], flats[k + 1]))
        k += 2
    return found


def _not_alike(one: Flat, other: Flat, tolerance: float) -> str:
    if one.physical_filter != other.physical_filter:
        return f"the next one, {other.exposure}, has filter {other.physical_filter}"
    if abs(one.time - other.time) > tolerance * min(one.time, other.time):
        return f"the next one, {other.exposure}, has an exposure time of {other.time:g} s"
    return ""
