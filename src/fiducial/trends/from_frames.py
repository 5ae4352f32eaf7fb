"""Readings from tables of verification: what pairs of frames say, and what frames have beyond a master."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fiducial.repository.everywhere import datasets_everywhere
from fiducial.trends.from_masters import gain_of, rate
from fiducial.trends.known import Known, MasterHeader, certified_as
from fiducial.trends.readings import IN_ELECTRONS, RELATIVE, UNITS, Reading, typical
from fiducial.verify.rows import MEAN_EXPOSURE

if TYPE_CHECKING:
    from fiducial.cameras.model import Amplifier
    from fiducial.repository import Repository

_TESTS: dict[str, dict[str, str]] = {
    "bias": {"read_noise": "read_noise", "level": "bias_offset"},
    "flat": {"gain": "gain", "amplifier_ratio": "amplifier_ratio"},
    "dark": {"level": "dark_rate"},
}
"""Of each kind the tests, and the quantity that follows from each."""

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

_FROM_MASTER = ("residual", "rate")
"""Methods whose value holds that of the master."""

type Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Group:
    """The rows of one test, amplifier and night, in the order of time, and the master held against them."""

    quantity: str
    amplifier: Amplifier
    detector: int
    night: int
    rows: Rows
    tested: MasterHeader | None

    @property
    def own(self) -> bool:
        """Whether all are frames of the day that the master is of."""
        return all(row["role"] in _OWN for row in self.rows)

    def reading(self, value: float, error: float, method: str, frames: int, gain: float) -> Reading:
        """The reading of a value; certified if it is of the frames of a certified master."""
        reading = Reading(
            self.quantity,
            self.detector,
            self.amplifier.name,
            self.night,
            value,
            error,
            UNITS[self.quantity],
            method,
            frames,
            "",
            gain=gain if self.quantity in IN_ELECTRONS else math.nan,
            state=self.tested.state if self.tested else "",
            base=self.tested.dataset if self.tested and method in _FROM_MASTER else "",
        )
        mine = self.tested is not None and self.own and self.tested.night == self.night
        return certified_as(reading, self.tested.validity if self.tested and mine else None)


def readings_of_frames(repository: Repository, known: Known) -> Iterator[Reading]:
    """One reading for each results table, test, amplifier and night that has frames in it."""
    butler = repository.butler
    for product in (kind + suffix for kind in _TESTS for suffix in ("", "Bootstrap")):
        stage = product[0].upper() + product[1:]
        for ref in datasets_everywhere(butler, known.camera.name, f"verify{stage}Results"):
            table = known.read(butler, ref, storageClass="ArrowTable", parameters={"columns": _COLUMNS})
            band = str(ref.dataId.get("physical_filter", ""))
            if table is not None:
                yield from readings_of_table(known, product, table, str(ref.run), band)


def readings_of_table(
    known: Known, product: str, table: Any, run: str, physical_filter: str
) -> Iterator[Reading]:
    """The readings of one table of results."""
    inputs = known.inputs_of(run)
    for test, quantity in _TESTS[product.removesuffix("Bootstrap")].items():
        groups: dict[tuple[int, str, int], list[Mapping[str, Any]]] = {}
        for row in rows_of(table, test):
            taken = known.taken.get(row["exposure"])
            if taken is not None and known.wants(row["detector"]):
                groups.setdefault((row["detector"], row["amplifier"], taken.night), []).append(row)
        for (detector, name, night), rows in sorted(groups.items()):
            amplifier = next((one for one in known.camera.amplifiers(detector) if one.name == name), None)
            if amplifier is None:
                continue
            tested = known.master_of(inputs, product, detector, night, physical_filter)
            found = _measured(known, Group(quantity, amplifier, detector, night, rows, tested))
            if found is not None:
                yield replace(found, run=run, physical_filter=physical_filter)


def rows_of(table: Any, test: str) -> list[dict[str, Any]]:
    """The rows of a test that say something of the camera, in the order of time; first exposures do not."""
    import pyarrow.compute as pc

    chosen = pc.and_(pc.equal(table["test"], test), pc.equal(table["scope"], "amplifier"))
    rows = table.filter(chosen).to_pylist()
    good = (row for row in rows if row["exposure"] != MEAN_EXPOSURE and row["role"] != "first")
    return sorted(good, key=lambda row: (row["mjd"], row["exposure"]))


def _measured(known: Known, group: Group) -> Reading | None:
    if group.quantity in RELATIVE:
        return _beyond_master(group)
    return _rate(known, group) if group.quantity == "dark_rate" else _pairs(group)


def _pairs(group: Group) -> Reading | None:
    """Of pairs of frames; the first frame of a night has its partner in another night, if it has one."""
    good = [row for row in group.rows[1:] if _usable(row)]
    if not good:
        return None
    factor = _electrons(good[0])
    value, error = typical(
        [factor * row["value"] for row in good],
        [factor * row["uncertainty"] for row in good],
        neighbours=True,
    )
    in_adu = good[0]["unit"] == "adu"
    gain = factor if in_adu else gain_of(group.tested, group.amplifier)
    return group.reading(value, error, "pairs", len(good), gain)


def _beyond_master(group: Group) -> Reading | None:
    """What frames have beyond a certified master; of its own frames that is nothing but for their noise.

    Against any other master it is no property of the camera.
    """
    good = [row for row in group.rows if _usable(row) and row["overscan"]]
    if not good or group.tested is None or group.tested.validity is None:
        return None
    factor = _electrons(good[0])
    value, error = typical(
        [factor * row["value"] for row in good], [factor * row["uncertainty"] for row in good]
    )
    return group.reading(value, error, "residual", len(good), math.nan)


def _rate(known: Known, group: Group) -> Reading | None:
    """The rate of the master and what frames of another day have beyond it, over their dark time.

    Frames of the master's own day say nothing that its header does not.
    """
    times = [known.taken[row["exposure"]].dark_time for row in group.rows]
    good = [
        (row, time)
        for row, time in zip(group.rows, times, strict=True)
        if _usable(row) and time > 0 and row["overscan"] and row["role"] not in _OWN
    ]
    tested = group.tested
    before = None if tested is None else rate(known, tested, group.amplifier)
    if not good or before is None or tested is None:
        return None
    gain = gain_of(tested, group.amplifier)
    of_master = 1.0 if tested.in_electrons else gain
    factor = gain if good[0][0]["unit"] == "adu" else 1.0
    rest, error = typical(
        [row["value"] / time for row, time in good], [row["uncertainty"] / time for row, time in good]
    )
    value = before[0] * of_master + rest * factor
    return group.reading(value, math.hypot(error * factor, before[1] * of_master), "rate", len(good), gain)


def _electrons(row: Mapping[str, Any]) -> float:
    """What a value is multiplied with to be in electrons, if it is in adu."""
    return float(row["electrons_per_unit"]) if row["unit"] == "adu" else 1.0


def _usable(row: Mapping[str, Any]) -> bool:
    value, error = row["value"], row["uncertainty"]
    known = row["applicable"] and value is not None and error is not None
    return bool(known and math.isfinite(value) and math.isfinite(error) and error > 0)
