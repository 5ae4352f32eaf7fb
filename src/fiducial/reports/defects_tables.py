"""The tables of defects: counts by amplifier and reason, what the verdict looked at, blobs, masters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite, nan
from typing import Any, cast

from fiducial.products.defects import DefectSet
from fiducial.reports.headline import JudgedTest, detector_name
from fiducial.reports.model import ReportData
from fiducial.reports.numbers import NOTHING, count, percent
from fiducial.verify.defects import DefectRow, DefectTotals, measure_defects


@dataclass(frozen=True)
class Cell:
    """Pixels of one reason: how many, and what changed."""

    now: str
    change: str  # "+3 −1"; empty without change, or without a set before


@dataclass(frozen=True)
class AmplifierDefects:
    """One amplifier, or all of them."""

    name: str
    cells: tuple[Cell, ...]  # in the order of the reasons
    masked: Cell
    share: str


@dataclass(frozen=True)
class Blob:
    """A group of pixels that lack light."""

    x: str
    y: str
    area: str
    depth: str
    what: str
    master: str


@dataclass(frozen=True)
class SourceMaster:
    """A master that the defects were found in."""

    name: str
    content: str
    dataset: str


def rows_of(data: ReportData, sets: Mapping[int, DefectSet]) -> dict[int, list[DefectRow]]:
    """The rows that verification wrote, by detector; where there are none, rows counted here."""
    names = [field.name for field in fields(DefectRow)]
    rows: Sequence[Any] = data.results if isinstance(data.results, Sequence) else data.results.to_pylist()
    found: dict[int, list[DefectRow]] = {detector: [] for detector in sets}
    for row in rows:
        if row["detector"] in found and all(name in row for name in names):
            found[row["detector"]].append(DefectRow(**{name: row[name] for name in names}))
    return {
        detector: own or measure_defects(sets[detector], before_of(data, sets[detector]), data.camera)
        for detector, own in found.items()
    }


def before_of(data: ReportData, product: DefectSet) -> DefectSet | None:
    """The set that was certified before, if it can be compared with."""
    before = cast("DefectSet | None", data.previous_products.get(product.detector))
    if before is None or (before.instrument, before.shape) != (product.instrument, product.shape):
        return None
    return before


def amplifier_lines(rows: Sequence[DefectRow], reasons: Sequence[str]) -> tuple[AmplifierDefects, ...]:
    """A line for each amplifier, and one for all where there are several."""
    lines = []
    names = tuple(dict.fromkeys(row.amplifier for row in rows))
    whole = ("all",) if len(names) > 1 else ()
    for name in (*names, *whole):
        own = [row for row in rows if row.amplifier == name or name in whole]
        masked = [row for row in own if row.reason == "any"]
        pixels = sum(row.pixels for row in masked)
        lines.append(
            AmplifierDefects(
                name=name,
                cells=tuple(_cell([row for row in own if row.reason == reason]) for reason in reasons),
                masked=_cell(masked),
                share=percent(sum(row.now for row in masked) / pixels) if pixels else NOTHING,
            )
        )
    return tuple(lines)


def _cell(rows: Sequence[DefectRow]) -> Cell:
    known = [row for row in rows if row.before >= 0]
    appeared, went = sum(row.appeared for row in known), sum(row.went for row in known)
    change = [f"+{count(appeared)}"] if appeared else []
    change += [f"−{count(went)}"] if went else []
    return Cell(count(sum(row.now for row in rows)), " ".join(change))


def judge_totals(data: ReportData, detector: int, totals: DefectTotals) -> tuple[JudgedTest, ...]:
    """The tests behind the verdict on one detector; shown only, where nothing was verified."""
    said = (data.verdict or {}).get("limits")
    limits: dict[str, float] = dict(said) if isinstance(said, dict) else {}
    most, change = limits.get("most", nan), limits.get("change", nan)
    where = detector_name(data, detector)
    share = totals.now / totals.pixels if totals.pixels else nan
    part = share / most if most > 0 else nan
    tests = [
        JudgedTest(
            test="masked pixels",
            where=where,
            value=f"{percent(share)} ({count(totals.now)} of {count(totals.pixels)})",
            limit=f"≤ {percent(most)}" if isfinite(most) else NOTHING,
            share=part,
            outcome=_outcome(part, "fail"),
            **_NO_MEASUREMENT,
        )
    ]
    if totals.before >= 0:
        allowed = totals.allowed_change(change)
        part = (totals.appeared + totals.went) / allowed if allowed > 0 else nan
        tests.append(
            JudgedTest(
                test="pixels appeared and gone",
                where=where,
                value=f"{count(totals.appeared)} + {count(totals.went)} of {count(totals.before)}",
                limit=f"≤ {count(round(allowed))}" if isfinite(allowed) else NOTHING,
                share=part,
                outcome=_outcome(part, "warn"),
                **_NO_MEASUREMENT,
            )
        )
    tests.append(
        JudgedTest(
            test="amplifiers newly dead",
            where=where,
            value=", ".join(totals.newly_dead) or "none",
            limit="none",
            share=nan,
            outcome="shown" if data.verdict is None else "fail" if totals.newly_dead else "pass",
            **_NO_MEASUREMENT,
        )
    )
    return tuple(tests)


_NO_MEASUREMENT = {"exposure": "", "margin": NOTHING, "failing": "", "note": ""}


def _outcome(share: float, beyond: str) -> str:
    """Without a limit, nothing is said."""
    return "shown" if not isfinite(share) else beyond if share > 1 else "pass"


def blobs_of(product: DefectSet) -> tuple[Blob, ...]:
    """Those that are masked first, then dust; the largest of each first."""
    found: list[dict[str, Any]] = []
    index = 0
    while f"FID BLOB {index} X" in product.metadata:
        found.append({name: product.metadata[f"FID BLOB {index} {name}"] for name in _BLOB})
        index += 1
    found.sort(key=lambda blob: (bool(blob["DUST"]), -int(blob["AREA"])))
    return tuple(
        Blob(
            x=f"{float(blob['X']):.1f}",
            y=f"{float(blob['Y']):.1f}",
            area=count(int(blob["AREA"])),
            depth=percent(float(blob["DEPTH"])),
            what="dust, not masked" if blob["DUST"] else "blob, masked",
            master=str(blob["MASTER"]),
        )
        for blob in found
    )


_BLOB = ("X", "Y", "AREA", "DEPTH", "DUST", "MASTER")


def sources_of(product: DefectSet) -> tuple[SourceMaster, ...]:
    """The masters that were searched, in their order."""
    found: list[SourceMaster] = []
    while (name := product.metadata.get(f"FID MASTER {len(found)} NAME")) is not None:
        index = len(found)
        found.append(
            SourceMaster(
                name=str(name),
                content=str(product.metadata.get(f"FID MASTER {index} HASH", "")),
                dataset=str(product.metadata.get(f"FID RUN MASTER {index}", "")),
            )
        )
    return tuple(found)


def limits_of(product: DefectSet) -> tuple[tuple[str, str, str], ...]:
    """What counts as a defect: in which master, by how much, and by how many standard deviations."""
    start = "FID LIMIT "
    names = [
        key.removeprefix(start)
        for key in product.metadata
        if key.startswith(start) and not key.endswith(" SIGMAS")
    ]
    return tuple(
        (
            name.lower(),
            f"{product.metadata[start + name]:g} {_LIMIT_UNITS.get(name, '')}".rstrip(),
            f"{product.metadata.get(f'{start}{name} SIGMAS', 0):g}",
        )
        for name in names
    )


_LIMIT_UNITS = {"DARK": "electron / s", "BIAS": "electron", "COLD": "of the light", "BRIGHT": "of the light"}
