"""Nights and the dates for which calibrations are valid."""

from __future__ import annotations


def meets(begin: str | None, end: str | None, night: int) -> bool:
    """Whether dates from begin to end (ISO 8601, TAI; None is open) meet the day of a night (YYYYMMDD)."""
    day = f"{night // 10000:04d}-{night // 100 % 100:02d}-{night % 100:02d}"
    return (begin or "") <= f"{day}T99" and (end is None or end > f"{day}T00:00:00.000")
