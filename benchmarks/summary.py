"""Repeated measurements as one row: median, spread, and ratio to ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median

from benchmarks.measure import Cost


@dataclass(frozen=True)
class Row:
    """One workload done by one tool: a line of ``results.json``.

    Attributes
    ----------
    workload, tool, version : str
        What was done, and by what; workloads that are not of full size have it in their name.
    median_s, spread_s : float
        Median of the wall times, and the largest less the smallest.
    cpu_s : float
        Median of the processor times.
    rss_mb : float
        Largest peak memory, MiB.
    ratio_to_ours : float, optional
        Of the medians; None where ours was not run.
    max_difference : float, optional
        From the float64 reference; None where nothing is compared.
    roofline_s : float, optional
        What moving the bytes alone would take.
    """

    workload: str
    tool: str
    version: str
    median_s: float
    spread_s: float
    cpu_s: float
    rss_mb: float
    ratio_to_ours: float | None = None
    max_difference: float | None = None
    roofline_s: float | None = None

    def as_dict(self) -> dict[str, str | float | None]:
        """The fields by name."""
        return asdict(self)


def summarise(
    workload: str,
    tool: str,
    version: str,
    costs: Sequence[Cost],
    *,
    max_difference: float | None = None,
    roofline_s: float | None = None,
) -> Row:
    """Make a row of the costs of repeated runs; ``ratio_to_ours`` is left open."""
    if not costs:
        raise ValueError(f"{tool} was not run for {workload}")
    walls = [cost.wall for cost in costs]
    return Row(
        workload,
        tool,
        version,
        median_s=median(walls),
        spread_s=max(walls) - min(walls),
        cpu_s=median(cost.cpu for cost in costs),
        rss_mb=max(cost.rss_mb for cost in costs),
        max_difference=max_difference,
        roofline_s=roofline_s,
    )


def with_ratios(rows: Sequence[Row], ours: str) -> list[Row]:
    """Fill in the ratio of each row to the row of our tool for the same workload."""
    own = {row.workload: row.median_s for row in rows if row.tool == ours}
    return [
        replace(row, ratio_to_ours=row.median_s / own[row.workload]) if row.workload in own else row
        for row in rows
    ]
