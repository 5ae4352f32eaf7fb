"""The page of the documentation: what was measured, on what, and the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import led_night
from benchmarks.bandwidth import Bandwidth
from benchmarks.contest import Contest
from benchmarks.sixteen import SIXTEEN
from benchmarks.sizes import Size
from benchmarks.summary import Row
from benchmarks.table import scaling_table, seconds, table
from benchmarks.tools import OURS, WORKLOADS

_HEAD = """# Benchmarks

`make bench` runs every tool on the same frames, in turn, several times, and writes this page. {date},
{cpu}, {cores} cores, {repeats} repeats after one that warms the page cache. Wall time is of the
whole process, FITS to FITS; *spread* is the slowest run less the fastest; *peak* is the memory of the largest
process; *largest difference* is from a float64 reference that clips as that tool does, over all pixels that
both define.

```{{image}} ../_static/benchmarks.svg
:alt: Wall times of all tools, and how ours grow
```

What this machine can do, measured in the same run: {read:.1f} GB/s read from the page cache, {copy:.1f} GB/s
copied in memory and {triad:.1f} GB/s in a triad (read and written bytes), {write:.1f} GB/s written to new
files. The limit of a workload is the time to read and write its bytes at these rates, without arithmetic.
"""

_UNITS = {
    "W1": "adu",
    "W1z": "adu",
    "W2": "adu, image plane of the last frame",
    "W3": "fraction of the variance",
    "E2E": "electrons",
    "PTC": "the gains, relative to those of the frames",
    "CHAIN": "electrons",
    "CHAINd": "electrons",
}


@dataclass(frozen=True)
class Circumstances:
    """When, on what, and how often."""

    date: str
    cpu: str
    cores: int
    repeats: int
    size: Size


def page(
    circumstances: Circumstances,
    bandwidth: Bandwidth,
    contest: Contest,
    missing: Mapping[str, str],
    scaling: Sequence[Row],
) -> str:
    """Write the page in markdown; ``missing`` says of each tool that is not there what to do about it."""
    speeds = {name: value / 1e9 for name, value in bandwidth.as_dict().items()}
    size = circumstances.size
    text = _HEAD.format(
        date=circumstances.date,
        cpu=circumstances.cpu,
        cores=circumstances.cores,
        repeats=circumstances.repeats,
        **speeds,
    )
    parts = [text, _frames(size)]
    for workload in dict.fromkeys(row.workload for row in contest.rows):
        base = workload.split("-")[0]
        rows = [row for row in contest.rows if row.workload == workload]
        absent = dict(missing) if base in ("W1", "W1z", "W2") else {}
        absent |= {tool: "failed" for name, tool in contest.failed if name == workload}
        parts.append(
            f"## {workload}: {WORKLOADS[base]}\n\n{_distance(rows)} Largest difference in"
            f" {_UNITS[base]}.\n\n{table(rows, contest.notes, absent)}\n"
        )
    if scaling:
        parts.append(f"## How our times grow\n\n{_GROWTH}\n\n{scaling_table(scaling)}\n")
        parts.append(led_night.sentence(scaling, size) + "\n")
    return "\n".join(parts)


_GROWTH = """Whole processes, as W1: *frames* of 512 × 512 pixels; *pixels*: 20 frames; *threads*: the frames
of W1; *detectors*: E2E with 20 frames of 1024 × 1088 pixels of each, without imports; *graph*: exposures ×
detectors, the quantum graph of the bias pipeline, without imports; *led*: biases and LED flats, below."""


def _frames(size: Size) -> str:
    (rows, columns), sixteen = size.raw_shape, SIXTEEN[size.name]
    return (
        f"W1, W1z and E2E have {size.frames} biases of {rows} × {columns} uint16 with two amplifiers and"
        f" their overscan, W2 as many science frames, W3 {size.pairs} pairs of"
        f" {size.pair_rows} × {size.pair_columns} uint16. Clipping is at 3 sigma, about the centre and with"
        " the standard deviation (σ) that the notes name."
        f" PTC has {2 * sixteen.pairs} flats of {sixteen.raw_shape[0]} × {sixteen.raw_shape[1]} uint16 with"
        " 16 amplifiers and their overscan, CHAIN science frames of that detector: its wall time is of one"
        " frame, the masters in memory, its CPU time of the whole process.\n"
    )


def _distance(rows: Sequence[Row]) -> str:
    """How far ours is from the limit, and from the fastest peer."""
    limit = rows[0].roofline_s
    own = next((row for row in rows if row.tool == OURS), None)
    peers = [row for row in rows if row.tool != OURS]
    said = f"Limit {seconds(limit)} s." if limit else ""
    if own is not None and limit:
        said += f" Ours takes {own.median_s / limit:.1f} times that."
    if own is not None and peers:
        best = min(peers, key=lambda row: row.median_s)
        said += f" The fastest peer, {best.tool}, takes {best.median_s / own.median_s:.2f} times ours."
    elif own is not None:
        said += " No other of the tools does it."
    return said
