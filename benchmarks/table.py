"""Rows as markdown tables for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.summary import Row

_HEAD = (
    "tool",
    "version",
    "wall, s",
    "spread",
    "CPU, s",
    "peak, MiB",
    "× ours",
    "largest difference",
    "notes",
)


def table(rows: Sequence[Row], notes: Mapping[tuple[str, str], str], missing: Mapping[str, str]) -> str:
    """Write the rows of one workload, fastest first, and the tools that are missing.

    Parameters
    ----------
    rows
        Of one workload.
    notes
        What a reader must know, by workload and tool.
    missing
        What to do about each tool that could not be run.
    """
    lines = [_line(_HEAD), _line(["---", "---", *["---:"] * 6, "---"])]
    ordered = sorted(rows, key=lambda row: row.median_s)
    lines += [_line(_cells(row, notes.get((row.workload, row.tool), ""))) for row in ordered]
    lines += [_line([tool, "missing", *[""] * 6, hint]) for tool, hint in missing.items()]
    return "\n".join(lines)


def seconds(value: float) -> str:
    """Three significant digits, never in exponents."""
    digits = 3 if value < 1 else 2 if value < 10 else 1
    return f"{value:.{digits}f}"


def _cells(row: Row, note: str) -> list[str]:
    return [
        row.tool,
        row.version,
        seconds(row.median_s),
        seconds(row.spread_s),
        seconds(row.cpu_s),
        f"{row.rss_mb:.0f}",
        "" if row.ratio_to_ours is None else f"{row.ratio_to_ours:.2f}",
        "" if row.max_difference is None else f"{row.max_difference:.2g}",
        note,
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def scaling_table(rows: Sequence[Row]) -> str:
    """Write the rows of the scaling curves in their order."""
    lines = [
        _line(("what", "wall, s", "spread", "CPU, s", "peak, MiB", "limit, s")),
        _line(["---", *["---:"] * 5]),
    ]
    for row in rows:
        limit = "" if row.roofline_s is None else seconds(row.roofline_s)
        numbers = (
            seconds(row.median_s),
            seconds(row.spread_s),
            seconds(row.cpu_s),
            f"{row.rss_mb:.0f}",
            limit,
        )
        lines.append(_line([row.workload.removeprefix("scaling-").replace("-", " "), *numbers]))
    return "\n".join(lines)
