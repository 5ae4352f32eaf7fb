"""Strips of rows, and a pool of threads that works on them: for the programs in Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = os.cpu_count() or 1


def over_strips(
    rows: int, height: int, work: Callable[[int, int], object], *, threads: int = THREADS
) -> None:
    """Call ``work(first, last)`` for strips of a height, in threads; the first failure is raised."""
    edges = [(y, min(y + height, rows)) for y in range(0, rows, height)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda edge: work(*edge), edges):
            pass
