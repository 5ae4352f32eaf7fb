"""Integers written as ranges, as the Butler's query language reads them."""

from __future__ import annotations

from collections.abc import Iterable


def compress(numbers: Iterable[int]) -> str:
    """Write integers in order, neighbours as ranges: ``2, 5..9, 12``.

    A number that comes more than once is written once; none at all is the empty text.
    """
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}..{last}" for first, last in parts)
