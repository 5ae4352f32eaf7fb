"""Readings from tables of verification: read noise and gain of pairs, dark rates by what is left of darks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fiducial.repository.everywhere import datasets_everywhere
from fiducial.trends.from_masters import gain_of, rate
from fiducial.trends.known import Known, MasterHeader, certified_as
from fiducial.trends.readings import UNITS, Reading, typical
from fiducial.verify.rows import MEAN_EXPOSURE

if TYPE_CHECKING:
    from fiducial.repository import Repository

_TESTS = {"bias": ("read_noise", "read_noise"), "flat": ("gain", "gain"), "dark": ("level", "dark_rate")}
"""Of each kind the test, and the quantity that follows."""

_COLUMNS = [
    "test",
    "scope",
    "exposure",
    "detector",
    "amplifier",
    "mjd",
    "role",
    "applicable",
    "value",
    "uncertainty",
    "unit",
    "electrons_per_unit",
    "overscan",
]

_OWN = ("input", "held_out")
"""Roles of frames of the observing day that the master is of."""

type Rows = Sequence[Mapping[str, Any]]


def readings_of_frames(repository: Repository, known: Known) -> Iterator[Reading]:
    """One reading for each results table, amplifier and night that has frames in it."""
    for kind in _TESTS:
        for stage in (kind.capitalize(), f"{kind.capitalize()}Bootstrap"):
            for ref in datasets_everywhere(repository.butler, known.camera.name, f"verify{stage}Results"):
                table = repository.butler.get(
                    ref, storageClass="ArrowTable", parameters={"columns": _COLUMNS}
                )
                band = str(ref.dataId.get("physical_filter", ""))
                yield from readings_of_table(known, kind, rows_of(table, kind), str(ref.run), band)


def rows_of(table: Any, kind: str) -> list[dict[str, Any]]:
    """The rows of one kind that say something of the camera, in the order of time; first exposures do not."""
    import pyarrow.compute as pc

    chosen = pc.and_(pc.equal(table["test"], _TESTS[kind][0]), pc.equal(table["scope"], "amplifier"))
    rows = table.filter(chosen).to_pylist()
    good = (row for row in rows if row["exposure"] != MEAN_EXPOSURE and row["role"] != "first")
    return sorted(good, key=lambda row: (row["mjd"], row["exposure"]))


def readings_of_table(
    known: Known, kind: str, rows: Rows, run: str, physical_filter: str
) -> Iterator[Reading]:
    """The readings of one table of results."""
    inputs = known.inputs_of(run)
    groups: dict[tuple[int, str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        taken = known.taken.get(row["exposure"])
        if taken is not None:
            groups.setdefault((row["detector"], row["amplifier"], taken.night), []).append(row)
    for (detector, amplifier, night), own in sorted(groups.items()):
        if amplifier not in {amp.name for amp in known.camera.amplifiers(detector)}:
            continue
        tested = known.master_of(inputs, kind, detector, night)
        make = _dark if kind == "dark" else _pairs
        found = make(known, kind, own, tested, (detector, amplifier, night))
        if found is not None:
            yield replace(found, run=run, physical_filter=physical_filter)


def _pairs(
    known: Known, kind: str, rows: Rows, tested: MasterHeader | None, where: tuple[int, str, int]
) -> Reading | None:
    """Of pairs of frames; the first frame of a night has its partner in another night, if it has one."""
    detector, name, night = where
    good = [row for row in rows[1:] if _usable(row)]
    if not good:
        return None
    amp = next(one for one in known.camera.amplifiers(detector) if one.name == name)
    quantity = _TESTS[kind][1]
    factor = float(good[0]["electrons_per_unit"]) if good[0]["unit"] == "adu" else 1.0
    value, error = typical(
        [factor * row["value"] for row in good],
        [factor * row["uncertainty"] for row in good],
        neighbours=True,
    )
    reading = Reading(quantity, detector, name, night, value, error, UNITS[quantity], "pairs", len(good), "")
    gain = gain_of(tested if kind == "bias" else None, amp) if factor == 1.0 else factor
    state = tested.state if tested else ""
    own = all(row["role"] in _OWN for row in rows)
    validity = tested.validity if tested is not None and own and tested.night == night else None
    return replace(
        certified_as(reading, validity),
        gain=gain if kind == "bias" else math.nan,
        state=state,
    )


def _dark(
    known: Known, _kind: str, rows: Rows, tested: MasterHeader | None, where: tuple[int, str, int]
) -> Reading | None:
    """The rate of the master and what frames of another day have beyond it, over their dark time.

    Frames of the master's own day say nothing that its header does not.
    """
    detector, name, night = where
    amp = next(one for one in known.camera.amplifiers(detector) if one.name == name)
    times = [known.taken[row["exposure"]].dark_time for row in rows]
    good = [
        (row, time)
        for row, time in zip(rows, times, strict=True)
        if _usable(row) and time > 0 and row["overscan"] and row["role"] not in _OWN
    ]
    before = None if tested is None else rate(known, tested, amp)
    if not good or before is None or tested is None:
        return None
    gain = gain_of(tested, amp)
    rest, error = typical(
        [row["value"] / time for row, time in good], [row["uncertainty"] / time for row, time in good]
    )
    factor = gain if good[0][0]["unit"] == "adu" else 1.0
    of_master = 1.0 if tested.in_electrons else gain
    # The error of a certified master is that of the value this one is held against.
    shared = 0.0 if tested.validity is not None else before[1] * of_master
    return Reading(
        "dark_rate",
        detector,
        name,
        night,
        before[0] * of_master + rest * factor,
        math.hypot(error * factor, shared),
        UNITS["dark_rate"],
        "rate",
        len(good),
        "",
        gain=gain,
        state=tested.state,
    )


def _usable(row: Mapping[str, Any]) -> bool:
    value, error = row["value"], row["uncertainty"]
    known = row["applicable"] and value is not None and error is not None
    return bool(known and math.isfinite(value) and math.isfinite(error) and error > 0)
