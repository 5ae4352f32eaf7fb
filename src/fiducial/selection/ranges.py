"""Integers written as ranges, as the Butler's query language reads them."""

from __future__ import annotations

from collections.abc import Iterable

from fiducial.errors import UsageError

_HINT = "write them as 2026011500001,2026011500005..2026011500009"
_LONGEST = 1_000_000


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


def parse_ids(text: str) -> list[int]:
    """Read ids and ranges of ids as `compress` writes them: ``2, 5..9, 12``.

    Raises
    ------
    UsageError
        If a part is neither an id nor a range, or a range is empty or far too long.
    """
    ids: set[int] = set()
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        try:
            found = range(int(first), int(last if dots else first) + 1)
        except ValueError as error:
            raise UsageError(
                f"{part.strip()!r} is neither an exposure nor a range of exposures", hint=_HINT
            ) from error
        if not 0 < len(found) <= _LONGEST:
            what = "is empty" if not found else f"has more than {_LONGEST} exposures"
            raise UsageError(f"the range {part.strip()} {what}", hint=_HINT)
        ids |= set(found)
    return sorted(ids)
