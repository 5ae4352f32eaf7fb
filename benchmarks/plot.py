"""The figure for the documentation: wall times of all tools beside the limit, and how ours grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.summary import Row
from benchmarks.table import seconds
from benchmarks.tools import OURS

_OURS, _PEER, _LIMIT = "#0b6e4f", "#9aa5b1", "#c0392b"


def plot(contest: Sequence[Row], scaling: Sequence[Row], path: Path) -> None:
    """Draw the figure and write it; the suffix says in which format."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot as plt

    workloads = list(dict.fromkeys(row.workload for row in contest))
    curves = _curves(scaling)
    columns = max(len(workloads), len(curves), 1)
    shape = (bool(workloads) + bool(curves)) or 1
    figure, axes = plt.subplots(shape, columns, figsize=(3.4 * columns, 3 * shape), squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for axis, workload in zip(axes[0], workloads, strict=False):
        _bars(axis, workload, [row for row in contest if row.workload == workload])
    for axis, (name, rows) in zip(axes[-1] if curves else [], curves.items(), strict=False):
        _curve(axis, name, rows)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _bars(axis: Any, workload: str, rows: list[Row]) -> None:
    """Wall times, the fastest on top."""
    axis.set_axis_on()
    rows = sorted(rows, key=lambda row: -row.median_s)
    places = range(len(rows))
    colours = [_OURS if row.tool == OURS else _PEER for row in rows]
    bars = axis.barh(places, [row.median_s for row in rows], color=colours)
    axis.bar_label(bars, [f" {seconds(row.median_s)}" for row in rows], fontsize=8)
    axis.set_yticks(places, [row.tool for row in rows], fontsize=8)
    axis.set_xscale("log")
    axis.margins(x=0.25)
    axis.set_ylim(-0.6, max(len(rows), 4) - 0.4)
    if rows[0].roofline_s:
        axis.axvline(rows[0].roofline_s, color=_LIMIT, linestyle="--", linewidth=1)
    axis.set_title(f"{workload}: wall, s (dashed: limit)", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)


def _curves(rows: Sequence[Row]) -> dict[str, list[tuple[str, Row]]]:
    """Rows by what is varied, with the value."""
    out: dict[str, list[tuple[str, Row]]] = {}
    for row in rows:
        _, what, value = row.workload.split("-", 2)
        out.setdefault(what, []).append((value, row))
    return out


def _curve(axis: Any, name: str, points: list[tuple[str, Row]]) -> None:
    """Wall time, and memory on an axis of its own."""
    axis.set_axis_on()
    places = range(len(points))
    axis.plot(places, [row.median_s for _, row in points], "o-", color=_OURS)
    if all(row.roofline_s for _, row in points):
        axis.set_yscale("log")
        axis.plot(places, [row.roofline_s for _, row in points], "--", color=_LIMIT, linewidth=1)
    else:
        axis.set_ylim(0, 1.3 * max(row.median_s for _, row in points))
    axis.set_xticks(places, [value for value, _ in points], fontsize=7, rotation=30)
    axis.set_title(f"{name}: wall, s; grey: peak MiB", fontsize=9)
    memory = axis.twinx()
    memory.plot(places, [row.rss_mb for _, row in points], ".:", color=_PEER)
    memory.set_ylim(0, 1.3 * max(row.rss_mb for _, row in points))
    memory.tick_params(labelsize=7)
    axis.spines["top"].set_visible(False)
    memory.spines["top"].set_visible(False)
