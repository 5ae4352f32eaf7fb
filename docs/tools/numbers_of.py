"""Tables of numbers out of repositories, as Markdown that pages include."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from stage import RUNS, header

OVERLAP = 1.5
"""Neighbouring pairs share a frame: their squares are correlated by 1/4, so the mean of n of them has
1.5 / n of the variance of one."""


def write_table(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table to ``runs/NAME.md``; numbers are set to the right."""
    listed = [[_cell(value) for value in row] for row in rows]
    numeric = [all(_is_number(row[i]) for row in listed) for i in range(len(columns))]
    rule = ["---:" if right else "---" for right in numeric]
    lines = [f"<!-- {header()[2:]} -->", ""]
    lines += [f"| {' | '.join(cells)} |" for cells in ([*columns], rule, *listed)]
    (RUNS / f"{name}.md").write_text("\n".join(lines) + "\n")
    print((RUNS / f"{name}.md").read_text(), flush=True)


def judged_rows(repository: Path, kind: str, collection: str) -> list[dict[str, Any]]:
    """The judged rows of a verification."""
    from lsst.daf.butler import Butler

    name = f"verify{kind[0].upper()}{kind[1:]}Results"
    with Butler.from_config(repository) as butler:
        refs = butler.query_datasets(name, collection)
        return [row for ref in refs for row in butler.get(ref, storageClass="ArrowTable").to_pylist()]


def mean_of_pairs(rows: Sequence[Mapping[str, Any]], test: str, amplifier: str) -> tuple[float, float, int]:
    """Mean of ``read_noise`` or ``gain`` over pairs of neighbours, its error, and the number of pairs."""
    chosen = [r for r in rows if r["test"] == test and r["amplifier"] == amplifier and r["applicable"]]
    values = np.array([row["value"] for row in chosen])
    errors = np.array([row["uncertainty"] for row in chosen])
    return float(values.mean()), float(np.sqrt(OVERLAP * np.mean(errors**2) / len(values))), len(values)


def verdict_table(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each test with a limit: how many frames and means, and the one nearest to its limit."""
    lines = []
    for test in sorted({row["test"] for row in rows if row["outcome"] in ("pass", "warn", "fail")}):
        mine = [r for r in rows if r["test"] == test and r["outcome"] in ("pass", "warn", "fail")]
        counted = [r for r in mine if r["role"] != "first"]
        worst = min(counted, key=lambda row: row["margin"])
        outcomes = {word: sum(r["outcome"] == word for r in counted) for word in ("pass", "warn", "fail")}
        unit = f" {worst['unit']}" if worst["unit"] else ""
        sign = "±" if worst["sided"] == "two" else "≤"
        where = f"{worst['exposure']} {worst['amplifier']}" if worst["exposure"] > 0 else "mean of frames"
        lines.append(
            [
                f"`{test}`",
                len(counted),
                f"{worst['value']:.3g} ± {worst['uncertainty']:.2g}{unit}",
                f"{sign} {worst['limit']:.3g}",
                f"{worst['margin']:.3g}",
                where,
                ", ".join(f"{count} {word}" for word, count in outcomes.items() if count),
            ]
        )
    columns = ("test", "rows", "nearest to its limit", "limit", "margin", "frame", "outcomes")
    write_table(name, columns, lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
